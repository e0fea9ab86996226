"""Completing the tag at the cursor, for whatever one types in: a line or a whole caption."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.widget import Widget

from sdtui.dataset.caption import tag_words
from sdtui.dataset.tag_at_cursor import completed, tag_at
from sdtui.tui.literal import harmless
from sdtui.tui.widgets.offers import ROWS, Offers

if TYPE_CHECKING:
    from sdtui.dataset.complete import Offer

# Tags for what was typed so far, but those that are there already.
Offering = Callable[[str, Collection[str]], "Sequence[Offer]"]


class Completing(Widget):
    """What the two have in common; each says what it holds, where that is, and how something else is put in.

    Attributes:
        offering: gives what is offered; None: nothing is.
        there: tags that are never offered.
        least: letters of a tag from which on something is offered.
    """

    least = 1

    def start_completing(self, text: str) -> None:
        """For the heir's `__init__`, as its other parent takes arguments of its own; `text` is what it holds at first."""
        self.offering: Offering | None = None
        self.there: frozenset[str] = frozenset()
        # Text and cursor before a tag was put in; what stands there now offers nothing.
        self._typed: tuple[str, int] = (text, len(text))
        self._settled = self._typed

    @property
    def offers_any(self) -> bool:
        """Whether anything is offered now."""
        return self._list.is_open

    def complete(self) -> None:
        """Take over the tag that is chosen, or else the first."""
        offers = self._list
        if offers.is_open:
            self._put_settled(*completed(*self._typed, offers.offers[offers.chosen or 0].tag))
            self.close_offers()

    def choose(self, step: int) -> None:
        """Put the next offer into the text, or the one before; before the first is what was typed."""
        offers = self._list
        at = -1 if offers.chosen is None else offers.chosen
        at = (at + 1 + step) % (len(offers.offers) + 1) - 1
        self._put_settled(*(completed(*self._typed, offers.offers[at].tag) if at >= 0 else self._typed))
        self._show(offers.offers, at if at >= 0 else None)

    def offer(self) -> None:
        """Offer tags for what is typed; not for what was put in."""
        text, cursor = self._held()
        if text == self._settled[0]:
            return
        self._settled = self._typed = (text, cursor)
        start, end = tag_at(text, cursor)
        typed = text[start:cursor]
        offers: Sequence[Offer] = ()
        if self.offering is not None and len(typed.strip()) >= self.least:
            there = self.there.union(tag_words(text[:start] + text[end:]))
            offers = [offer for offer in self.offering(typed, there) if harmless(offer.tag) == offer.tag]
        # Of a tag that is typed to its end there is nothing to offer.
        self._show([] if [offer.tag for offer in offers] == [typed] else offers[:ROWS], None)

    def close_offers(self) -> None:
        """Offer nothing until something else is typed."""
        self._settled = self._typed = self._held()
        if self.is_attached and self.offers_any:
            self._list.hide()

    def follow_cursor(self) -> None:
        """Close what is offered where the cursor went elsewhere: it belongs to another tag."""
        text, cursor = self._held()
        if self.offers_any and text == self._settled[0] and cursor != self._settled[1]:
            self.close_offers()

    @property
    def _list(self) -> Offers:
        return Offers.on(self.screen)

    def _show(self, offers: Sequence[Offer], chosen: int | None) -> None:
        if offers or self.offers_any:
            text, cursor = self._typed
            self._list.show(offers, chosen, *self._place(tag_at(text, cursor)[0]))

    def _put_settled(self, text: str, cursor: int) -> None:
        self._settled = (text, cursor)
        self._put(text, cursor)

    def _held(self) -> tuple[str, int]:
        """The text and the cursor in it."""
        raise NotImplementedError

    def _put(self, text: str, cursor: int) -> None:
        """Hold another text."""
        raise NotImplementedError

    def _place(self, start: int) -> tuple[Region, int]:
        """What the list must not cover, and the column of the character `start`, both on the screen."""
        raise NotImplementedError
