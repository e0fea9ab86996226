"""Captions: go through the images of a dataset, see each beside its caption, and set the caption right.

Every edit goes through the dataset's journal: written atomically, undone and redone across sessions, and refused where
another program changed the file meanwhile; the user then says which of the two texts stays. The parts are in
`sdtui.tui.captions`; here is what concerns the dataset as a whole: opening it, read-only, and edits of many captions.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType

from sdtui.dataset.bulk import Proposal
from sdtui.dataset.edit import Journal, Unfinished
from sdtui.dataset.operations import EDITS, Context
from sdtui.errors import SdtuiError, UserError
from sdtui.tui import keys
from sdtui.tui.captions.edit_form import APPLY, Chosen, Ground, Scope
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.operation_form import rewrite_of
from sdtui.tui.captions.operations import ChooseOperation, OperationForm
from sdtui.tui.captions.scores import CaptionsScores
from sdtui.tui.captions.tag_list import ACTIONS
from sdtui.tui.captions.task import Task
from sdtui.tui.captions.words import DONE, Note
from sdtui.tui.captions.writer import Edited
from sdtui.tui.numbers import count, grouped
from sdtui.tui.screens.dialogs import Choose
from sdtui.tui.widgets.caption_pane import CaptionPane

if TYPE_CHECKING:
    from sdtui.dataset.disk_watch import Seen

LOOK_SECONDS = 1.0
_ASKED = "you said so; {key} lets you edit again"
_CANNOT = "the folder cannot be written"


class CaptionsScreen(CaptionsScores):
    """The review screen of one dataset."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._last_verb = ""
        self._typed_before: dict[str, dict[str, str]] = {}
        self._cut_short: Unfinished | None = None
        self._looking = False

    def recall(self, state: dict[str, Any]) -> None:
        """Open what was open, and look at the disk from time to time; the edits that were made last are offered again."""
        super().recall(state)
        made = state.get("operations")
        if isinstance(made, dict):
            self._last_verb = str(made.get("last", ""))
            known = made.get("typed")
            self._typed_before = _checked(known) if isinstance(known, dict) else {}
        self.set_interval(LOOK_SECONDS, self._look_at_disk)

    def remember(self) -> dict[str, Any]:
        """Also the edits that were made last."""
        return {**super().remember(), "operations": {"last": self._last_verb, "typed": self._typed_before}}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key may do `action` now."""
        if action in ACTIONS and self.query_one(CaptionPane).busy:
            # While a caption or a tag is typed, nothing may happen behind the typist's back.
            return False
        return super().check_action(action, parameters)

    def _opened(self, left: dict[str, Any]) -> None:
        """See whether it may be written, and whether an edit was cut short in it."""
        model = self.model
        assert model is not None
        if not os.access(model.folder, os.W_OK):
            self.read_only = _CANNOT
        elif self.sdtui.read_only:
            self.read_only = self._asked_for
        else:
            self.read_only = ""
        super()._opened(left)
        self._cut_short = None
        self.run_worker(lambda: self._find_cut_short(model), thread=True, group="unfinished", exit_on_error=False)
        self.update_chrome()

    # -- what other programs do ---------------------------------------------------------------------------------------

    def _look_at_disk(self) -> None:
        """Also notice, in a thread, what became of all other captions."""
        super()._look_at_disk()
        model = self.model
        if model is not None and self.is_current and self._under_way is None and not self._looking:
            self._looking = True
            self.run_worker(lambda: self._look_around(model), thread=True, group="disk", exit_on_error=False)

    def _look_around(self, model: CaptionsModel) -> None:
        try:
            seen = model.writer.look_at_disk_slowly()
        except RuntimeError:
            return  # the dataset was closed meanwhile, and its thread takes no more work
        finally:
            self._looking = False
        if seen:
            self.app.call_from_thread(self._saw, model, seen)

    def _saw(self, model: CaptionsModel, seen: Seen) -> None:
        if model is not self.model:
            return
        if seen.captions:
            self.images.redraw()
            self._show_counts()
            self.update_chrome()
            self._recount()
        # The caption in hand says so itself.
        if others := [at for at in seen.captions if self.hand is None or at != self.hand.position]:
            self.say(f"{count(len(others), 'caption')} changed on disk: read again")
        if seen.images:
            self.say(f"images came or went in the folder; {self._key('reload')} reads it again", "warning")

    # -- read-only ----------------------------------------------------------------------------------------------------

    @property
    def _asked_for(self) -> str:
        return _ASKED.format(key=self._key("read_only"))

    def action_read_only(self) -> None:
        """Let nothing be changed, or let it be changed again."""
        if self.model is None or self._under_way is not None:
            return
        if not self.read_only:
            self.read_only = self._asked_for
        elif not os.access(self.model.folder, os.W_OK):
            self.read_only = _CANNOT
            self.say(f"read-only: {_CANNOT}", "warning")
        else:
            self.read_only = ""
        # A dataset that is opened next begins as this one is looked at now.
        self.sdtui.read_only = self.read_only == self._asked_for
        self.update_chrome()

    def _refuses_edits(self) -> bool:
        """Also while nobody said what becomes of an edit that was cut short."""
        if super()._refuses_edits():
            return True
        if self._cut_short is not None and self.model is not None:
            self._ask_cut_short(self.model, self._cut_short)
            return True
        return False

    # -- an edit that was cut short -----------------------------------------------------------------------------------

    def _find_cut_short(self, model: CaptionsModel) -> None:
        """In a thread: whether a killed process left an edit half done."""
        try:
            found = Journal.unfinished(model.folder)
        except SdtuiError as error:
            self.app.call_from_thread(self.sdtui.report, error)
            return
        if found is not None:
            self.app.call_from_thread(self._ask_cut_short, model, found)

    def _ask_cut_short(self, model: CaptionsModel, found: Unfinished) -> None:
        if model is not self.model:
            return
        if self.read_only:
            self.say(f"read-only: an edit that was cut short stays as it is: {found.label}", "warning")
            return
        self._cut_short = found
        verb = {"edit": "This edit", "undo": "The undo of this edit", "redo": "The redo of this edit"}[found.verb]
        done = f"{grouped(found.written)} of {count(found.files, 'caption')} done"
        title = f"{verb} was cut short, {done}:\n{found.label}"
        choices = [("finish", "finish it; undo takes it back whole", "f"), ("back", "take back what was done", "t")]

        def answer(choice: str | None) -> None:
            if choice is not None and model is self.model:
                self._settle(model, finish=choice == "finish")

        self.app.push_screen(Choose(title, choices), answer)

    def _settle(self, model: CaptionsModel, *, finish: bool) -> None:
        self._cut_short = None

        def settle() -> None:
            try:
                words = model.writer.recover_slowly(finish=finish)
            except SdtuiError as error:
                self.app.call_from_thread(self.sdtui.report, error)
                return
            self.app.call_from_thread(self._look_anew, Note(words, DONE))

        self.run_worker(settle, thread=True, group="unfinished", exit_on_error=False)

    # -- edits of many ------------------------------------------------------------------------------------------------

    def action_operations(self) -> None:
        """Choose an edit, see what it would do, and make it."""
        if self.model is None or self.hand is None or self._refuses_edits():
            return
        self.app.push_screen(ChooseOperation(self._last_verb), self._fill_in)

    def _fill_in(self, verb: str | None) -> None:
        model = self.model
        if verb is None or model is None:
            return

        ground = Ground(model.library, _context(model), model.offers, self.sdtui.settings.ascii)
        typed = self._typed_before.get(verb, {})
        self.app.push_screen(OperationForm(verb, typed, self._scopes(model), ground), self._apply)

    def action_apply_scores(self) -> None:
        """See what the scores would make of captions, and write that."""
        model, desk = self.model, self.desk_here
        if model is None or self.hand is None or self._refuses_edits():
            return
        if desk is None:
            self.say(f"no scores were read yet: {self._key('scores')} opens them")
            return
        from sdtui.tui.captions.apply_form import ApplyForm

        ground = Ground(model.library, _context(model), model.offers, self.sdtui.settings.ascii)
        form = ApplyForm(self._typed_before.get(APPLY, {}), self._scopes(model), ground, desk)
        self.app.push_screen(form, self._apply_scores)

    def _apply_scores(self, chosen: Chosen | None) -> None:
        desk = self.desk_here
        if chosen is None or desk is None or self._refuses_edits():
            return
        self._typed_before[chosen.verb] = chosen.typed
        positions, rules, undo = chosen.scope.positions, desk.rules, self._key("undo")
        from sdtui.tagging.applying import label_of
        from sdtui.tui.captions.apply_form import mode_in

        label = f"{label_of(rules, mode_in(chosen.typed))} ({chosen.scope.name})"

        def make(model: CaptionsModel, task: Task) -> Edited:
            from sdtui.models import tokens
            from sdtui.tagging.applying import propose_tags

            def work(reading: Iterable[int]) -> Proposal:
                found = propose_tags(
                    model.library,
                    reading,
                    desk.images,
                    rules,
                    mode_in(chosen.typed),
                    count_tokens=tokens.count,
                    samples=0,
                )
                return replace(found, label=label)

            edited = model.writer.make_slowly(positions, work, task)
            # What comes and goes is counted from here.
            desk.before = rules
            return edited

        self._make(label, lambda of: f"{label}: {of} captions changed, {undo} takes it back", make)

    def _scopes(self, model: CaptionsModel) -> list[Scope]:
        """Of which images an edit may be made: those that were chosen somehow come first."""
        scopes = [Scope("marked", sorted(model.marked))] if model.marked else []
        if not isinstance(model.view, range):
            scopes.append(Scope("listed", model.view))
        scopes.append(Scope("all", range(len(model.library))))
        return [*scopes, Scope("this image", [self.hand.position])] if self.hand is not None else scopes

    def _apply(self, chosen: Chosen | None) -> None:
        if chosen is None or self.model is None:
            return
        self._last_verb = chosen.verb
        self._typed_before[chosen.verb] = chosen.typed
        try:
            rewrite, label = rewrite_of(chosen.verb, chosen.typed, _context(self.model))
        except UserError as error:
            self.say(str(error), "error")
            return
        if not self._refuses_edits():
            undo = self._key("undo")
            self.edit_many(
                chosen.scope.positions,
                rewrite,
                lambda of: f"{label}: {of} captions changed, {undo} takes it back",
                f"{label} ({chosen.scope.name})",
            )


def _context(model: CaptionsModel) -> Context:
    """What an edit may have to know, found out when it asks, in whichever thread that is."""

    def tag_counts() -> dict[str, int]:
        model.count_slowly()
        return model.known.index.tag_counts()

    def count_tokens(text: str) -> int:
        from sdtui.models import tokens

        return tokens.count(text)

    return Context(tag_counts, count_tokens)


def _checked(known: dict[Any, Any]) -> dict[str, dict[str, str]]:
    """What was typed into which edit's fields, as far as it is that."""
    return {
        verb: {str(name): str(value) for name, value in typed.items()}
        for verb, typed in known.items()
        if (verb in EDITS or verb == APPLY) and isinstance(typed, dict)
    }
