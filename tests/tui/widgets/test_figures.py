"""Lines of figures: what is shown, and how little is sent when one digit ticks."""

from __future__ import annotations

import pytest
from textual.geometry import Region

from sdtui.tui.widgets.figures import FigureLines
from tests.tui.stage import Stage


async def test_pieces_one_after_another_cut_at_the_edge() -> None:
    app = Stage(FigureLines())
    async with app.run_test(size=(12, 3)):
        lines = app.query_one(FigureLines)
        lines.show([[("step ", "name"), ("1 880 / 3 000", "value")]])
        assert lines.plain() == ["step 1 880 /"]


async def test_a_name_from_a_file_is_literal() -> None:
    app = Stage(FigureLines())
    async with app.run_test(size=(30, 3)):
        lines = app.query_one(FigureLines)
        lines.show([[("GPU\x1b[2J[b]", "value")]])
        assert lines.plain() == [r"GPU\x1b[2J[b]"]


async def test_one_ticking_digit_is_one_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Stage(FigureLines())
    async with app.run_test(size=(30, 3)):
        lines = app.query_one(FigureLines)
        lines.show([[("step ", "name"), ("18", "value")]])
        asked: list[tuple[Region, ...]] = []
        monkeypatch.setattr(lines, "refresh", lambda *regions, **_: asked.append(regions))
        lines.show([[("step ", "name"), ("19", "value")]])
        lines.show([[("step ", "name"), ("19", "value")]])
        assert asked == [(Region(6, 0, 1, 1),)]
