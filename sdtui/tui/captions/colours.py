"""How captions are drawn on the captions screen: the scheme of colours, its legend, and how long a caption is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.worker import get_current_worker

from sdtui.dataset.caption import Tag, parse_tags
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.drawing import Drawing, caption_content, drawing_of, legend
from sdtui.tui.captions.ground import Asked, Borders
from sdtui.tui.captions.hand import tags_of
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.opening import CaptionsOpening
from sdtui.tui.captions.schemes import SCHEMES, Ground, Scheme
from sdtui.tui.captions.words import length_line
from sdtui.tui.widgets.caption_pane import CaptionPane

# What a scheme says of more tags than that is worked out in a thread: of ten thousand that takes a second.
LONG = 400
# Tags and tokens of more characters are counted in a thread: of ten thousand tags that takes 20 ms at each key.
LONG_TEXT = 16_000


class CaptionsColours(CaptionsOpening):
    """Draws the caption in hand, and reads in the background what that takes."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._scheme = SCHEMES[0]
        # What was drawn last, of which image's text by which scheme; None once something else is known of the dataset.
        self._drawing: Drawing | None = None
        self._drawn: tuple[Scheme, str, int] = (self._scheme, "", -1)
        # The last long text whose length was asked for, the counter of its tokens, and what came of it.
        self._long: tuple[str, Callable[[str], int | None], Content] | None = None
        self._asked: Asked | None = None
        self._asked_of: CaptionsModel | None = None
        # The tokenizer takes a moment to load; until a thread has done that, lengths are unknown.
        self._count_tokens: Callable[[str], int | None] = lambda _text: None
        self._borders: Borders | None = None

    def recall(self, state: dict[str, Any]) -> None:
        """Also the scheme of the last time."""
        super().recall(state)
        self._scheme = next((each for each in SCHEMES if each.name == state.get("colours")), SCHEMES[0])

    def remember(self) -> dict[str, Any]:
        """Also the scheme."""
        return {**super().remember(), "colours": self._scheme.name}

    def action_colours(self) -> None:
        """Colour by the next scheme."""
        self._scheme = SCHEMES[(SCHEMES.index(self._scheme) + 1) % len(SCHEMES)]
        self._show_hand()

    @property
    def instead(self) -> str:
        """The tag that the scheme says may stand in place of the one under the cursor; empty: none."""
        mark = self._drawing.marks.get(self.tag) if self._drawing is not None and self.hand is not None else None
        return mark.instead if mark is not None else ""

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _show_caption(self, text: str) -> None:
        pane, ascii_only = self.query_one(CaptionPane), self.sdtui.settings.ascii
        tags = tags_of(text)
        drawing = self._drawing_of(tags, text)
        # Facts of the image come later than its caption, whose ten thousand tags need not be drawn for them once more.
        if not pane.view.shows(drawing, self.tag):
            pane.view.show(*caption_content(text, tags, self.tag, drawing, ascii_only=ascii_only))
        width = max(0, self.size.width - 2)
        press = self._key("fix")
        marks = self.sdtui.glyphs
        pane.show_legend(legend(drawing, tags, self.tag, width, marks, press=press, ascii_only=ascii_only))

    def _drawing_of(self, tags: Sequence[Tag], text: str) -> Drawing:
        """What the scheme says of the caption; asked again only where something is another."""
        drawn = self._scheme, text, self.hand.position if self.hand is not None else -1
        if self._drawing is None or self._drawn != drawn:
            self._drawn = drawn
            if len(tags) > LONG:
                self._drawing = Drawing(self._scheme, {}, {})
                self._draw_slowly(drawn, tags)
            else:
                self._drawing = drawing_of(self._scheme, tags, text, self._ground())
        return self._drawing

    def _draw_slowly(self, drawn: tuple[Scheme, str, int], tags: Sequence[Tag]) -> None:
        """Ask the scheme of a long caption in a thread; until then it is drawn plain."""
        scheme, text, _position = drawn
        ground = self._ground()

        def work() -> None:
            worker = get_current_worker()
            drawing = drawing_of(scheme, tags, text, ground)
            if not worker.is_cancelled:
                self.app.call_from_thread(show, drawing)

        def show(drawing: Drawing) -> None:
            if self._drawn == drawn:
                self._drawing = drawing
                self._show_hand()

        self.run_worker(work, thread=True, group="drawing", exclusive=True, exit_on_error=False)

    def _show_length(self) -> None:
        pane = self.query_one(CaptionPane)
        hand = self.hand
        text = pane.typed if pane.typed is not None else hand.text if hand is not None and hand.caption else None
        if text is None:
            pane.show_length(Content(""))
        elif len(text) > LONG_TEXT:
            self._show_length_slowly(text)
        else:
            pane.show_length(length_line(tags_of(text), self._count_tokens(text), self.sdtui.glyphs))

    def _show_length_slowly(self, text: str) -> None:
        """Count in a thread; until then the line says nothing of it."""
        pane, count_tokens, marks = self.query_one(CaptionPane), self._count_tokens, self.sdtui.glyphs
        if self._long is not None and self._long[:2] == (text, count_tokens):
            pane.show_length(self._long[2])
            return
        self._long = asked = text, count_tokens, Content("")

        def work() -> None:
            line = length_line(parse_tags(text), count_tokens(text), marks)
            self.app.call_from_thread(show, line)

        def show(line: Content) -> None:
            if self._long is asked:
                self._long = text, count_tokens, line
                self._show_length()

        self.run_worker(work, thread=True, group="length", exclusive=True, exit_on_error=False)

    def _show_counts(self) -> None:
        """The counts say more of the caption in hand, too."""
        super()._show_counts()
        self._draw_again()

    def _draw_again(self) -> None:
        """More is known than when the caption was drawn."""
        self._drawing = None
        self._show_hand()

    def _ground(self) -> Ground:
        if self.model is None:
            return Ground()
        if self._asked is None or self._asked_of is not self.model:
            known = self.model.known
            self._asked, self._asked_of = Asked(known.index, known.completer), self.model
        if self._borders is not None:
            self._asked.borders = self._borders
        return self._asked.ground()

    # -- what it takes ------------------------------------------------------------------------------------------------

    def _prepare(self, model: CaptionsModel) -> None:
        from sdtui.models import tokens

        tokens.count("")

        def ready() -> None:
            self._count_tokens, self._borders = tokens.count, tokens.borders
            self._draw_again()

        self.app.call_from_thread(ready)
        self.run_worker(lambda: self._read_lists(model), thread=True, group="lists", exit_on_error=False)

    def _read_lists(self, model: CaptionsModel) -> None:
        """In a thread: the user's lists of tags, and the trigger words of the workspace's profiles."""
        from sdtui.dataset import vocabulary_file
        from sdtui.tui.workspace import triggers

        words = triggers(self.sdtui.workspace, model.folder)
        try:
            model.known.completer.vocabulary = vocabulary_file.load()
        except SdtuiError as error:
            self.app.call_from_thread(self.say, str(error), "warning")

        def ready() -> None:
            if model is self.model:
                self._ground()
                assert self._asked is not None
                self._asked.triggers = words
                self._draw_again()

        self.app.call_from_thread(ready)
