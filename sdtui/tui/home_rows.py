"""The words on Home: one line per profile, run and dataset, and the longer text about the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from textual.content import Content

from sdtui.runs.registry import RunInfo
from sdtui.tui.board import Board
from sdtui.tui.glyphs import Glyphs, bar
from sdtui.tui.keys import Press
from sdtui.tui.literal import clean, fit, home_path
from sdtui.tui.numbers import age, count, duration, grouped
from sdtui.tui.workspace import DatasetRow, ProfileRow

Item = ProfileRow | RunInfo | DatasetRow
# Cells of the two columns after the name, the same in all three sections; below NARROW only the first and half the second.
FIRST, SECOND = 13, 22
NARROW = 70
LABEL = 12

STATE_STYLE = {
    "running": "$accent",
    "starting": "$accent",
    "paused": "$warning",
    "queued": "$soft",
    "finished": "$success",
    "failed": "$error",
    "killed": "$error",
    "stopped": "$warning",
    "unreadable": "$error",
    "newer": "$warning",
}

# Where the state's own name would leave one guessing.
STATE_WORD = {"newer": "newer sdtui"}


@dataclass(frozen=True)
class Line:
    """One line of Home: a heading, a hint, or an item."""

    text: str = ""
    item: Item | None = None
    heading: bool = False


def lines_of(board: Board, filter_text: str, press: Press, marks: Glyphs) -> list[Line]:
    """All lines, with the items that contain the filter's text; a section without any says what would be there.

    Before the workspace was read through once, nobody knows whether there are none.
    """
    sections: list[tuple[str, Sequence[Item], str]] = [
        ("profiles", board.profiles, f"none yet: {press('home.new')} writes one from a template"),
        ("runs", board.runs, f"none yet: {press('home.launch')} on a profile starts one"),
        ("datasets", board.datasets, "none yet: a profile names its folders of images"),
    ]
    lines: list[Line] = []
    for title, items, hint in sections:
        found = [item for item in items if filter_text.casefold() in name_of(item).casefold()]
        if filter_text and not found:
            continue
        lines += [Line()] if lines else []
        lines.append(Line(title, heading=True))
        lines += [Line(item=item) for item in found]
        if title == "runs" and board.trouble:
            lines.append(Line(clean(board.trouble)))
        elif not found:
            lines.append(Line(hint if board.complete else "reading" + marks.ellipsis))
    return lines or [Line("nothing on this screen contains that text")]


def empty_lines(press: Press) -> list[Line]:
    """What to do in a folder with nothing in it."""
    new, folder = press("home.new"), f"{press('everywhere.captions')} {press('captions.folder')}"
    return [
        Line("nothing here yet", heading=True),
        Line(f"{new:<5} write a profile from a template: what to train, and on which images"),
        Line(f"{folder:<5} open a folder of images and work on its captions"),
        Line(),
        Line("or, in a shell,"),
        Line("`sdtui demo` makes a workspace with a model, images and a run to watch"),
    ]


def path_of(item: Item) -> Path:
    """The file or folder behind an item."""
    return item.run.path if isinstance(item, RunInfo) else item.path


def name_of(item: Item) -> str:
    """An item's name."""
    return path_of(item).name


