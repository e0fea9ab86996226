"""A line for tags: what may be meant is offered above or below it, taken over with tab, chosen with up and down."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.geometry import Region
from textual.widgets import Input

from sdtui.tui import keys
from sdtui.tui.widgets.completing import Completing, Offering
from sdtui.tui.widgets.line_input import LineInput

__all__ = ["Offering", "TagInput"]


class TagInput(LineInput, Completing):
    """A LineInput whose last tag, or the one at the cursor, is completed."""

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
        self.start_completing(value)

    def begin(self, value: str) -> None:
        """Begin anew with `value`."""
        self._put(value, len(value))
        self.close_offers()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer tags."""
        if event.input is self:
            self.offer()

    def on_blur(self) -> None:
        """Nothing is offered to nobody."""
        self.close_offers()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Up and down are the line's while something is offered."""
        if action in {"next_offer", "previous_offer"} and not self.offers_any:
            return False
        return super().check_action(action, parameters)

    def action_complete(self) -> None:
        """Take over the tag that is chosen, or else the first."""
        self.complete()

    def action_next_offer(self) -> None:
        """Put the next offer into the line."""
        self.choose(1)

    def action_previous_offer(self) -> None:
        """Put the one before into it; before the first is what was typed."""
        self.choose(-1)

    def action_accept(self) -> None:
        """Hand over what stands in the line."""
        self.close_offers()
        super().action_accept()

    def action_leave(self) -> None:
        """Close what is offered, or else leave."""
        if self.offers_any:
            self.close_offers()
        else:
            super().action_leave()

    def _held(self) -> tuple[str, int]:
        return self.value, self.cursor_position

    def _put(self, text: str, cursor: int) -> None:
        self.value = text
        self.cursor_position = cursor

    def _place(self, start: int) -> tuple[Region, int]:
        region = self.content_region
        return region, region.x + start - self.scroll_offset.x
