"""Edits of many captions from the screen: in the background with progress, called off with esc; undo, redo, the history.

Each is one operation of the journal. While one goes on no other edit begins, but one may look at everything.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from textual.binding import BindingType

from sdtui.dataset.conflict import Choice, Conflict
from sdtui.dataset.edit import ConflictError, Operation, StoppedError, Summary
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.conflicts import ask_all, ask_file
from sdtui.tui.captions.history import History, Wanted
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.task import Task
from sdtui.tui.captions.words import DONE, Note
from sdtui.tui.captions.writer import Edited
from sdtui.tui.captions.writing import CaptionsWriting
from sdtui.tui.numbers import count, grouped
from sdtui.tui.screens.dialogs import Choose

# How often the header tells of progress, in seconds.
TICK = 0.2
Steps = Callable[[CaptionsModel, Task, dict[Any, Choice]], Operation | None]


class CaptionsBulk(CaptionsWriting):
    """Makes edits of many captions and steps through those that were made."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        # What is to be done when the edit that is under way has ended: leave the program.
        self._then: Callable[[], None] | None = None

    def has_unwritten(self) -> bool:
        """An edit of many that is under way would hold the program's end up unseen."""
        return self._under_way is not None or super().has_unwritten()

    def ask_before_leaving(self, leave: Callable[[], None]) -> None:
        """Ask whether to wait for it or to call it off."""
        task = self._under_way
        if task is None:
            super().ask_before_leaving(leave)
            return
        title = f"{task.label}\nis still under way: {task.words}."
        choices = [("", "stay", "n"), ("wait", "quit when it is done", "w"), ("stop", "call it off and quit", "c")]

        def answer(choice: str | None) -> None:
            if not choice:
                return
            if self._under_way is None:
                leave()
                return
            self._then = leave
            if choice == "stop":
                task.stop()

        self.app.push_screen(Choose(title, choices), answer)

    @property
    def takes_keys(self) -> bool:
        """Not in the moment that an undo takes: the next key waits for it instead of being refused."""
        return super().takes_keys and not (self._under_way is not None and self._under_way.just_begun)

    def stop(self) -> None:
        """Call off the edit of many that is under way."""
        if self._under_way is not None:
            self._under_way.stop()
        else:
            super().stop()

    def _start(self, label: str, work: Callable[[CaptionsModel, Task], None]) -> None:
        """Do `work` in a thread, telling of its progress; `_finish` ends it."""
        model = self.model
        if model is None:
            return
        task = self._under_way = Task(label)
        self._pending += 1
        self.run_worker(lambda: work(model, task), thread=True, group="bulk", exit_on_error=False)
        self._tick()

    def _tick(self) -> None:
        if self._under_way is not None:
            self.update_chrome()
            self.set_timer(TICK, self._tick)

    def _finish(self) -> None:
        self._under_way = None
        self._pending -= 1
        self.update_chrome()
        if self._then is not None:
            self.call_after_refresh(self._then)
            self._then = None

    # -- edits --------------------------------------------------------------------------------------------------------

    def edit_marked(self, edit: Callable[[str], str], said: Callable[[str], str], label: str) -> None:
        """Edit the caption of every marked image as one operation.

        Args:
            edit: the new text of a caption; may raise UserError.
            said: the sentence about what was done, given "12 of 14 marked".
            label: the operation's name, for undo.
        """
        if self.model is not None and not self._refuses_edits():
            marked = sorted(self.model.marked)
            named = f"{label} ({count(len(marked), 'marked image')})"
            self.edit_many(marked, edit, lambda numbers: said(f"{numbers} marked"), named)

    def edit_many(
        self, positions: Sequence[int], edit: Callable[[str], str], said: Callable[[str], str], label: str
    ) -> None:
        """Edit the captions at `positions` as one operation; `said` makes a sentence of "12 of 14"."""
        self._make(label, said, lambda model, task: model.writer.edit_many_slowly(positions, edit, label, task))

    def restore_originals(self) -> None:
        """Put back what all captions were before the first recorded edit, as one operation."""
        label = "restore the originals"
        everything = range(len(self.model.library)) if self.model is not None else ()
        self._make(
            label,
            lambda numbers: f"{numbers} captions are as they were before the first recorded edit",
            lambda model, task: model.writer.restore_slowly(everything, label, task),
        )

    def _make(self, label: str, said: Callable[[str], str], make: Callable[[CaptionsModel, Task], Edited]) -> None:
        def work(model: CaptionsModel, task: Task) -> None:
            edited: Edited | None = None
            trouble: SdtuiError | None = None
            try:
                edited = make(model, task)
            except SdtuiError as error:
                trouble = error
            finally:
                # Without waiting for the screen: while it closes, it waits for this thread.
                self.call_later(self._made, model, edited, said, trouble)

        self._start(label, work)

    def _made(
        self, model: CaptionsModel, edited: Edited | None, said: Callable[[str], str], trouble: SdtuiError | None
    ) -> None:
        self._finish()
        if edited is not None:
            self.say(_outcome(said, edited))
            self._has_saved = self._has_saved or bool(edited.changed)
        elif isinstance(trouble, StoppedError):
            self.say(trouble.message, "warning")
        else:
            self.say(str(trouble or "the captions could not be written"), "error")
        if model is self.model:
            self._look_anew(Note("saved", DONE) if edited is not None and edited.changed else Note())

    # -- undo and history ---------------------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Undo the newest edit of the dataset."""
        self._step(back=True)

    def action_redo(self) -> None:
        """Redo what was undone last."""
        self._step(back=False)

    def _step(self, *, back: bool) -> None:
        nothing = "nothing to undo" if back else "nothing to do again"
        verb = "undone" if back else "done again"

        def step(model: CaptionsModel, task: Task, chosen: dict[Any, Choice]) -> Operation | None:
            return model.writer.step_slowly(back=back, choose=_by_path(chosen), task=task)

        if not self._refuses_edits():
            self._walk("undo" if back else "redo", step, lambda operation: f"{verb}: {operation.label}", nothing, {})

    def action_history(self) -> None:
        """All recorded edits, to look at and to go back to."""
        if self.model is None or self._under_way is not None:
            self._refuses_edits()
            return
        model = self.model

        def read() -> None:
            try:
                rows = model.writer.history_slowly()
            except SdtuiError as error:
                self.app.call_from_thread(self.say, str(error), "error")
                return
            self.app.call_from_thread(self._show_history, model, rows)

        self.run_worker(read, thread=True, group="history", exclusive=True, exit_on_error=False)

    def _show_history(self, model: CaptionsModel, rows: list[Summary]) -> None:
        if model is not self.model or not self.is_current:
            return
        if not rows:
            self.say("no edit has been recorded yet")
            return
        labels = {row.number: row.label for row in rows}
        self.app.push_screen(
            History(rows, model.writer.operation_slowly, ascii_only=self.sdtui.settings.ascii),
            lambda wanted: self._go_in_history(wanted, labels),
        )

    def _go_in_history(self, wanted: Wanted | None, labels: Mapping[int, str]) -> None:
        if wanted is None or self._refuses_edits():
            return
        if wanted.restore:
            self.restore_originals()
            return

        def walk(model: CaptionsModel, task: Task, chosen: dict[Any, Choice]) -> Operation | None:
            return model.writer.go_to_slowly(wanted.number, _by_path(chosen), task)

        where = f"after: {labels[wanted.number]}" if wanted.number else "before the first recorded edit"
        self._walk("history", walk, lambda _operation: f"now {where}", "nothing to do", {})

    def _walk(
        self, label: str, step: Steps, said: Callable[[Operation], str], nothing: str, chosen: dict[Any, Choice]
    ) -> None:
        """Undo or redo in a thread; captions that another program changed are asked about, and `chosen` says for which."""

        def work(model: CaptionsModel, task: Task) -> None:
            operation: Operation | None = None
            trouble: SdtuiError | None = None
            at: list[int] = []
            try:
                operation = step(model, task, chosen)
                first = itertools.islice(operation.changes, 1) if operation else ()
                at = model.writer.positions_of([change.path for change in first])
            except SdtuiError as error:
                trouble = error
            finally:
                note = Note(said(operation), DONE) if operation is not None else Note("" if trouble else nothing)
                self.call_later(self._walked, model, at[:1], note, trouble, ask_again)

        def ask_again(error: ConflictError) -> None:
            tried = any(choice == "merge" for choice in chosen.values())

            def answered(more: dict[Any, Choice]) -> None:
                self._walk(label, step, said, nothing, {**chosen, **more})

            self._ask_conflicts(str(error.message).partition(": changed on disk")[0], error.conflicts, tried, answered)

        self._start(label, work)

    def _walked(
        self,
        model: CaptionsModel,
        at: list[int],
        note: Note,
        trouble: SdtuiError | None,
        ask_again: Callable[[ConflictError], None],
    ) -> None:
        """Go to an image that changed and say what was done, or ask what to do."""
        self._finish()
        if model is not self.model:
            return
        if at:
            self._go_to(at[0])
        self._look_anew(note)
        if isinstance(trouble, ConflictError):
            ask_again(trouble)
        elif trouble is not None:
            self.say(trouble.message if isinstance(trouble, StoppedError) else str(trouble), "error")

    def _look_anew(self, note: Note) -> None:
        """Rows, counts and the caption in hand as they are on disk now."""
        self._read_again(note)
        self.images.redraw()
        self._recount()

    # -- captions that another program changed ------------------------------------------------------------------------

    def _ask_conflicts(
        self,
        what: str,
        conflicts: Sequence[Conflict],
        tried: bool,
        answered: Callable[[dict[Any, Choice]], None],
    ) -> None:
        """Ask for all of them at once, or for one after the other; without an answer nothing is done."""
        ascii_only = self.sdtui.settings.ascii

        def answer(choice: str | None) -> None:
            if choice == "each":
                self._ask_one_by_one(list(conflicts), 0, tried, {}, answered)
            elif choice is not None:
                answered({conflict.path: choice for conflict in conflicts})  # type: ignore[misc]  # the dialog's words are
            else:
                self.say("left as it is: nothing was written", "warning")

        self.app.push_screen(ask_all(what, conflicts, merged=tried, ascii_only=ascii_only), answer)

    def _ask_one_by_one(
        self,
        conflicts: list[Conflict],
        at: int,
        tried: bool,
        so_far: dict[Any, Choice],
        answered: Callable[[dict[Any, Choice]], None],
    ) -> None:
        if at == len(conflicts):
            answered(so_far)
            return

        def answer(choice: str | None) -> None:
            if choice is None:
                self.say("left as it is: nothing was written", "warning")
            else:
                chosen = {**so_far, conflicts[at].path: choice}
                self._ask_one_by_one(conflicts, at + 1, tried, chosen, answered)  # type: ignore[arg-type]

        place = f"{at + 1} of {len(conflicts)}"
        dialog = ask_file(conflicts[at], place, self.sdtui.glyphs, merged=tried, ascii_only=self.sdtui.settings.ascii)
        self.app.push_screen(dialog, answer)


def _by_path(chosen: dict[Any, Choice]) -> Callable[[Conflict], Choice | None]:
    return lambda conflict: chosen.get(conflict.path)


def _outcome(said: Callable[[str], str], edited: Edited) -> str:
    words = said(f"{grouped(edited.changed)} of {grouped(edited.images)}")
    left = f"{count(edited.unreadable, 'caption')} cannot be read and stayed as they are" if edited.unreadable else ""
    return "\n".join(filter(None, [words, left]))
