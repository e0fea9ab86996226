"""Edits of many captions in two dialogs: choose one by name, then fill in its parameters and see what it would do.

What the form shows of an edit is `edit_form`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from sdtui.dataset.bulk import Proposal, propose
from sdtui.dataset.operations import EDITS
from sdtui.tui.captions.edit_form import EditForm, Ground, Scope
from sdtui.tui.captions.fields import FormLine, entry_for
from sdtui.tui.captions.operation_form import fields_of, rewrite_of
from sdtui.tui.captions.preview import SAMPLES
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import fit, literal
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList

_VERB = 13
# Parameters that are tags, for which some are offered.
_TAGS = frozenset({"tag", "tags", "old", "new", "word", "keep"})


class ChooseOperation(ModalScreen[str]):
    """All edits with what they do; dismisses with the name of one, or None."""

    KEY_CONTEXT: ClassVar[str] = "typing"
    AUTO_FOCUS = "LineInput"
    DEFAULT_CSS = """
    ChooseOperation {
        align: center middle; background: $background 60%;
        & > .frame { width: 84; max-width: 96%; height: 22; max-height: 96%; background: $surface; padding: 1 2; }
        & LineInput { background: $background; margin-bottom: 1; }
        & LineList { height: 1fr; background: $surface; }
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

    def on_line_list_moved(self) -> None:
        """The command that does the same."""
        self._show_example()

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
        self._show_example()

    def _show_example(self) -> None:
        at = self.query_one(LineList).cursor
        # The row under the cursor may be another edit than before without that the cursor moved.
        words = (
            literal(EDITS[self._found[at]].example) if 0 <= at < len(self._found) else Content("no edit is called so")
        )
        self.query_one(".example", Static).update(words)

    def _row(self, index: int, width: int) -> Content:
        verb = self._found[index]
        words = fit(EDITS[verb].summary, max(0, width - _VERB), glyphs_of(self).ellipsis)
        return Content.assemble((f"{verb:<{_VERB}}", "$strong"), (words, "$soft"))


class OperationForm(EditForm):
    """The parameters of one edit.

    Args:
        verb: the edit.
        typed: what was in its fields the last time.
        scopes: the images it may be made of, the likeliest first.
        ground: what it works on.
    """

    def __init__(self, verb: str, typed: Mapping[str, str], scopes: Sequence[Scope], ground: Ground) -> None:
        entries = {field.name: entry_for(field, typed.get(field.name)) for field in fields_of(verb)}
        super().__init__(verb, f"{verb}: {EDITS[verb].summary}", entries, scopes, ground)

    def on_mount(self) -> None:
        """Tags are offered where one is asked for."""
        for name, entry in self._entries.items():
            if name in _TAGS and isinstance(entry, FormLine):
                entry.offering = self._ground.offering
        super().on_mount()

    def _check(self) -> None:
        rewrite_of(self._verb, self.typed, self._ground.context)

    def _propose(self, typed: Mapping[str, str], positions: Iterable[int]) -> Proposal:
        rewrite, label = rewrite_of(self._verb, typed, self._ground.context)
        return propose(self._ground.library, positions, rewrite, label, samples=SAMPLES, count_tags=True)


def _begins_one(start: str, text: str) -> bool:
    return any(word.startswith(start) for word in text.lower().split())
