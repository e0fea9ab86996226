"""Two images side by side: one is held, the other follows the keys; what only one of the captions says stands first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from sdtui.dataset.caption import tag_words
from sdtui.tui import keys
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, shorten_path
from sdtui.tui.numbers import count, grouped
from sdtui.tui.widgets.chrome import HintLine
from sdtui.tui.widgets.picture import PicturePanel

# As on the screen of one image: holding a key down must not draw every picture.
PICTURE_DELAY = 0.06
OWN = "+"


class Pair(ModalScreen[int]):
    """Dismisses with the position to go to.

    Args:
        model: the dataset.
        positions: the images.
        row: which of them is held; the next one is beside it.
        mark: marks an image or takes the mark off it.
        ascii_only: draw with ASCII only.
    """

    KEY_CONTEXT: ClassVar[str] = "pair"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("pair")]
    DEFAULT_CSS = """
    Pair {
        background: $background;
        & > #pair { height: 1fr; }
        & .half { width: 1fr; padding: 0 1; }
        & #right { border-left: solid $faint; }
        & .name { height: 1; }
        & .own { height: 18%; }
        & .both { height: 14%; color: $soft; }
        & > #shared { height: 1; padding: 0 1; background: $surface; }
    }
    """

    def __init__(
        self,
        model: CaptionsModel,
        positions: Sequence[int],
        row: int,
        mark: Callable[[int], None],
        *,
        ascii_only: bool,
    ) -> None:
        super().__init__()
        self._model = model
        self._positions = positions
        self._mark = mark
        self._ascii_only = ascii_only
        self._held = row
        self._beside = (row + 1) % len(positions)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Two halves, what they have in common, the keys."""
        yield Static("", id="shared", markup=False)
        with Horizontal(id="pair"):
            for half in ("left", "right"):
                with Vertical(id=half, classes="half"):
                    yield Static("", classes="name", markup=False)
                    yield PicturePanel(ascii_only=self._ascii_only)
                    yield Static("", classes="own", markup=False)
                    yield Static("", classes="both", markup=False)
        yield HintLine()

    def on_mount(self) -> None:
        """Show both."""
        self.query_one(HintLine).show(keys.key_table_of(self).footer("pair"))
        self._show()
        self._show_pictures()

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self._show()

    def action_next(self) -> None:
        """The next image at the right."""
        self._move(1)

    def action_previous(self) -> None:
        """The one before."""
        self._move(-1)

    def action_hold(self) -> None:
        """The right one is held from now on; beside it the next."""
        self._held = self._beside
        self._move(1)

    def action_mark(self) -> None:
        """Mark the right one, or take its mark off."""
        self._mark(self._positions[self._beside])
        self._show()

    def action_end(self) -> None:
        """Back, at the right one."""
        self.dismiss(self._positions[self._beside])

    def action_end_at_held(self) -> None:
        """Back, at the left one."""
        self.dismiss(self._positions[self._held])

    def _move(self, step: int) -> None:
        self._beside = (self._beside + step) % len(self._positions)
        if self._beside == self._held and len(self._positions) > 1:
            self._beside = (self._beside + step) % len(self._positions)
        self._show()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PICTURE_DELAY, self._show_pictures)

    def _show_pictures(self) -> None:
        for half, row in (("left", self._held), ("right", self._beside)):
            path = self._model.library[self._positions[row]].path
            self.query_one(f"#{half} PicturePanel", PicturePanel).show(path)

    def _show(self) -> None:
        if not self.is_mounted:
            return
        left, right = (self._model.take(self._positions[row]) for row in (self._held, self._beside))
        self._show_half("left", left, right)
        self._show_half("right", right, left)
        self.query_one("#shared", Static).update(self._summary(set(tag_words(left.text)), set(tag_words(right.text))))

    def _show_half(self, half: str, hand: InHand, other: InHand) -> None:
        self.query_one(f"#{half} .name", Static).update(self._heading(hand))
        own, both = compared(tag_words(hand.text), tag_words(other.text), ascii_only=self._ascii_only)
        if hand.caption is None:
            own = Content.styled(clean(hand.problem, ascii_only=self._ascii_only), "$error")
        self.query_one(f"#{half} .own", Static).update(own)
        self.query_one(f"#{half} .both", Static).update(both)

    def _summary(self, left: set[str], right: set[str]) -> Content:
        dot = f" {glyphs_of(self).dot} "
        shared, alone, beside = len(left & right), len(left - right), len(right - left)
        parts = [f"{count(shared, 'tag')} in both", f"{grouped(alone)} only left", f"{grouped(beside)} only right"]
        line = Content.styled(dot.join(parts), "$foreground")
        place = Content.styled(f"{grouped(self._beside + 1)} of {grouped(len(self._positions))}", "bold $accent")
        width = max(0, self.app.size.width - 2)
        return (line.pad_right(max(2, width - line.cell_length - place.cell_length)) + place).truncate(width)

    def _heading(self, hand: InHand) -> Content:
        mark = f"{glyphs_of(self).mark} " if hand.position in self._model.marked else ""
        name = clean(self._model.library[hand.position].relative, ascii_only=self._ascii_only)
        room = max(8, self.app.size.width // 2 - 4 - len(mark))
        return Content.assemble((mark, "$accent"), (shorten_path(name, room, glyphs_of(self).ellipsis), "bold $strong"))


def compared(mine: Sequence[str], theirs: Sequence[str], *, ascii_only: bool = False) -> tuple[Content, Content]:
    """A caption's tags beside another's: those only it has, each with a plus, and those of both, in its own order."""
    other = set(theirs)
    own = [tag for tag in mine if tag not in other]
    both = [tag for tag in mine if tag in other]
    if not mine:
        return Content.styled("no caption", "$warning"), Content("")
    alone = [Content.styled(f"{OWN}{clean(tag, ascii_only=ascii_only)}", "bold $success") for tag in own]
    shared = [Content.styled(clean(tag, ascii_only=ascii_only), "$soft") for tag in both]
    between = Content.styled(", ", "$soft")
    return (
        between.join(alone) if alone else Content.styled("nothing of its own", "$soft"),
        between.join(shared),
    )
