"""Yes or no: one tag asked of one image after another, the picture large; each answer is written at once.

An answer that changes the caption is one operation of the journal, made in the background like every edit, so that the
next image is there before the last one is on disk. Going back takes the answer back as undo would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sdtui.dataset import tags
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.drawing import PLAIN, caption_content
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, fit, shorten_path
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.caption_view import CaptionView
from sdtui.tui.widgets.chrome import HintLine
from sdtui.tui.widgets.picture import PicturePanel

TAG = 40


@dataclass(frozen=True)
class Answer:
    """What was said of the image in a row; `label` names the operation, empty where nothing had to be written."""

    row: int
    yes: bool | None  # None: skipped
    label: str


class YesNo(ModalScreen[int]):
    """Goes through `positions` from `row` on; dismisses with the position it ended at.

    Args:
        model: the dataset.
        tag: what is asked; a tag as `tags.checked` gives it.
        positions: the images.
        row: where to begin.
        ascii_only: draw with ASCII only.
    """

    KEY_CONTEXT: ClassVar[str] = "yes_no"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("yes_no")]
    DEFAULT_CSS = """
    YesNo {
        background: $background;
        & > #question { height: 1; padding: 0 1; background: $surface; }
        & > #standing { height: 1; padding: 0 1; border-top: none; }
        & > PicturePanel { height: 1fr; padding: 0 1; }
        & > CaptionView { height: 4; }
    }
    """

    def __init__(self, model: CaptionsModel, tag: str, positions: Sequence[int], row: int, *, ascii_only: bool) -> None:
        super().__init__()
        self._model = model
        self._tag = tag
        self._positions = positions
        self._row = row
        self._ascii_only = ascii_only
        self._hand: InHand = model.take(positions[row])
        self._answers: list[Answer] = []
        self._at_end = False
        self._going_back = False
        self._leaving = False

    @property
    def takes_keys(self) -> bool:
        """Not while an answer is taken back: the keys typed after it mean the image before."""
        return not self._going_back

    def compose(self) -> ComposeResult:
        """The question, the picture, what the image is and has, its caption, the keys."""
        yield Static("", id="question", markup=False)
        yield PicturePanel(ascii_only=self._ascii_only)
        yield Static("", id="standing", markup=False)
        yield CaptionView()
        yield HintLine()

    def on_mount(self) -> None:
        """Show the first image."""
        self.query_one(HintLine).show(keys.key_table_of(self).footer("yes_no"))
        self._show()

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self._show()

    # -- answers ------------------------------------------------------------------------------------------------------

    def action_yes(self) -> None:
        """The image has the tag: add it, and go on."""
        self._answer(yes=True)

    def action_no(self) -> None:
        """The image has it not: take it out, and go on."""
        self._answer(yes=False)

    def action_skip(self) -> None:
        """Leave the caption as it is, and go on."""
        if self._may_answer():
            self._answers.append(Answer(self._row, None, ""))
            self._go_on()

    def action_back(self) -> None:
        """To the image before, and take back what was said of it."""
        if self._going_back or not self._answers:
            return
        answer = self._answers.pop()
        self._at_end = False
        if not answer.label:
            self._go_to(answer.row)
            return
        self._going_back = True
        self.run_worker(lambda: self._take_back(answer), thread=True, group="back", exit_on_error=False)

    def action_end(self) -> None:
        """Back to the list, at this image."""
        self._leaving = self._going_back
        if not self._going_back:
            self.dismiss(self._positions[self._row])

    def _may_answer(self) -> bool:
        return not self._at_end and not self._going_back

    def _answer(self, *, yes: bool) -> None:
        if not self._may_answer():
            return
        hand = self._hand
        if hand.caption is None:
            self._say(f"cannot be answered here: {hand.problem}")
            return
        text = tags.add(hand.text, self._tag) if yes else tags.remove(hand.text, self._tag)
        label = ""
        if text != hand.text:
            name = self._model.library.name(hand.position)
            label = f"{'yes' if yes else 'no'}: {self._tag} ({name})"
            # Shown as it will be, as the last image stays while it is written.
            self._hand = self._model.edit(hand, text, label, lambda after, error: self._written(after, label, error))
        self._answers.append(Answer(self._row, yes, label))
        self._go_on()

    def _written(self, after: InHand, label: str, error: Exception | None) -> None:
        """In another thread: the answer is on disk, or it is none."""
        if error is not None:
            # Without waiting for the screen: while it closes, it waits for this thread.
            self.call_later(self._failed, after, label, error)

    def _failed(self, after: InHand, label: str, error: Exception) -> None:
        fresh = self._model.read_again(after)
        if self._hand.position == fresh.position:
            self._hand = fresh
        self._answers = [answer for answer in self._answers if answer.label != label]
        self._say(f"not written: {error}")
        self._show()

    def _take_back(self, answer: Answer) -> None:
        """In a thread: undo an answer; not what somebody else did after it."""
        trouble = ""
        try:
            undone = self._model.step_slowly(back=True)
            if undone is not None and undone.label != answer.label:
                self._model.step_slowly(back=False)
                trouble = f"not taken back: another sdtui made an edit since: {undone.label}"
        except SdtuiError as error:
            trouble = str(error)
        self.app.call_from_thread(self._taken_back, answer, trouble)

    def _taken_back(self, answer: Answer, trouble: str) -> None:
        self._going_back = False
        if trouble:
            self._answers.append(answer)
            self._say(trouble)
        else:
            self._go_to(answer.row)
        if self._leaving:
            self.action_end()

    # -- what is shown ------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        if self._row + 1 < len(self._positions):
            self._go_to(self._row + 1)
        else:
            self._at_end = True
            self._show()

    def _go_to(self, row: int) -> None:
        self._row = row
        self._hand = self._model.take(self._positions[row])
        self._show()

    def _show(self) -> None:
        if not self.is_mounted:
            return
        model, hand = self._model, self._hand
        self.query_one("#question", Static).update(self._question())
        self.query_one("#standing", Static).update(self._standing())
        found = hand.tags
        at = next((at for at, tag in enumerate(found) if tag.text == self._tag), -1)
        view = self.query_one(CaptionView)
        if hand.caption is None:
            view.show_message(hand.problem, "$error")
        elif hand.text.strip():
            view.show(*caption_content(hand.text, found, at, PLAIN, ascii_only=self._ascii_only))
        else:
            view.show_message("no caption yet")
        self.query_one(PicturePanel).show(model.library[hand.position].path)

    def _question(self) -> Content:
        marks = glyphs_of(self)
        yes = sum(answer.yes is True for answer in self._answers)
        no = sum(answer.yes is False for answer in self._answers)
        place = f"{grouped(self._row + 1)} of {grouped(len(self._positions))}"
        said = f"{grouped(yes)} yes {marks.dot} {grouped(no)} no"
        right = Content.assemble((said, "$soft"), "   ", (place, "bold $accent"))
        tag = fit(clean(self._tag, ascii_only=self._ascii_only), TAG, marks.ellipsis).rstrip()
        left = Content.assemble(("yes or no: ", "$soft"), (tag, "bold $strong"))
        width = max(0, self.app.size.width - 2)
        return (left.pad_right(max(2, width - left.cell_length - right.cell_length)) + right).truncate(width)

    def _standing(self) -> Content:
        """Whether the image has the tag now, in words; and its name."""
        if self._at_end:
            return Content.styled("that was the last image", "bold $warning")
        hand = self._hand
        has_it = any(tag.text == self._tag for tag in hand.tags)
        now = ("has it now", "bold $success") if has_it else ("has it not", "bold $warning")
        room = max(8, self.app.size.width - 16)
        name = clean(self._model.library[hand.position].relative, ascii_only=self._ascii_only)
        return Content.assemble(now, "   ", (shorten_path(name, room, glyphs_of(self).ellipsis), "$foreground"))

    def _say(self, message: str) -> None:
        self.notify(clean(message, ascii_only=self._ascii_only, lines=True), severity="warning", markup=False)
