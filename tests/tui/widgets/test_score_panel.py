"""The panel of scores drawn line by line: signs, bars with what they need, totals, changes, histogram."""

from __future__ import annotations

import pytest

from sdtui.tagging.survey import Totals
from sdtui.tagging.threshold import Scored
from sdtui.tui.glyphs import ASCII, UNICODE
from sdtui.tui.widgets.score_panel import BINS, Outcome, Row, ScorePanel, _score_bar, _sums
from tests.tui.stage import Stage, screen_text, until


def row(name: str, score: float, *, needed: float = 0.5, why: str = "", there: bool = False) -> Row:
    return Row(Scored(name, score, "general", 0), needed, why, there)


def sums(outcome: Outcome, width: int = 60, needed: float = 0.5) -> list[str]:
    return [line.plain.rstrip() for line in _sums(outcome, width, ASCII, needed)]


def test_a_bar_is_crossed_by_what_the_tag_needs() -> None:
    assert _score_bar(row("sky", 0.8), 10, UNICODE).plain == "━━━━━│━━  "
    assert _score_bar(row("sky", 0.2, why="below"), 10, ASCII).plain == "##   |    "
    assert _score_bar(row("sky", 1.0, needed=1.0), 10, ASCII).plain == "#########|"
    assert _score_bar(row("sky", 0.9, why="banned"), 10, ASCII).plain == "banned    "
    assert _score_bar(row("sky", 0.9), 0, ASCII).plain == ""


def test_what_it_comes_to_for_the_list() -> None:
    histogram = tuple(4 if at == 0 else 2 if at == 19 else 0 for at in range(BINS))
    whole = Outcome(Totals(1240, 9312, 3), (41, 2), (("bridge", 41), ("ivy", -2)), 0.35, "sky", histogram)
    assert sums(whole) == [
        "1 240 images  9 312 tags  3 left empty",
        "+41 -2 against 0.35  bridge +41  ivy -2",
        f"sky{' ' * 30} 0@{' ' * 9}|{' ' * 9}=1 6",
    ]
    # What has no room is left out whole.
    assert sums(whole, width=34)[1] == "+41 -2 against 0.35  bridge +41"


def test_what_is_not_known_yet_is_not_told() -> None:
    assert sums(Outcome(None, None)) == ["counting", "", ""]
    so_far = Outcome(Totals(1100, 5000, 2), None, counting=(1200, 3000))
    assert sums(so_far) == ["counting 1 200 of 3 000 images  5 000 tags  2 left empty", "", ""]
    assert sums(Outcome(Totals(1, 2, 0), None)) == ["1 image  2 tags  0 left empty", "", ""]
    assert sums(Outcome(Totals(1, 2, 0), (0, 0), (), 0.5))[1] == "as before, at 0.50"


async def test_hostile_names_are_drawn_as_text() -> None:
    panel = ScorePanel()
    app = Stage(panel)
    async with app.run_test(size=(50, 12)) as pilot:
        panel.show([row("[bold]\x1b[31mred", 0.7, there=True), row("x" * 80, 0.2, why="below")])
        await until(pilot, lambda: "+ 1 kept, 0 new  - 1 dropped" in screen_text(app)[1])
        first, second = screen_text(app)[2:4]
        assert "+● [bold]" in first
        assert "\x1b" not in first
        assert "-  xxxxxxxx" in second
        assert "…" in second


@pytest.mark.parametrize(
    ("width", "told"), [(44, "+ 1 kept, 0 new  - 1 dropped  ● has it"), (39, "+ 1 kept, 0 new  - 1 dropped")]
)
async def test_what_the_dot_means_is_said_where_there_is_room(width: int, told: str) -> None:
    panel = ScorePanel()
    app = Stage(panel)
    async with app.run_test(size=(width, 12)) as pilot:
        panel.show([row("red", 0.7, there=True), row("blue", 0.2, why="below")])
        await until(pilot, lambda: screen_text(app)[1].strip() == told)
