"""The few drawn characters of the chrome, in box drawing and in plain ASCII; nothing here is ever an emoji."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from textual.widget import Widget


class Glyphs(NamedTuple):
    """One character (or a short word) for each thing the chrome draws; all are one cell wide unless said."""

    cursor: str
    mark: str
    star: str
    dot: str
    rule: str
    ellipsis: str
    bar: tuple[str, ...]
    track: str
    times: str
    separator: str
    up: str
    down: str
    left: str
    right: str


UNICODE = Glyphs(
    cursor="▸",
    mark="●",
    star="★",
    dot="·",
    rule="─",
    ellipsis="…",
    bar=("╸", "━"),
    track="─",
    times="×",
    separator="│",
    up="↑",
    down="↓",
    left="←",
    right="→",
)

ASCII = Glyphs(
    cursor=">",
    mark="*",
    star="*",
    dot="-",
    rule="-",
    ellipsis="~",
    bar=("#",),
    track="-",
    times="x",
    separator="|",
    up="up",
    down="down",
    left="left",
    right="right",
)


def glyphs(ascii_only: bool) -> Glyphs:
    """The set to draw with."""
    return ASCII if ascii_only else UNICODE


def glyphs_of(widget: Widget) -> Glyphs:
    """The set that the widget's app draws with; box drawing in an app that has no opinion."""
    return getattr(widget.app, "glyphs", UNICODE)


def bar(share: float, width: int, marks: Glyphs) -> str:
    """A bar of at most `width` cells for `share` in 0..1, to half a cell where the font can."""
    steps = len(marks.bar)
    units = round(min(max(share, 0.0), 1.0) * width * steps)
    full, rest = divmod(units, steps)
    return marks.bar[-1] * full + (marks.bar[rest - 1] if rest else "")
