"""The chart as text: exact rows for a known series."""

from __future__ import annotations

import math
from array import array

import pytest

from sdtui.tui.widgets import ticks
from sdtui.tui.widgets.chart import AT_ONCE, LineChart
from tests.tui.stage import Stage, until

STEPS = range(1, 21)
FALLING = [1.0 - 0.05 * step for step in range(20)]


def chart_of(app: Stage) -> LineChart:
    return app.query_one(LineChart)


async def test_a_falling_line_with_axes_ticks_and_value() -> None:
    app = Stage(LineChart("loss", band=False))
    async with app.run_test(size=(29, 9)):
        chart_of(app).show(STEPS, FALLING)
        assert chart_of(app).plain() == [
            "loss  0.05",
            "    1.0 ┤⠉⠒⠤⡀",
            "        │   ⠈⠒⠤⣀",
            "    0.5 ┤       ⠉⠒⢄",
            "        │          ⠉⠒⠤⣀",
            "        │              ⠉⠒⢄",
            "      0 ┤                 ⠉⠒⠄",
            "        └─────────┴─────────┴",
            "                 10        20",
        ]


async def test_the_band_stands_behind_the_average() -> None:
    app = Stage(LineChart("loss", smoothing=0.9, ascii_only=True))
    async with app.run_test(size=(40, 8)):
        chart_of(app).show(range(60), [0.5 + 0.4 * (-1) ** step for step in range(60)])
        rows = chart_of(app).plain()
        assert rows[0] == "loss  0.4789    raw ..   average 0.9 **"
        assert any("*" in row for row in rows[1:6])
        assert any(":" in row or "." in row[9:] for row in rows[1:6])
        assert all(character.isascii() for row in rows for character in row)


POINTS = [(0, 1.0), (20, 0.0), (40, 1.0), (41, math.nan)]


async def test_points_are_marks_joined_by_a_line_that_gives_way_to_the_series() -> None:
    app = Stage(LineChart("loss", smoothing=0.0))
    async with app.run_test(size=(51, 9)):
        chart_of(app).show(range(43), [0.5] * 43, 42, POINTS)
        assert chart_of(app).plain()[:-1] == [
            "loss  0.5       raw ⡪⡪   average 0 ━━   validation",
            "    1.0 ┤●⠢⢄⡀                                 ⣀⠤⠒●",
            "        │   ⠈⠒⠤⣀                          ⢀⡠⠔⠊",
            "    0.5 ┤       ⠑⠢⢄                    ⣀⠤⠒⠁",
            "        │⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉",
            "        │             ⠈⠑⠢⢄      ⢀⠤⠒⠉",
            "      0 ┤                 ⠉⠒⠤●⠔⠊⠁",
            "        └┴───────────────────┴───────────────────┴─",
        ]


async def test_in_ascii_and_with_room_the_last_point_is_told_in_figures() -> None:
    app = Stage(LineChart("loss", smoothing=0.0, ascii_only=True))
    async with app.run_test(size=(70, 9)):
        chart_of(app).show(range(43), [0.5] * 43, 42, POINTS[:2])
        rows = chart_of(app).plain()
        assert rows[0] == "loss  0.5       raw ..   average 0 **   validation o 0"
        assert rows[1].startswith("    1.0 +o--")
        assert all(character.isascii() for row in rows for character in row)


async def test_before_the_first_step() -> None:
    app = Stage(LineChart("loss"))
    async with app.run_test(size=(40, 8)):
        assert chart_of(app).plain()[3].strip() == "no steps yet"
        assert math.isnan(chart_of(app).value)


async def test_fifty_thousand_points_and_one_more_redraw_only_a_cell_or_two(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Stage(LineChart("loss"))
    async with app.run_test(size=(100, 20)) as pilot:
        chart = chart_of(app)
        ys = array("d", [0.1 + (step * 7919 % 100) / 1000 for step in range(50_000)])
        chart.show(range(50_000), ys, 60_000)
        await pilot.pause()
        asked: list[tuple[object, ...]] = []
        monkeypatch.setattr(chart, "refresh", lambda *regions, **_: asked.append(regions))
        monkeypatch.setattr(chart, "_drawn_at", -math.inf)
        ys.append(0.15)
        chart.show(range(50_001), ys, 60_000)
        cells = sum(region.area for regions in asked for region in regions)  # type: ignore[attr-defined]
        assert cells < 20


async def test_a_second_frame_waits_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdtui.tui.widgets.chart.INTERVAL", 1000.0)
    app = Stage(LineChart("loss", band=False))
    async with app.run_test(size=(30, 8)):
        chart = chart_of(app)
        chart.show([0, 1], [1.0, 1.0])
        chart.show([0, 1, 2], [1.0, 1.0, 7.0])
        chart.show([0, 1, 2, 3], [1.0, 1.0, 7.0, 8.0])
        assert chart.value == 1.0
        assert chart._due is not None
        chart._draw_data()
        assert chart.value == 8.0


async def test_log_scale_smoothing_and_time_axis() -> None:
    app = Stage(LineChart("loss", smoothing=0.5))
    async with app.run_test(size=(60, 12)):
        chart = chart_of(app)
        chart.show([0.0, 60.0, 120.0], [0.01, 0.1, 1.0])
        chart.configure(log_y=True, smoothing=0.0, x_format=ticks.duration)
        rows = chart.plain()
        assert [row[:8].strip() for row in rows[1:] if row[:8].strip()] == ["1", "0.1", "0.01"]
        assert rows[5] == "    0.1 ┤                      ⣀⡠⠤⠒⠊⠉"
        assert rows[-1].split() == ["0:30", "1:00", "1:30", "2:00"]


async def test_a_resize_keeps_the_series() -> None:
    app = Stage(LineChart("loss", band=False))
    async with app.run_test(size=(30, 8)) as pilot:
        chart_of(app).show(STEPS, FALLING)
        await pilot.resize_terminal(60, 16)
        # It is drawn a moment after the last of several sizes.
        await until(pilot, lambda: max(map(len, chart_of(app).plain())) > 50)
        assert chart_of(app).plain()[0] == "loss  0.05"


async def test_a_pane_too_small_for_axes_stays_empty() -> None:
    app = Stage(LineChart("loss"))
    async with app.run_test(size=(14, 3)):
        chart_of(app).show(STEPS, FALLING)
        assert chart_of(app).plain()[1:] == ["", "", ""][: len(chart_of(app).plain()) - 1]


async def test_a_long_series_is_folded_in_a_thread_and_told_when_it_is_there() -> None:
    chart = LineChart("loss")
    app = Stage(chart)
    async with app.run_test(size=(60, 12)) as pilot:
        chart.show(range(AT_ONCE + 1), [0.1] * (AT_ONCE + 1))
        assert math.isnan(chart.value)
        await until(pilot, lambda: chart.value == 0.1)
        chart.configure(smoothing=0.5)
        await until(pilot, lambda: "average 0.5" in chart.plain()[0])
        # What comes in small numbers needs no thread.
        chart.show(range(AT_ONCE + 2), [0.1] * (AT_ONCE + 1) + [0.3])
        await until(pilot, lambda: chart.value > 0.15)