def draw(line: Line, width: int, marks: Glyphs, ascii_only: bool) -> Content:
    """One line in `width` cells."""
    if line.heading:
        return Content.styled(line.text, "bold $accent")
    if line.item is None:
        return Content.styled(line.text, "$soft")
    name_width = max(14, width // 2 if width < NARROW else min(48, width * 3 // 8))
    name = Content(fit(clean(name_of(line.item), ascii_only=ascii_only), name_width - 2, marks.ellipsis) + "  ")
    rest = width - name_width
    if isinstance(line.item, ProfileRow):
        return name + _profile(line.item, rest)
    if isinstance(line.item, RunInfo):
        return name + _run(line.item, rest, marks)
    return name + _dataset(line.item, rest, marks)


def _profile(row: ProfileRow, width: int) -> Content:
    kind = fit(clean(row.kind) or ("-" if row.errors >= 0 else ""), FIRST)
    edited = fit(f"edited {age(row.changed)}" if row.changed else "", SECOND)
    left = Content.assemble((kind, "$soft"), (edited if width >= FIRST + SECOND else "", "$soft"))
    whole = verdict(row)
    fits = left.cell_length + whole.cell_length <= width
    return left + (whole if fits or not row.errors else verdict(replace(row, warnings=0)))


def verdict(row: ProfileRow) -> Content:
    """Whether a profile can be trained."""
    if row.errors < 0:
        return Content("")
    counts = ((row.errors, "problem"), (row.warnings, "warning"))
    said = ", ".join(count(number, noun) for number, noun in counts if number)
    if row.errors:
        return Content.styled(said, "$error")
    if not row.looked:
        return Content.styled("checking", "$soft")
    return Content.styled(said, "$warning") if said else Content.styled("ready", "$success")


def _run(info: RunInfo, width: int, marks: Glyphs) -> Content:
    state = (fit(STATE_WORD.get(info.state, info.state), FIRST), STATE_STYLE.get(info.state, "$soft"))
    share = info.step / info.steps_total if info.steps_total else 0.0
    if not info.live:
        ended = age(info.changed) if info.state == "finished" else _progress(info)
        # Half a number would be a wrong one.
        room = min(SECOND, width - FIRST)
        middle = (fit(ended if room == SECOND else ended.removeprefix("step "), room, marks.ellipsis), "$soft")
    else:
        left = f"  {duration(info.eta_seconds)} left" if info.eta_seconds is not None else ""
        middle = (fit(f"{share:.0%}{left}", SECOND), "$foreground")
    loss = f"loss {info.loss:.3f}" if info.loss is not None else ""
    drawn = ""
    if info.live and width >= 70:
        drawn = "  " + fit(bar(share, min(24, width - 50), marks), min(24, width - 50))
    return Content.assemble(state, middle, (loss, "$soft"), (drawn, "$accent"))


def _progress(info: RunInfo) -> str:
    return f"step {grouped(info.step)} of {grouped(info.steps_total)}" if info.steps_total else ""


def _dataset(row: DatasetRow, width: int, marks: Glyphs) -> Content:
    if row.images < 0:
        return Content("")
    if row.problem:
        return Content.styled(fit(clean(row.problem), width, marks.ellipsis), "$error")
    images = (fit(count(row.images, "image"), FIRST), "$soft")
    told = f"{grouped(row.untagged)} untagged" if row.untagged else "all captioned"
    told += f", {grouped(row.outside)} left out" if row.outside else ""
    return Content.assemble(images, (fit(told, max(0, width - FIRST), marks.ellipsis), _untagged(row)))


def _untagged(row: DatasetRow) -> str:
    return "$warning" if row.untagged else "$success"


def details(item: Item | None, width: int, press: Press, ascii_only: bool) -> Content:
    """The side panel's text about an item; what does not fit beside its label stands below it."""
    if item is None:
        return Content("")
    home = str(Path.home())
    title = Content.styled(clean(name_of(item), ascii_only=ascii_only), "bold $strong")
    where = Content.styled(clean(home_path(str(path_of(item).parent), home), ascii_only=ascii_only), "$soft")
    facts = [
        (label, clean(value, ascii_only=ascii_only), style) for label, value, style in _facts(item, press) if value
    ]
    gaps = [" " if LABEL + len(value) <= width else "\n" for _label, value, _style in facts]
    body = [
        Content.assemble((f"{label:<{LABEL - 1}}{gap}", "$soft"), (value, style))
        for gap, (label, value, style) in zip(gaps, facts, strict=True)
    ]
    return Content("\n").join([title, where, Content(""), *body])


def _facts(item: Item, press: Press) -> list[tuple[str, str, str]]:
    home = str(Path.home())
    if isinstance(item, ProfileRow):
        return [
            ("trains", item.kind, "$foreground"),
            ("base", home_path(item.base, home), "$foreground"),
            ("length", item.length, "$foreground"),
            *[("images", home_path(str(folder), home), "$foreground") for folder in item.folders],
            ("edited", age(item.changed) if item.changed else "", "$foreground"),
            ("check", verdict(item).plain, "$error" if item.errors > 0 else "$foreground"),
            ("problem", item.first_problem, "$error" if item.errors else "$warning"),
        ]
    if isinstance(item, DatasetRow):
        return [
            ("images", grouped(item.images) if item.images >= 0 else "", "$foreground"),
            ("left out", f"{grouped(item.outside)} outside kohya's folders" if item.outside else "", "$warning"),
            ("untagged", grouped(item.untagged) if item.images >= 0 else "", _untagged(item)),
            ("problem", item.problem, "$error"),
        ]
    return _run_facts(item, press)


def _run_facts(info: RunInfo, press: Press) -> list[tuple[str, str, str]]:
    step = _progress(info).removeprefix("step ")
    return [
        ("state", STATE_WORD.get(info.state, info.state), STATE_STYLE.get(info.state, "$foreground")),
        ("step", step, "$foreground"),
        ("loss", f"{info.loss:.4f}" if info.loss is not None else "", "$foreground"),
        ("left", duration(info.eta_seconds) if info.live and info.eta_seconds is not None else "", "$foreground"),
        ("started", age(info.created), "$foreground"),
        ("last event", age(info.changed) if info.changed else "", "$foreground"),
        ("host", info.host, "$foreground"),
        ("why", info.reason, "$warning"),
        ("resume", _way_on(info, press), "$soft"),
    ]


def _way_on(info: RunInfo, press: Press) -> str:
    """What resuming an ended run would do; empty where it cannot be resumed."""
    if not info.resumable:
        return ""
    saved = info.run.complete_checkpoints()
    start = (
        f"goes on from the checkpoint of step {grouped(saved[-1][0])}" if saved else "starts over: no checkpoint yet"
    )
    return f"{press('home.resume')} {start}"
