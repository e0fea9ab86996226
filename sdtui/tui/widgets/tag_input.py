"""A line for tags: what may be meant is offered below the fingers, taken over with tab, chosen with up and down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from sdtui.dataset.caption import tag_words
from sdtui.dataset.tag_at_cursor import completed, tag_at
from sdtui.tui import keys
from sdtui.tui.literal import harmless
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.offers import ROWS, Offers

if TYPE_CHECKING:
    from sdtui.dataset.complete import Offer

# Tags for what was typed so far, but those that are there already.
Offering = Callable[[str, Collection[str]], "Sequence[Offer]"]


class TagInput(LineInput):
    """A LineInput whose last tag, or the one at the cursor, is completed.

    Attributes:
        offering: gives what is offered; None: nothing is.
        there: tags that are never offered.
    """

    KEY_CONTEXT: ClassVar[str] = "tag"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("tag")]

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(value, placeholder=placeholder, id=id, classes=classes)
        self.offering: Offering | None = None
        self.there: frozenset[str] = frozenset()
        # The line and its cursor before a tag was put in; what stands in it now offers nothing.
        self._typed: tuple[str, int] = (value, len(value))
        self._settled = value

    @property
    def offers_any(self) -> bool:
        """Whether anything is offered now."""
        return self._list.is_open

    def begin(self, value: str) -> None:
        """Begin anew with `value`."""
        self._put(value, len(value))
        self._close()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer tags for what is typed; not for what was put in."""
        if event.input is self and event.value != self._settled:
            self._settled = event.value
            self._offer()

    def on_blur(self) -> None:
        """Nothing is offered to nobody."""
        self._close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Up and down are the line's while something is offered."""
        if action in {"next_offer", "previous_offer"} and not self.offers_any:
            return False
        return super().check_action(action, parameters)

    def action_complete(self) -> None:
        """Take over the tag that is chosen, or else the first."""
        offers = self._list
        if self.offers_any:
            tag = offers.offers[offers.chosen or 0].tag
            self._put(*completed(*self._typed, tag))
            self._close()

    def action_next_offer(self) -> None:
        """Put the next offer into the line."""
        self._choose(1)

    def action_previous_offer(self) -> None:
        """Put the one before into it; before the first is what was typed."""
        self._choose(-1)

    def action_accept(self) -> None:
        """Hand over what stands in the line."""
        self._close()
        super().action_accept()

    def action_leave(self) -> None:
        """Leave."""
        self._close()
        super().action_leave()

    @property
    def _list(self) -> Offers:
        return Offers.on(self.screen)

    def _offer(self) -> None:
        text, cursor = self._typed = self.value, self.cursor_position
        start, end = tag_at(text, cursor)
        typed = text[start:cursor]
        offers: Sequence[Offer] = ()
        if self.offering is not None and typed.strip():
            there = self.there.union(tag_words(text[:start] + text[end:]))
            offers = [offer for offer in self.offering(typed, there) if harmless(offer.tag) == offer.tag]
        # Of a tag that is typed to its end there is nothing to offer.
        self._show([] if [offer.tag for offer in offers] == [typed] else offers[:ROWS], None)

    def _choose(self, step: int) -> None:
        offers = self._list
        at = -1 if offers.chosen is None else offers.chosen
        at = (at + 1 + step) % (len(offers.offers) + 1) - 1
        self._put(*(completed(*self._typed, offers.offers[at].tag) if at >= 0 else self._typed))
        self._show(offers.offers, at if at >= 0 else None)

    def _show(self, offers: Sequence[Offer], chosen: int | None) -> None:
        text, cursor = self._typed
        region = self.content_region
        begun = len(text[: tag_at(text, cursor)[0]]) - self.scroll_offset.x
        self._list.show(offers, chosen, region, region.x + begun)

    def _put(self, value: str, cursor: int) -> None:
        self._settled = value
        self.value = value
        self.cursor_position = cursor

    def _close(self) -> None:
        self._typed = self.value, self.cursor_position
        if self.is_attached and self.offers_any:
            self._list.hide()
