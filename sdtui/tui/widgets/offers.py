"""The short list of tags that may be meant, over the line in which one types; it takes no focus and no key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.geometry import Offset, Region
from textual.screen import Screen
from textual.widgets import Static

from sdtui.tui.captions.categories import category_badge
from sdtui.tui.glyphs import Glyphs, glyphs_of
from sdtui.tui.literal import clean, fit
from sdtui.tui.numbers import roughly

if TYPE_CHECKING:
    from sdtui.dataset.complete import Offer

ROWS = 8
WIDTH = 56


class Offers(Static):
    """Floats above the screen; `on` finds the one of a screen or makes it.

    Attributes:
        offers: what is shown.
        chosen: which one the arrow keys chose; None: none yet.
    """

    DEFAULT_CSS = """
    Offers {
        position: absolute; overlay: screen; display: none; width: auto; height: auto;
        background: $panel; color: $foreground; padding: 0 1;
    }
    """
    ID: ClassVar[str] = "offers"

    def __init__(self) -> None:
        super().__init__("", id=self.ID, markup=False)
        self.offers: Sequence[Offer] = ()
        self.chosen: int | None = None

    @classmethod
    def on(cls, screen: Screen[object]) -> Offers:
        """The list of this screen."""
        found = screen.query(cls)
        if found:
            return found.first()
        made = cls()
        screen.mount(made)
        return made

    @property
    def is_open(self) -> bool:
        """Whether anything is offered."""
        return bool(self.offers)

    def show(self, offers: Sequence[Offer], chosen: int | None, line: Region, at: int) -> None:
        """Show these for what is typed in `line`, beginning at column `at` of the screen; none hides the list."""
        self.offers, self.chosen = offers, chosen
        self.display = bool(offers)
        if not offers:
            return
        window = self.screen.size
        width = min(WIDTH, window.width - 2)
        marks = glyphs_of(self)
        rows = [offer_line(offer, width, marks, chosen=number == chosen) for number, offer in enumerate(offers)]
        self.update(Content("\n").join(rows))
        above = line.y >= len(rows)
        top = line.y - len(rows) if above else min(line.bottom, window.height - len(rows))
        self.styles.offset = Offset(max(0, min(at - 1, window.width - width - 2)), max(0, top))

    def hide(self) -> None:
        """Offer nothing."""
        self.show((), None, Region(), 0)


def offer_line(offer: Offer, width: int, marks: Glyphs, *, chosen: bool) -> Content:
    """One offer: its kind, the tag, the name by which it was found, how often it is used here or elsewhere."""
    entry = offer.entry
    used = f"{offer.own} here" if offer.own else roughly(entry.count) if entry is not None else ""
    ascii_only = marks.rule == "-"
    words = clean(offer.tag, ascii_only=ascii_only)
    via = f" {marks.left if not ascii_only else '<-'} {clean(offer.via, ascii_only=ascii_only)}" if offer.via else ""
    old = " old name" if entry is not None and entry.deprecated else ""
    room = width - 4 - len(used) - 1
    name = fit(words + via + old, max(4, room), marks.ellipsis)
    kept = name[: len(words)], name[len(words) : len(words + via)], name[len(words + via) :]
    line = Content.assemble(
        (f"{marks.cursor if chosen else ' '} ", "bold $accent"),
        category_badge(entry.category if entry is not None else ""),
        " ",
        (kept[0], "bold $strong" if offer.own else "$foreground"),
        (kept[1], "$soft"),
        (kept[2], "$warning"),
        " ",
        (used, "$accent" if offer.own else "$soft"),
    )
    return line.stylize("on $highlight") if chosen else line
