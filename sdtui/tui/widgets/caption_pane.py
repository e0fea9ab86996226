"""The lower part of the captions screen: facts of the image, its caption, and in their place an editor or a line to type."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import shorten_path
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.caption_view import CaptionView
from sdtui.tui.widgets.tag_input import Offering, TagInput

# Cells between the parts of the line of facts; those that a name keeps beside the size, and in the smallest window.
GAP, NAME, SHORT_NAME, WORD = 3, 24, 12, 6


class CaptionPane(Vertical):
    """Shows a caption, edits it, or asks for a tag. The messages come from `CaptionEditor` and `TagInput`."""

    DEFAULT_CSS = """
    CaptionPane { height: 9; border-top: solid $faint; }
    CaptionPane > #facts { height: 1; padding: 0 1; }
    CaptionPane > #legend { height: 1; padding: 0 1; }
    CaptionPane > #ask { height: 1; padding: 0 1; background: $surface; display: none; }
    CaptionPane #ask-label { width: auto; color: $accent; }
    CaptionPane #ask-line { width: 1fr; }
    CaptionPane.-asking > #ask { display: block; }
    CaptionPane > CaptionEditor { display: none; }
    CaptionPane.-editing > CaptionEditor { display: block; }
    CaptionPane.-editing > CaptionView { display: none; }
    CaptionPane.-editing > #legend { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._facts = Static(Content(""), id="facts", markup=False)
        self._shown_facts: tuple[str, Sequence[Content], Content] = ("", (), Content(""))
        self.view = CaptionView()
        self._legend = Static(Content(""), id="legend", markup=False)
        self._label = Static("", id="ask-label", markup=False)
        self.line = TagInput(id="ask-line")
        self.editor: CaptionEditor | None = None

    def compose(self) -> ComposeResult:
        """The line that is hidden until something is asked, facts, caption, legend: what is offered stands above it all."""
        with Horizontal(id="ask"):
            yield self._label
            yield self.line
        yield self._facts
        yield self.view
        yield self._legend

    @property
    def busy(self) -> bool:
        """Whether the user is typing here."""
        return self.has_class("-asking") or self.has_class("-editing")

    @property
    def typed(self) -> str | None:
        """The caption as it stands in the editor; None while none is edited."""
        return self.editor.text if self.editor is not None and self.has_class("-editing") else None

    def show_facts(self, name: str, facts: Sequence[Content], right: Content) -> None:
        """One line: the image, what is to say of it, the surest first, and at the right how long its caption is.

        Where there is no room for all of it the name is shortened first, then the facts are left out that can be.
        """
        self._shown_facts = name, facts, right
        width = max(0, self.size.width - 2)
        room = max(0, width - right.cell_length - GAP)
        kept, marks = [fact for fact in facts if fact.plain], glyphs_of(self)
        least = min(NAME, Content(name).cell_length)
        while len(kept) > 1 and least + _length(kept) > room:
            kept.pop(0)
        if least + _length(kept) > room:
            least = min(SHORT_NAME, least)
            # Less than a word says nothing.
            kept = kept if room - least - GAP >= WORD else []
        shown = shorten_path(name, min(room, max(least, room - _length(kept))), marks.ellipsis)
        left = Content(" " * GAP).join([Content.styled(shown, "bold $strong"), *kept])
        if left.cell_length > room:
            left = left.truncate(max(0, room - 1)) + Content(marks.ellipsis)
        gap = max(1, width - left.cell_length - right.cell_length)
        self._facts.update((left + Content(" " * gap) + right).truncate(width), layout=False)

    def on_resize(self) -> None:
        """Lay the facts out for the new width."""
        self.show_facts(*self._shown_facts)

    def edit(self, text: str, offering: Offering | None = None) -> None:
        """Open the editor on `text`, offering tags."""
        self.add_class("-editing")
        # Made when first wanted and then kept: a removed widget under a dialog that opens at once crashes Textual 8.2.
        if self.editor is None:
            self.editor = CaptionEditor(text)
            self.mount(self.editor, after=self._facts)
        else:
            self.editor.begin(text)
        self.editor.offering = offering
        self.editor.focus()

    def ask(self, label: str, value: str, offering: Offering, there: frozenset[str] = frozenset()) -> None:
        """Ask for a tag, offering those of the dataset and of the user's lists but what is `there`."""
        self.add_class("-asking")
        self._label.update(Content(f"{label}  "))
        self.line.offering, self.line.there = offering, there
        self.line.begin(value)
        self.line.focus()

    def refocus(self) -> None:
        """Go on typing where one was."""
        if self.has_class("-asking"):
            self.line.focus()
        elif self.editor is not None:
            self.editor.focus()

    def show_length(self, right: Content) -> None:
        """Another length of the caption, the image's facts as they are."""
        name, facts, _ = self._shown_facts
        self.show_facts(name, facts, right)

    def show_legend(self, line: Content) -> None:
        """What the colours of the caption say."""
        self._legend.update(line, layout=False)

    def close(self) -> None:
        """Back to showing."""
        self.remove_class("-asking", "-editing")


def _length(facts: Sequence[Content]) -> int:
    return sum(GAP + fact.cell_length for fact in facts)
