"""The curves: which axis, which scale, and what is remembered."""

from __future__ import annotations

import time
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from sdtui.runs.figures import Measurement
from sdtui.tui.monitor.curves import Curves
from sdtui.tui.widgets.chart import LineChart
from tests.tui.monitor.actor import Actor
from tests.tui.stage import Stage, screen_text


@pytest.fixture
def actor(tmp_path: Path) -> Actor:
    actor = Actor(tmp_path, alive=False, steps_total=100)
    for number in range(1, 61):
        actor.step(number, 0.2)
    return actor


async def test_the_axis_turns_from_steps_to_time_and_back(actor: Actor) -> None:
    app = Stage(Curves())
    async with app.run_test(size=(70, 16)) as pilot:
        curves = app.query_one(Curves)
        steps = actor.snapshot()
        noon = time.mktime((2026, 11, 21, 12, 0, 0, 0, 0, -1))
        curves.show(replace(steps, times=array("d", [noon + 10 * step for step in steps.steps])))
        await pilot.pause()
        assert screen_text(app)[-2].split() == ["20", "40", "60"]
        curves.turn_x_axis()
        await pilot.pause()
        assert " ".join(screen_text(app)[-2].split()) == "5 min 10 min"
        curves.turn_x_axis()
        await pilot.pause()
        assert screen_text(app)[-2].split() == ["12:05", "12:10"]
        assert "unet 1.00e-04" in screen_text(app)[-1]
        curves.turn_x_axis()
        assert curves.remember()["x_axis"] == "step"


async def test_smoothing_stops_at_both_ends(actor: Actor) -> None:
    app = Stage(Curves())
    async with app.run_test(size=(70, 16)):
        curves = app.query_one(Curves)
        curves.show(actor.snapshot())
        for _ in range(20):
            curves.smooth(1)
        assert curves.remember()["smoothing"] == 0.999
        for _ in range(20):
            curves.smooth(-1)
        assert curves.remember()["smoothing"] == 0.0
        assert "average 0 " in screen_text(app)[0]


async def test_what_is_remembered_comes_back_and_nonsense_does_not() -> None:
    app = Stage(Curves())
    async with app.run_test(size=(70, 16)):
        curves = app.query_one(Curves)
        curves.recall({"x_axis": "wall", "log_y": True, "smoothing": 0.9})
        assert curves.remember() == {"x_axis": "wall", "log_y": True, "smoothing": 0.9}
        curves.recall({"x_axis": "sideways", "log_y": 1, "smoothing": 7})
        assert curves.remember() == {"x_axis": "step", "log_y": False, "smoothing": 0.98}


async def test_the_loss_of_held_out_images_is_in_the_same_chart_on_every_axis(actor: Actor) -> None:
    app = Stage(Curves(ascii_only=True))
    async with app.run_test(size=(100, 20)) as pilot:
        curves = app.query_one(Curves)
        steps = actor.snapshot()
        noon = time.mktime((2026, 11, 21, 12, 0, 0, 0, 0, -1))
        curves.show(replace(steps, times=array("d", [noon + 10 * step for step in steps.steps])))
        await pilot.pause()
        assert "validation" not in screen_text(app)[0]
        measurements = tuple(
            Measurement(step, noon + 10 * step, loss, {}, 4, 1.0) for step, loss in ((1, 0.4), (30, 0.3), (60, 0.35))
        )
        times = array("d", [noon + 10 * step for step in steps.steps])
        for _ in range(3):
            curves.show(replace(steps, times=times, measurements=measurements))
            app.query_one("#loss", LineChart)._draw_data()
            await pilot.pause()
            rows = screen_text(app)
            assert "validation o 0.35" in rows[0]
            marks = [row.index("o") for row in rows[1:12] if "o" in row[9:]]
            # The first at the left edge, the last at the right end of the curve.
            assert sum(row[9:].count("o") for row in rows[1:12]) == 3
            assert min(marks) == 10
            curves.turn_x_axis()
