"""A line chart in braille for a series that grows: raw values as a dotted band, the smoothed value as a line.

Points of another kind, few and measured now and then, stand before both as marks joined by a line of their own.

Data come through `show`; a new frame is drawn at most twice a second, and only the cells that differ are sent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.events import Resize
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from sdtui.tui.widgets import ticks
from sdtui.tui.widgets.braille import Canvas
from sdtui.tui.widgets.columns import Columns
from sdtui.tui.widgets.frame import Frame
from sdtui.tui.widgets.scale import Scale, fit_scale

# Two redraws a second: more tells a person nothing and costs bytes over SSH.
INTERVAL = 0.5
# Cells left of the plot: a label of at most seven characters and the axis.
GUTTER = 9
# Points folded while the keys wait, 5 ms; more of them are folded in a thread.
AT_ONCE = 10_000


class LineChart(Widget):
    """One series over steps or time, with axes.

    Args:
        title: what is drawn, with its unit if it has one.
        x_format: how positions on the x axis are written (`ticks.number`, `ticks.duration`, `ticks.wall`).
        band: draw the raw values too; without it the line is the raw series.
        points: what the points are called, where there are any.
        ascii_only: draw with ASCII characters.
    """

    DEFAULT_CSS = """
    LineChart { height: 1fr; min-height: 4; }
    LineChart > .chart--title { color: $strong; text-style: bold; }
    LineChart > .chart--line { color: $accent; text-style: bold; }
    LineChart > .chart--value { color: $accent; text-style: bold; }
    LineChart > .chart--band { color: $faint; }
    LineChart > .chart--point { color: $warning; text-style: bold; }
    LineChart > .chart--join { color: $warning; }
    LineChart > .chart--axis { color: $soft; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--title",
        "chart--line",
        "chart--value",
        "chart--band",
        "chart--point",
        "chart--join",
        "chart--axis",
    }
    ROLES = ("title", "line", "value", "band", "point", "join", "axis")

    def __init__(
        self,
        title: str,
        *,
        x_format: ticks.Format = ticks.number,
        band: bool = True,
        points: str = "validation",
        smoothing: float = 0.98,
        ascii_only: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.title = title
        self.band = band
        self.points = points
        self.ascii_only = ascii_only
        self._x_format = x_format
        self._log_y = False
        self._smoothing = smoothing if band else 0.0
        self._xs: Sequence[float] = ()
        self._ys: Sequence[float] = ()
        self._limit: float | None = None
        self._points: Sequence[tuple[float, float]] = ()
        self._columns = Columns(0, self._smoothing)
        self._scale: Scale | None = None
        self._frame = Frame(0, 0)
        self._drawn_at = -math.inf
        self._due: Timer | None = None
        self._folding = False

    def show(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        limit: float | None = None,
        points: Sequence[tuple[float, float]] = (),
    ) -> None:
        """Draw this series: positions that do not fall, their values, where it will end if that is known, and points."""
        self._xs, self._ys, self._limit = xs, ys, limit
        self._points = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        wait = self._drawn_at + INTERVAL - time.monotonic()
        if wait <= 0:
            self._draw_data()
        elif self._due is None:
            self._due = self.set_timer(wait, self._draw_data)

    def configure(
        self, *, smoothing: float | None = None, log_y: bool | None = None, x_format: ticks.Format | None = None
    ) -> None:
        """Change how the series is drawn, at once."""
        self._smoothing = self._smoothing if smoothing is None else smoothing
        self._log_y = self._log_y if log_y is None else log_y
        self._x_format = x_format or self._x_format
        self._columns = Columns(self._columns.count, self._smoothing)
        self._draw()

    @property
    def value(self) -> float:
        """The smoothed value at the end of the series; NaN before the first point."""
        return self._columns.value

    def plain(self) -> list[str]:
        """What is drawn, as text."""
        return self._frame.plain()

    def on_resize(self, _event: Resize) -> None:
        """Other width, other columns."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """Row `y` of the last frame."""
        if y >= self._frame.height:
            return Strip.blank(self.size.width, self.rich_style)
        return self._frame.strip(y, self._styles())

    def _styles(self) -> dict[str, Style]:
        styles = {role: self.get_component_rich_style(f"chart--{role}") for role in self.ROLES}
        return {"": self.rich_style, **styles}

    def _draw_data(self) -> None:
        """Draw because the series grew; only these frames are counted against the two a second."""
        self._due = None
        self._drawn_at = time.monotonic()
        self._draw()

    def _draw(self) -> None:
        """Fold in what is new, compose a frame, and mark the cells that differ for repainting."""
        count = max(0, (self.size.width - GUTTER) * 2)
        if self._columns.count != count:
            self._columns = Columns(count, self._smoothing)
        if self._folding or self._columns.backlog(self._xs, self._ys) > AT_ONCE:
            self._fold_apart()
            return
        frame = self._compose_frame(*self.size)
        before, self._frame = self._frame, frame
        if (before.width, before.height) != (frame.width, frame.height):
            self.refresh()
        elif regions := frame.changed(before):
            self.refresh(*regions)

    def _fold_apart(self) -> None:
        """Fold a long series in a thread; the frame before stays until that is done."""
        if self._folding:
            return
        self._folding = True
        columns, xs, ys, limit = Columns(self._columns.count, self._smoothing), self._xs, self._ys, self._limit

        def fold() -> None:
            columns.take(xs, ys, limit)
            self.call_later(self._folded, columns)

        self.run_worker(fold, thread=True, group="fold", exit_on_error=False)

    def _folded(self, columns: Columns) -> None:
        """Take the folded series over, unless it is wanted otherwise by now; what came meanwhile is folded in at once."""
        self._folding = False
        if (columns.count, columns.smoothing) == (self._columns.count, self._smoothing):
            self._columns = columns
        self._draw()

    def _compose_frame(self, width: int, height: int) -> Frame:
        frame = Frame(width, height)
        rows = height - 3  # the title above; the axis and its labels below
        columns = width - GUTTER
        if rows < 1 or columns < 8:
            return frame
        self._columns.take(self._xs, self._ys, self._limit)
        self._title_row(frame)
        if math.isnan(self.value):
            frame.text(GUTTER + 1, 1 + rows // 2, "no steps yet", "axis")
            return frame
        raw = [*self._columns.low, *self._columns.high] if self.band else []
        lines = [*self._columns.line, *(y for _, y in self._points)]
        self._scale = fit_scale(raw, lines, min(6, max(2, rows // 3)), self._log_y, self._scale)
        self._plot(frame, columns, rows, self._scale)
        self._y_axis(frame, rows, self._scale)
        self._x_axis(frame, columns, rows + 1)
        return frame

    def _title_row(self, frame: Frame) -> None:
        """Title and value first: what changes stands at the left, where a change costs few bytes."""
        frame.text(0, 0, self.title, "title")
        x = len(self.title) + 2
        if not math.isnan(self.value):
            frame.text(x, 0, f"{self.value:.4g}", "value")
        if self.band:
            band, line = ("..", "**") if self.ascii_only else ("⡪⡪", "━━")
            legend = ((f"raw {band}   ", "band"), (f"average {self._smoothing:g} ", "axis"), (line, "line"))
            x += 10
            for words, role in legend:
                frame.text(x, 0, words, role)
                x += len(words)
        if self._points:
            mark = "o" if self.ascii_only else "●"
            for words, role in ((f"   {self.points} ", "axis"), (f"{mark} {self._points[-1][1]:.4g}", "point")):
                frame.text(x, 0, words, role)
                x += len(words)

    def _plot(self, frame: Frame, width: int, rows: int, scale: Scale) -> None:
        columns = self._columns
        canvas = Canvas(width, rows)
        if self.band:
            canvas.draw_band([scale.height(v) for v in columns.low], [scale.height(v) for v in columns.high])
        canvas.draw_line([scale.height(value) for value in columns.line])
        for y, row in enumerate(canvas.cells(self.ascii_only)):
            for x, (glyph, on_line) in enumerate(row):
                if glyph != " ":
                    frame.text(GUTTER + x, y + 1, glyph, "line" if on_line else "band")
        self._plot_points(frame, width, rows, scale)

    def _plot_points(self, frame: Frame, width: int, rows: int, scale: Scale) -> None:
        """The line between the points gives way to that of the series; the points do not."""
        heights = [math.nan] * self._columns.count
        for x, y in self._points:
            heights[self._columns.at(x)] = scale.height(y)
        canvas = Canvas(width, rows)
        canvas.draw_line(heights)
        for y, row in enumerate(canvas.cells(self.ascii_only)):
            for x, (glyph, _) in enumerate(row):
                if glyph != " " and frame.rows[y + 1][GUTTER + x][1] != "line":
                    frame.text(GUTTER + x, y + 1, "-" if self.ascii_only else glyph, "join")
        for column, height in enumerate(heights):
            if not math.isnan(height):
                frame.text(GUTTER + column // 2, canvas.cell_row(height) + 1, "o" if self.ascii_only else "●", "point")

    def _y_axis(self, frame: Frame, rows: int, scale: Scale) -> None:
        bar, mark, corner = ("|", "+", "+") if self.ascii_only else ("│", "┤", "└")
        for y in range(rows):
            frame.text(GUTTER - 1, y + 1, bar, "axis")
        frame.text(GUTTER - 1, rows + 1, corner, "axis")
        taken: set[int] = set()
        for height, label in scale.labels:
            y = 1 + round((1 - height) * (rows - 1))
            if 1 <= y <= rows and y not in taken:
                taken.add(y)
                frame.text(GUTTER - 2 - len(label), y, label, "axis")
                frame.text(GUTTER - 1, y, mark, "axis")

    def _x_axis(self, frame: Frame, width: int, y: int) -> None:
        line, mark = ("-", "+") if self.ascii_only else ("─", "┴")
        frame.text(GUTTER, y, line * width, "axis")
        if not self._xs:
            return
        start, end = self._columns.start, self._columns.end
        step = self._x_step(end - start, max(2, width // 12))
        origin = self._x_origin(start)
        free = GUTTER
        for offset in ticks.ticks(start - origin, end - origin, step):
            label = self._x_format(origin + offset if self._x_format is ticks.wall else offset, step)
            x = GUTTER + min(width - 1, round((origin + offset - start) / (end - start) * width))
            left = min(x - len(label) // 2, frame.width - len(label))
            if left >= free:
                frame.text(x, y, mark, "axis")
                frame.text(left, y + 1, label, "axis")
                free = left + len(label) + 2

    def _x_origin(self, start: float) -> float:
        """Where the ticks are counted from: zero, the first point, or the midnight before it."""
        if self._x_format is ticks.duration:
            return start
        return ticks.midnight(start) if self._x_format is ticks.wall else 0.0

    def _x_step(self, span: float, count: int) -> float:
        if self._x_format is ticks.number:
            return ticks.whole_step(span, count)
        return ticks.clock_step(span, count)
