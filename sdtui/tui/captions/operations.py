"""Edits of many captions in two dialogs: choose one by name, then fill in its parameters and see what it would do.

The preview follows what is typed. It is worked out in a thread, first for the captions at the front, then for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from sdtui.dataset.bulk import Proposal, propose
from sdtui.dataset.edit import StoppedError
from sdtui.dataset.library import Library
from sdtui.dataset.operations import EDITS, Context
from sdtui.errors import SdtuiError, UserError
from sdtui.tui import keys
from sdtui.tui.captions.fields import FormLine, FormRow, TurnField, entry_for
from sdtui.tui.captions.operation_form import field_name, fields_of, rewrite_of
from sdtui.tui.captions.preview import SAMPLES, count_line, error_lines, sample_lines, tag_line
from sdtui.tui.captions.task import Task
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import fit, literal
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList
from sdtui.tui.widgets.tag_input import Offering

# Rest after a key before the preview is made, in seconds.
PREVIEW_DELAY = 0.12
# Captions that the first preview is made of: a few hundredths of a second.
FIRST = 500
_VERB = 13
# Parameters that are tags, for which some are offered.
_TAGS = frozenset({"tag", "tags", "old", "new", "word", "keep"})


class Scope(NamedTuple):
    """Some of the images: what they are called, and their positions."""

    name: str
    positions: Sequence[int]


class Ground(NamedTuple):
    """What a form works on: whose captions, what an edit may have to know, what offers tags, how to draw."""

    library: Library
    context: Context
    offering: Offering
    ascii_only: bool


class Chosen(NamedTuple):
    """An edit that is to be made: its name, what was typed into its fields, and of which images."""

    verb: str
    typed: dict[str, str]
    scope: Scope


class ChooseOperation(ModalScreen[str]):
    """All edits with what they do; dismisses with the name of one, or None."""

    KEY_CONTEXT: ClassVar[str] = "typing"
    AUTO_FOCUS = "LineInput"
    DEFAULT_CSS = """
    ChooseOperation {
        align: center middle; background: $background 60%;
        & > .frame { width: 84; max-width: 96%; height: auto; background: $surface; padding: 1 2; }
        & LineInput { background: $background; margin-bottom: 1; }
        & LineList { height: auto; max-height: 16; background: $surface; }
        & .example { color: $soft; height: 1; margin-top: 1; }
    }
    """

    def __init__(self, last: str) -> None:
        super().__init__()
        self._last = last
        self._found = list(EDITS)

    def compose(self) -> ComposeResult:
        """A line to type in, the edits, and the command that does the same."""
        with Vertical(classes="frame"):
            yield LineInput(placeholder="edit captions: which edit")
            yield LineList()
            yield Static("", classes="example", markup=False)

    def on_mount(self) -> None:
        """All of them, the one that was made last under the cursor."""
        self._show(self._last)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Only those whose name or help has words that begin so."""
        words = event.value.lower().split()
        found = [verb for verb in EDITS if all(_begins_one(word, f"{verb} {EDITS[verb].summary}") for word in words)]
        self._found = sorted(found, key=lambda verb: not verb.startswith(event.value.lower().strip()))
        self._show(self._last if not words else "")

    def on_key(self, event: events.Key) -> None:
        """The arrows move in the list while the line keeps the focus."""
        if event.key in {"down", "up"}:
            event.stop()
            rows = self.query_one(LineList)
            rows.action_down() if event.key == "down" else rows.action_up()

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """The command that does the same."""
        if event.index < len(self._found):
            self.query_one(".example", Static).update(literal(EDITS[self._found[event.index]].example))

    def on_line_input_accepted(self) -> None:
        """The highlighted one."""
        self.dismiss(self._found[self.query_one(LineList).cursor] if self._found else None)

    def on_line_input_left(self) -> None:
        """Leave."""
        self.dismiss(None)

    def on_line_list_chosen(self) -> None:
        """A second click."""
        self.on_line_input_accepted()

    def _show(self, cursor: str) -> None:
        at = self._found.index(cursor) if cursor in self._found else 0
        self.query_one(LineList).set_rows(len(self._found), self._row, cursor=at)
        if not self._found:
            self.query_one(".example", Static).update(Content.styled("no edit is called so", "$soft"))

    def _row(self, index: int, width: int) -> Content:
        verb = self._found[index]
        words = fit(EDITS[verb].summary, max(0, width - _VERB), glyphs_of(self).ellipsis)
        return Content.assemble((f"{verb:<{_VERB}}", "$strong"), (words, "$soft"))


