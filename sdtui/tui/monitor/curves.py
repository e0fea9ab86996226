"""The curves of a run: loss with its average, learning rate, the rates in figures, and how they are looked at."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from sdtui.tui.monitor.snapshot import Snapshot
from sdtui.tui.monitor.words import rates_line
from sdtui.tui.widgets import ticks
from sdtui.tui.widgets.chart import LineChart
from sdtui.tui.widgets.figures import FigureLines

X_FORMATS = {"step": ticks.number, "relative": ticks.duration, "wall": ticks.wall}
X_AXES = tuple(X_FORMATS)
# Weights of the average that + and - step through; each about doubles the steps it looks back.
SMOOTHINGS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
USUAL = 0.98


class Curves(Vertical):
    """Loss above, that of held-out images in the same chart, figures between, learning rate below where there is room."""

    DEFAULT_CSS = """
    Curves { width: 1fr; padding: 0 1; }
    Curves > #loss { height: 2fr; }
    Curves > #rates { height: 1; margin-left: 9; }
    Curves > #learning { display: none; height: 1fr; margin-top: 1; }
    """

    def __init__(self, *, ascii_only: bool = False, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._ascii = ascii_only
        self._snapshot: Snapshot | None = None
        self._x_axis = X_AXES[0]
        self._log_y = False
        self._smoothing = USUAL

    def compose(self) -> ComposeResult:
        """Two charts and a line of figures."""
        yield LineChart("loss", ascii_only=self._ascii, id="loss")
        yield FigureLines(id="rates")
        yield LineChart("learning rate", band=False, ascii_only=self._ascii, id="learning")

    def show(self, snapshot: Snapshot) -> None:
        """Draw this moment of the run."""
        self._snapshot = snapshot
        limit = float(snapshot.steps_total) if self._x_axis == "step" and snapshot.steps_total else None
        xs = self._positions(snapshot)
        measured = self._measured(snapshot)
        self.query_one("#loss", LineChart).show(xs, snapshot.losses, limit, measured)
        self.query_one("#rates", FigureLines).show([rates_line(snapshot)])
        rates = next(iter(snapshot.rates.values()), None)
        if rates is not None:
            self.query_one("#learning", LineChart).show(xs, rates, limit)

    def remember(self) -> dict[str, Any]:
        """How the curves are looked at."""
        return {"x_axis": self._x_axis, "log_y": self._log_y, "smoothing": self._smoothing}

    def recall(self, state: dict[str, Any]) -> None:
        """Look at them as `remember` said; values that are not ours are left out."""
        self._x_axis = state["x_axis"] if state.get("x_axis") in X_AXES else X_AXES[0]
        self._log_y = state.get("log_y") is True
        self._smoothing = state["smoothing"] if state.get("smoothing") in SMOOTHINGS else USUAL
        self._redraw()

    def turn_x_axis(self) -> None:
        """Step, time since the start, time of day."""
        self._x_axis = X_AXES[(X_AXES.index(self._x_axis) + 1) % len(X_AXES)]
        self._redraw()

    def turn_log_scale(self) -> None:
        """Logarithmic or linear loss."""
        self._log_y = not self._log_y
        self._redraw()

    def smooth(self, by: int) -> None:
        """A longer (1) or shorter (-1) average."""
        at = SMOOTHINGS.index(self._smoothing) + by
        self._smoothing = SMOOTHINGS[min(len(SMOOTHINGS) - 1, max(0, at))]
        self._redraw()

    def _positions(self, snapshot: Snapshot) -> Any:
        if self._x_axis == "step":
            return snapshot.steps
        if self._x_axis == "wall" or not snapshot.times:
            return snapshot.times
        start = snapshot.times[0]
        return [moment - start for moment in snapshot.times]

    def _measured(self, snapshot: Snapshot) -> list[tuple[float, float]]:
        """The loss of the held-out images as points on the same axis."""
        if self._x_axis == "step":
            return [(float(each.step), each.loss) for each in snapshot.measurements]
        start = snapshot.times[0] if snapshot.times and self._x_axis == "relative" else 0.0
        return [(each.t - start, each.loss) for each in snapshot.measurements]

    def _redraw(self) -> None:
        # New positions first: the old ones in the new format would flash for a moment.
        if self._snapshot is not None:
            self.show(self._snapshot)
        x_format = X_FORMATS[self._x_axis]
        self.query_one("#loss", LineChart).configure(smoothing=self._smoothing, log_y=self._log_y, x_format=x_format)
        self.query_one("#learning", LineChart).configure(x_format=x_format)
