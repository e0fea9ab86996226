from __future__ import annotations

from textual.content import Content

from sdtui.tui.widgets.plan_line import PlanLine
from tests.tui.stage import Stage, screen_text, until


async def test_it_wraps_and_says_where_it_is_cut() -> None:
    line = PlanLine()
    line.styles.height = 2
    app = Stage(line)
    async with app.run_test(size=(20, 4)) as pilot:
        line.show(Content("six images, seven an epoch"))
        await pilot.pause()
        assert screen_text(app)[:3] == ["six images, seven an", "epoch", ""]
        line.show(Content("six images, seven an epoch, four hundred steps"))
        await pilot.pause()
        assert screen_text(app)[:3] == ["six images, seven an", "epoch, four hundred…", ""]
        await pilot.resize_terminal(30, 4)
        await until(pilot, lambda: screen_text(app)[:3] == ["six images, seven an epoch,", "four hundred steps", ""])