class OperationForm(ModalScreen[Chosen]):
    """The parameters of one edit, of which images, and what it would do; dismisses with the edit to make, or None.

    Args:
        verb: the edit.
        typed: what was in its fields the last time.
        scopes: the images it may be made of, the likeliest first.
        ground: what it works on.
    """

    KEY_CONTEXT: ClassVar[str] = "form"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("form")]
    AUTO_FOCUS = "FormLine, TurnField"
    DEFAULT_CSS = """
    OperationForm {
        align: center middle; background: $background 60%;
        & > .frame { width: 116; max-width: 96%; height: 92%; background: $surface; padding: 1 2; }
        & .title { color: $strong; text-style: bold; height: 1; margin-bottom: 1; }
        & .counts { height: 1; margin-top: 1; }
        & .samples { height: 1fr; }
        & .hint { color: $soft; height: 1; }
    }
    """

    def __init__(self, verb: str, typed: Mapping[str, str], scopes: Sequence[Scope], ground: Ground) -> None:
        super().__init__()
        self._verb = verb
        self._scopes = list(scopes)
        self._ground = ground
        self._entries = {field: entry_for(field, typed.get(field.name)) for field in fields_of(verb)}
        shown = [f"{scope.name} ({grouped(len(scope.positions))})" for scope in self._scopes]
        self._scope = TurnField(shown, shown[0], "left and right choose of which images")
        self._timer: Timer | None = None
        # What would happen, without the bytes of all captions, and how many of them change.
        self._proposal: Proposal | None = None
        self._changed = 0
        self._seen = 0
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """Fields, scope, preview."""
        press = keys.key_table_of(self).press
        ways = (("form.next", "next"), ("form.turn", "change"), ("form.accept", "apply"), ("form.close", "leave"))
        with Vertical(classes="frame"):
            yield Static(literal(f"{self._verb}: {EDITS[self._verb].summary}"), classes="title")
            for field, entry in self._entries.items():
                yield FormRow(field_name(field), entry)
            yield FormRow("images", self._scope)
            yield Static("", classes="counts", markup=False)
            yield Static("", classes="samples", markup=False)
            yield Static(Content("   ".join(f"{press(name)} {word}" for name, word in ways)), classes="hint")

    def on_mount(self) -> None:
        """Tags are offered where one is asked for; the first preview."""
        for field, entry in self._entries.items():
            if field.name in _TAGS and isinstance(entry, FormLine):
                entry.offering = self._ground.offering
        self._preview_soon()

    @property
    def typed(self) -> dict[str, str]:
        """What stands in the fields."""
        return {field.name: entry.value for field, entry in self._entries.items()}

    @property
    def scope(self) -> Scope:
        """The chosen images."""
        return self._scopes[self._scope.at]

    def on_input_changed(self) -> None:
        """Another preview."""
        self._preview_soon()

    def on_turn_field_turned(self) -> None:
        """Another preview."""
        self._preview_soon()

    def on_resize(self) -> None:
        """More or less room for the preview."""
        self.call_after_refresh(self._draw)

    def on_key(self, event: events.Key) -> None:
        """The arrows go from field to field, also out of a line that is typed in."""
        if event.key in {"down", "up"}:
            event.stop()
            self.action_next() if event.key == "down" else self.action_previous()

    def action_next(self) -> None:
        """The next field."""
        self.focus_next(".entry")

    def action_previous(self) -> None:
        """The field before."""
        self.focus_previous(".entry")

    def on_line_input_accepted(self) -> None:
        """Enter applies from every field."""
        self.action_accept()

    def on_line_input_left(self) -> None:
        """Leave."""
        self.action_close()

    def action_accept(self) -> None:
        """Make the edit, if it can be made and does anything."""
        try:
            rewrite_of(self._verb, self.typed, self._ground.context)
        except UserError as error:
            self._say(str(error))
            return
        if self._trouble or (self._is_whole and not self._changed):
            self._say(self._trouble or "nothing would change: nothing to apply")
            return
        self.dismiss(Chosen(self._verb, self.typed, self.scope))

    def action_close(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)

    @property
    def _is_whole(self) -> bool:
        """Whether the preview is of all images of the scope."""
        return self._proposal is not None and self._seen == len(self.scope.positions)

    # -- the preview --------------------------------------------------------------------------------------------------

    def _preview_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PREVIEW_DELAY, self._preview)

    def _preview(self) -> None:
        verb, typed, positions = self._verb, self.typed, self.scope.positions

        def work() -> None:
            worker = get_current_worker()
            task = Task(verb)

            def wanted(some: Sequence[int]) -> Iterator[int]:
                for position in task.reading(some):
                    if worker.is_cancelled:
                        task.stop()
                    yield position

            try:
                rewrite, label = rewrite_of(verb, typed, self._ground.context)
                for some in [positions[:FIRST], positions][len(positions) <= FIRST :]:
                    proposal = propose(
                        self._ground.library, wanted(some), rewrite, label, samples=SAMPLES, count_tags=True
                    )
                    changed = len(proposal.changes)
                    shown = replace(proposal, changes=(), positions=())
                    if not worker.is_cancelled:
                        self.app.call_from_thread(self._previewed, shown, changed, len(some), "")
            except StoppedError:
                return
            except SdtuiError as error:
                if not worker.is_cancelled:
                    self.app.call_from_thread(self._previewed, None, 0, 0, str(error))

        self.run_worker(work, thread=True, group="preview", exclusive=True, exit_on_error=False)

    def _previewed(self, proposal: Proposal | None, changed: int, seen: int, trouble: str) -> None:
        self._proposal, self._changed, self._seen, self._trouble = proposal, changed, seen, trouble
        # The form may have been left in between.
        if self.is_attached:
            self._draw()

    def _draw(self) -> None:
        counts, samples = self.query_one(".counts", Static), self.query_one(".samples", Static)
        if self._trouble:
            self._say(self._trouble)
            samples.update(Content(""))
            return
        if self._proposal is None:
            return
        proposal, marks, ascii_only = self._proposal, glyphs_of(self), self._ground.ascii_only
        width, height = samples.size.width, samples.size.height
        counts.update(count_line(proposal, self._changed, seen=self._seen, all_of=len(self.scope.positions)))
        lines = [tag_line(proposal.tags, width, marks, ascii_only=ascii_only)] if proposal.tags else []
        for sample in proposal.samples:
            lines += sample_lines(sample, width, marks, ascii_only=ascii_only)
        lines += error_lines(proposal, width, marks, ascii_only=ascii_only)
        samples.update(Content("\n").join(lines[:height]))

    def _say(self, words: str) -> None:
        self.query_one(".counts", Static).update(literal(words, "$error"))


def _begins_one(start: str, text: str) -> bool:
    return any(word.startswith(start) for word in text.lower().split())
