"""The lower part of the captions screen: facts of the image, its caption, and in their place an editor or a line to type."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Static

from sdtui.tui.captions.tag_ranks import TagRanks
from sdtui.tui.literal import harmless
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.caption_view import CaptionView
from sdtui.tui.widgets.line_input import LineInput

OFFERED = 10_000


class CaptionPane(Vertical):
    """Shows a caption, edits it, or asks for a tag. The messages come from `CaptionEditor` and `LineInput`."""

    DEFAULT_CSS = """
    CaptionPane { height: 9; border-top: solid $faint; }
    CaptionPane > #facts { height: 1; padding: 0 1; }
    CaptionPane > #ask { height: 1; padding: 0 1; background: $surface; display: none; }
    CaptionPane #ask-label { width: auto; color: $accent; }
    CaptionPane #ask-line { width: 1fr; }
    CaptionPane.-asking > #ask { display: block; }
    CaptionPane > CaptionEditor { display: none; }
    CaptionPane.-editing > CaptionEditor { display: block; }
    CaptionPane.-editing > CaptionView { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._facts = Static(Content(""), id="facts", markup=False)
        self._shown_facts: tuple[Content, Content] = (Content(""), Content(""))
        self.view = CaptionView()
        self._label = Static("", id="ask-label", markup=False)
        self.line = LineInput(id="ask-line")
        self.editor: CaptionEditor | None = None

    def compose(self) -> ComposeResult:
        """Facts, caption, and the line that is hidden until something is asked."""
        yield self._facts
        yield self.view
        with Horizontal(id="ask"):
            yield self._label
            yield self.line

    @property
    def busy(self) -> bool:
        """Whether the user is typing here."""
        return self.has_class("-asking") or self.has_class("-editing")

    @property
    def typed(self) -> str | None:
        """The caption as it stands in the editor; None while none is edited."""
        return self.editor.text if self.editor is not None and self.has_class("-editing") else None

    def show_facts(self, left: Content, right: Content) -> None:
        """One line: what the image is, and at the right how long its caption is."""
        self._shown_facts = left, right
        width = max(0, self.size.width - 2)
        gap = max(1, width - left.cell_length - right.cell_length)
        self._facts.update((left + Content(" " * gap) + right).truncate(width), layout=False)

    def on_resize(self) -> None:
        """Lay the facts out for the new width."""
        self.show_facts(*self._shown_facts)

    def edit(self, text: str) -> None:
        """Open the editor on `text`."""
        self.add_class("-editing")
        # Made when first wanted and then kept: a removed widget under a dialog that opens at once crashes Textual 8.2.
        if self.editor is None:
            self.editor = CaptionEditor(text)
            self.mount(self.editor, after=self._facts)
        else:
            self.editor.begin(text)
        self.editor.focus()

    def ask(self, label: str, value: str, ranks: TagRanks | None, there: frozenset[str] = frozenset()) -> None:
        """Ask for a tag, completing from the tags of the dataset but those that are `there`."""
        self.add_class("-asking")
        self._label.update(Content(f"{label}  "))
        self.line.suggester = TagSuggester(tag for tag in ranks.tags() if tag not in there) if ranks else None
        self.line.value = value
        self.line.cursor_position = len(value)
        self.line.focus()

    def refocus(self) -> None:
        """Go on typing where one was."""
        if self.has_class("-asking"):
            self.line.focus()
        elif self.editor is not None:
            self.editor.focus()

    def show_length(self, right: Content) -> None:
        """Another length of the caption, the image's facts as they are."""
        self.show_facts(self._shown_facts[0], right)

    def close(self) -> None:
        """Back to showing."""
        self.remove_class("-asking", "-editing")


class TagSuggester(Suggester):
    """Completes to the most frequent tag that begins with what was typed.

    Args:
        tags: most frequent first; those beyond the first OFFERED are too rare to be meant, and looking through a
            hundred thousand sentences would hold a key back.
    """

    def __init__(self, tags: Iterable[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._tags = [tag for tag in islice(tags, OFFERED) if harmless(tag) == tag]

    async def get_suggestion(self, value: str) -> str | None:
        """The completion, keeping the letters as typed."""
        if not value.strip():
            return None
        start = value.casefold()
        return next((value + tag[len(value) :] for tag in self._tags if tag.casefold().startswith(start)), None)
