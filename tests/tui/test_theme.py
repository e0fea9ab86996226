from __future__ import annotations

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.app import App
from textual.theme import Theme

from sdtui.tui.theme import DARK, FALLBACK, THEMES, use_theme


def downgraded(colour: str) -> str:
    """The colour that a terminal with 256 colours shows."""
    return RichColor.parse(colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor().hex


def colours(theme: Theme) -> dict[str, str]:
    names = ("primary", "warning", "error", "success", "foreground", "background", "surface", "panel")
    found = {name: str(getattr(theme, name)) for name in names}
    return found | {name: value for name, value in theme.variables.items() if value.startswith("#")}


def distance(one: str, other: str) -> int:
    """The largest difference of the two in red, green or blue."""
    a, b = RichColor.parse(one).get_truecolor(), RichColor.parse(other).get_truecolor()
    return max(abs(left - right) for left, right in zip(a, b, strict=True))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_colour_is_the_same_in_256_but_for_one_step_of_grey(theme: Theme) -> None:
    far = {name: value for name, value in colours(theme).items() if distance(value, downgraded(value)) > 10}
    assert far == {}


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_surfaces_stay_apart(theme: Theme) -> None:
    surfaces = [theme.background, theme.surface, theme.panel, theme.variables["highlight"]]
    assert len({downgraded(str(colour)) for colour in surfaces}) == 4


def test_an_unknown_theme_is_ours() -> None:
    app: App[None] = App()
    assert use_theme(app, "no-such-theme") == DARK.name
    assert app.theme == "sdtui"
    assert use_theme(app, "gruvbox") == "gruvbox"


def test_other_themes_have_a_stand_in_for_each_of_our_names() -> None:
    assert set(FALLBACK) == set(DARK.variables)
