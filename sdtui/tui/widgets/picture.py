"""A pane with one picture, drawn in characters by a thread and kept in the pane's shape."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from rich.segment import Segment
from textual.events import Resize
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from sdtui.errors import SdtuiError
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, fit

if TYPE_CHECKING:
    from sdtui.tui.widgets.blocks import Mode

# Drawings kept: enough to go to and fro between neighbours without decoding again.
CACHED = 24


class Job(NamedTuple):
    """What to draw, and how large."""

    path: Path
    columns: int
    rows: int
    mode: Mode
    palette256: bool
    dark: bool


class PicturePanel(Widget):
    """Shows the picture given to `show`, with a line of words under it; an unreadable one is a message in the pane.

    Only one picture is decoded at a time, and afterwards only the last one asked for: holding a key down skips pictures
    instead of queueing them.

    Args:
        mode: `ascii`, `half` or `quadrant`; None: what the user chose, else what the terminal can do.
        ascii_only: draw with ASCII characters.
    """

    DEFAULT_CSS = """
    PicturePanel { height: 1fr; }
    PicturePanel > .picture--caption { color: $soft; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"picture--caption"}

    class Drawn(Message):
        """A drawing is ready, or could not be made."""

        def __init__(self, job: Job, strips: list[Strip], problem: str) -> None:
            super().__init__()
            self.job = job
            self.strips = strips
            self.problem = problem

    def __init__(self, *, mode: Mode | None = None, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._mode: Mode | None = "ascii" if ascii_only else mode
        self._path: Path | None = None
        self._caption = ""
        self._busy = False
        self._wanted: Job | None = None
        self._strips: list[Strip] = []
        self._message = ""
        self._cache: OrderedDict[tuple[Job, int], list[Strip]] = OrderedDict()

    def show(self, path: Path | None, caption: str = "", message: str = "") -> None:
        """Show the picture in `path` with `caption` under it, or an empty pane with `message`."""
        if path is None:
            self._strips, self._message = [], message
        if caption != self._caption or path is None:
            self.refresh()
        self._path, self._caption = path, caption
        self._draw(again=True)

    def on_resize(self, _event: Resize) -> None:
        """Draw for the new size."""
        self._draw()

    def plain(self) -> list[str]:
        """What the pane shows, as text."""
        return [self.render_line(y).text.rstrip() for y in range(self.size.height)]

    def render_line(self, y: int) -> Strip:
        """Row `y`: a row of the drawing in the middle of the pane, the message, or the caption beneath."""
        width, style = self.size.width, self.rich_style
        strips = self._strips or self._message_strips(width)
        top = max(0, (self._rows - len(strips)) // 2)
        if self._caption and y == top + len(strips):
            words = clean(self._caption, ascii_only=self._mode == "ascii")
            shown = fit(words, width, glyphs_of(self).ellipsis).rstrip()
            caption = Strip([Segment(shown, self.get_component_rich_style("picture--caption"))])
            return _centred(caption, width).apply_style(style)
        if top <= y < top + len(strips):
            return _centred(strips[y - top], width).apply_style(style)
        return Strip.blank(width, style)

    def _message_strips(self, width: int) -> list[Strip]:
        return [Strip([Segment(fit(line, width).rstrip())]) for line in wrap(self._message, max(8, width - 2))]

    @property
    def _rows(self) -> int:
        return self.size.height - (1 if self._caption else 0)

    def _draw(self, again: bool = False) -> None:
        """Ask for a drawing of the present picture at the present size."""
        if self._path is None or self._rows < 1 or self.size.width < 1:
            self._wanted = None
            return
        coarse = self.app.console.color_system in {None, "standard"}
        mode = self._mode or _chosen_mode(self) or ("ascii" if coarse else "quadrant")
        palette256 = self.app.console.color_system == "256"
        dark = self.app.current_theme.dark
        job = Job(self._path, self.size.width, self._rows, mode, palette256, dark)
        if again or job != self._wanted:
            self._wanted = job
            self._start()

    def _start(self) -> None:
        if self._busy or self._wanted is None:
            return
        self._busy = True
        work = partial(self._work, self._wanted)
        self.run_worker(work, thread=True, group="picture", exclusive=True, exit_on_error=False)

    def _work(self, job: Job) -> None:
        """In a thread: decode and draw, or find out why not."""
        try:
            self.post_message(self.Drawn(job, self._drawing(job), ""))
        except SdtuiError as error:
            self.post_message(self.Drawn(job, [], error.message))
        except Exception as error:  # noqa: BLE001  whatever is wrong with one picture, the pane must draw the next
            self.post_message(self.Drawn(job, [], f"cannot be drawn: {str(error) or type(error).__name__}"))

    def _drawing(self, job: Job) -> list[Strip]:
        # Pillow is imported with the first picture, not with the screen.
        from sdtui.dataset.image import open_rgb
        from sdtui.tui.widgets.blocks import draw

        stamp = job.path.stat().st_mtime_ns if job.path.exists() else 0
        if (strips := self._cache.get((job, stamp))) is None:
            image = open_rgb(job.path, at_least=2 * max(job.columns, job.rows))
            strips = draw(image, job.columns, job.rows, job.mode, palette256=job.palette256, dark=job.dark)
            self._cache[job, stamp] = strips
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return strips

    def on_picture_panel_drawn(self, event: Drawn) -> None:
        """Show the drawing if it is still the one wanted, else go on to the one that is."""
        event.stop()
        self._busy = False
        if event.job != self._wanted:
            self._start()
            return
        self._strips, self._message = event.strips, clean(event.problem)
        self.refresh()


def _chosen_mode(widget: Widget) -> Mode | None:
    """What the user's settings say; None where they leave it to us, or in an app without settings."""
    chosen = getattr(getattr(widget.app, "settings", None), "picture", "auto")
    return None if chosen == "auto" else cast("Mode", chosen)


def _centred(strip: Strip, width: int) -> Strip:
    left = max(0, (width - strip.cell_length) // 2)
    return Strip([Segment(" " * left), *strip], left + strip.cell_length).adjust_cell_length(width)
