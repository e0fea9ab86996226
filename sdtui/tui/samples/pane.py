"""The pictures of a folder: all in a grid, one large, or two side by side, with one of them chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from sdtui.tui import keys
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import literal, shorten
from sdtui.tui.numbers import grouped
from sdtui.tui.samples.folder import Contents, Shot
from sdtui.tui.widgets.picture import PicturePanel

# As many as are drawn at a time; a picture's cells are at least so wide and so high, words included.
PLACES = 24
LEAST_WIDTH, LEAST_HEIGHT = 16, 8
Mode = Literal["grid", "one", "two"]


class PicturesPane(Vertical, can_focus=True):
    """Pictures of one folder.

    Attributes:
        mode: how they are shown.
        at: the chosen one.
    """

    KEY_CONTEXT: ClassVar[str] = "pictures"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("pictures")]
    DEFAULT_CSS = """
    PicturesPane {
        padding: 0 1;
        & > #pictures-head { height: 1; }
        & > #pictures-none { display: none; height: 1fr; color: $soft; padding: 1 1; }
        &.-empty > #pictures-none { display: block; }
        &.-empty > Container { display: none; }
        & > Container { layout: grid; grid-size: 1 1; grid-gutter: 0 1; height: 1fr; }
        & PicturePanel { height: 100%; }
        & PicturePanel.-unused { display: none; }
        & PicturePanel.-chosen > .picture--caption { color: $accent; text-style: bold; }
    }
    """

    class Chose(Message):
        """Another picture is chosen, or another way to look at them."""

    def __init__(self, *, ascii_only: bool, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._ascii = ascii_only
        self._contents: Contents | None = None
        self.mode: Mode = "grid"
        self.at = 0
        self._held = 0
        self._how = Content("")
        self._sides = (1, 1)
        self._filled: list[tuple[Path, str] | None] = []

    def compose(self) -> ComposeResult:
        """Head, places, and what is said where there are no pictures."""
        yield Static("", id="pictures-head", markup=False)
        yield Static("", id="pictures-none", markup=False)
        with Container():
            for place in range(PLACES):
                yield PicturePanel(ascii_only=self._ascii, id=f"place-{place}")

    @property
    def chosen(self) -> Shot | None:
        """The chosen picture."""
        shots = self._shots
        return shots[self.at] if self.at < len(shots) else None

    def show(self, contents: Contents | None) -> None:
        """Show what is in a folder now; while pictures come, the newest stays chosen if it was."""
        before, self._contents = self._contents, contents
        shots = self._shots
        if before is None or contents is None or before.folder != contents.folder:
            self.at, self.mode = 0, "grid"
        elif self.at == len(before.shots) - 1 and self.mode != "two":
            self.at = max(self.at, len(shots) - 1) if contents.live else self.at
        self.at = min(self.at, max(0, len(shots) - 1))
        self._draw()

    def say_how(self, words: Content) -> None:
        """What stands in place of pictures while none are being drawn."""
        self._how = words
        self._draw()

    def on_resize(self) -> None:
        """More room, larger pictures or more of them."""
        self._draw()

    def on_focus(self) -> None:
        """The head says where the keys go."""
        self._draw_head()

    def on_blur(self) -> None:
        """It no longer does."""
        self._draw_head()

    # -- keys ---------------------------------------------------------------------------------------------------------

    def action_next(self) -> None:
        """The next picture."""
        self._go(self.at + 1)

    def action_previous(self) -> None:
        """The one before."""
        self._go(self.at - 1)

    def action_down(self) -> None:
        """The one below; of single pictures the next."""
        self._go(self.at + (self._sides[0] if self.mode == "grid" else 1))

    def action_up(self) -> None:
        """The one above; of single pictures the one before."""
        self._go(self.at - (self._sides[0] if self.mode == "grid" else 1))

    def action_page_down(self) -> None:
        """A page of the grid further."""
        self._go(self.at + self._sides[0] * self._sides[1])

    def action_page_up(self) -> None:
        """A page back."""
        self._go(self.at - self._sides[0] * self._sides[1])

    def action_first(self) -> None:
        """The first one."""
        self._go(0)

    def action_last(self) -> None:
        """The last one."""
        self._go(len(self._shots) - 1)

    def action_open(self) -> None:
        """One picture, or all again."""
        self._look("grid" if self.mode == "one" else "one")

    def compare(self) -> bool:
        """Hold the chosen picture beside those gone to from now on, or no longer; False where there is only one."""
        if self.mode == "two":
            self._look("grid")
        elif len(self._shots) > 1:
            self._held = self.at
            self.at = self.at + 1 if self.at + 1 < len(self._shots) else self.at - 1
            self._look("two")
        return len(self._shots) > 1

    def close_view(self) -> bool:
        """Back to the grid; False where it is shown."""
        if self.mode == "grid":
            return False
        self._look("grid")
        return True

    # -- drawing ------------------------------------------------------------------------------------------------------

    @property
    def _shots(self) -> Sequence[Shot]:
        return self._contents.shots if self._contents is not None else ()

    def _look(self, mode: Mode) -> None:
        self.mode = mode
        self._draw()
        self.post_message(self.Chose())

    def _go(self, at: int) -> None:
        shots = self._shots
        wanted = min(max(at, 0), len(shots) - 1)
        if self.mode == "two" and wanted == self._held:
            wanted += 1 if at > self.at else -1
        if shots and 0 <= wanted < len(shots) and wanted != self.at:
            self.at = wanted
            self._draw()
            self.post_message(self.Chose())

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        shots = self._shots
        self.set_class(not shots, "-empty")
        live = self._contents is not None and self._contents.live
        first = Content.styled("the first picture is on its way", "$soft")
        self.query_one("#pictures-none", Static).update(first if live else self._how)
        container = self.query_one(Container)
        width, height = self.size.width - 2, self.size.height - 1
        columns = len(self._contents.columns) if self._contents is not None else 0
        self._sides = layout_of(self.mode, len(shots), width, height, columns)
        container.styles.grid_size_columns, container.styles.grid_size_rows = self._sides
        self._fill(self._in_view())
        self._draw_head()

    def _in_view(self) -> list[int]:
        """Which pictures are on the screen."""
        if not self._shots:
            return []
        if self.mode != "grid":
            return [self._held, self.at] if self.mode == "two" else [self.at]
        places = self._sides[0] * self._sides[1]
        first = self.at // places * places
        return [*range(first, min(first + places, len(self._shots)))]

    def _fill(self, chosen: Sequence[int]) -> None:
        filled: list[tuple[Path, str] | None] = []
        for place, panel in enumerate(self.query(PicturePanel)):
            at = chosen[place] if place < len(chosen) else -1
            panel.set_class(at < 0, "-unused")
            panel.set_class(at == self.at and self.mode == "grid", "-chosen")
            wanted = (self._shots[at].path, self._caption(at)) if at >= 0 else None
            filled.append(wanted)
            if wanted is not None and (place >= len(self._filled) or wanted != self._filled[place]):
                panel.show(*wanted)
        self._filled = filled

    def _caption(self, at: int) -> str:
        shot = self._shots[at]
        place = self._contents.place(shot.number) if self._contents is not None else ""
        words = f"{shot.number}  {place or f'seed {shot.seed}'}" if shot.number else shot.path.stem
        if self.mode == "two":
            return f"held  {words}" if at == self._held else words
        return f"{glyphs_of(self).cursor} {words}" if at == self.at and self.mode == "grid" else words

    def _draw_head(self) -> None:
        contents, shot = self._contents, self.chosen
        if contents is None or not self.is_mounted:
            return
        style = "bold $accent" if self.has_focus else "$soft"
        at = f"{grouped(self.at + 1)} of {grouped(len(self._shots))}" if shot is not None else ""
        place = contents.place(shot.number) if shot is not None else ""
        words = "  ".join(filter(None, (shot.path.name if shot is not None else "", place)))
        room = max(8, self.size.width - 4 - len(at))
        head = Content.assemble((at, style), "  ", literal(shorten(words, room), "$foreground", ascii_only=self._ascii))
        self.query_one("#pictures-head", Static).update(head)


def state_words(contents: Contents) -> Content:
    """How the drawing goes."""
    if contents.live:
        parts = (
            [f"drawing {grouped(contents.done + 1)} of {grouped(contents.total)}"] if contents.total else ["loading"]
        )
        parts += [f"step {contents.step} of {contents.steps}"] if contents.step and contents.total else []
        if contents.total and contents.done >= contents.total:
            parts = ["writing the sheet"]
        return literal(", ".join(parts), "$accent")
    if contents.unfinished:
        missing = f", {contents.done} of {contents.total} drawn" if contents.total else ""
        return literal(f"{contents.state}{missing}", "$error" if contents.state == "failed" else "$warning")
    return Content("")


def layout_of(mode: Mode, number: int, width: int, height: int, columns: int = 0) -> tuple[int, int]:
    """Columns and rows of the places: the largest pictures of which all fit, else as many as may be.

    Args:
        mode: one, two side by side (above each other in a high pane), or a grid.
        number: of pictures.
        width: of the pane, in cells.
        height: likewise.
        columns: of a sheet, kept where there is room for them.
    """
    if mode == "one" or number < 2:
        return 1, 1
    if mode == "two":
        return (2, 1) if width > height * 2 else (1, 2)
    most_columns = max(1, min(PLACES, width // LEAST_WIDTH))
    most_rows = max(1, height // LEAST_HEIGHT)
    if 1 <= columns <= most_columns:
        return columns, max(1, min(most_rows, PLACES // columns, -(-number // columns)))
    grids = [(across, down) for across in range(1, most_columns + 1) for down in range(1, most_rows + 1)]
    grids = [grid for grid in grids if grid[0] * grid[1] <= PLACES]
    # A cell is about twice as high as wide; a line of each place is words.
    return max(
        grids, key=lambda grid: (min(grid[0] * grid[1], number), min(width // grid[0], 2 * (height // grid[1] - 1)))
    )
