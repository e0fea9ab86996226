"""A form with a preview: what an edit of many captions would do, worked out anew while its fields are filled in.

The preview is made in a thread, first for the captions at the front, then for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import Worker, get_current_worker

from sdtui.dataset.bulk import Proposal
from sdtui.dataset.changes import Changes
from sdtui.dataset.edit import StoppedError
from sdtui.dataset.library import Library
from sdtui.dataset.operations import Context
from sdtui.errors import SdtuiError, UserError
from sdtui.tui.captions.fields import FormLine, FormRow, TurnField
from sdtui.tui.captions.fields_form import FieldsForm
from sdtui.tui.captions.preview import count_line, error_lines, sample_lines, tag_line
from sdtui.tui.captions.task import Task
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, fit, literal
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.tag_input import Offering

# Rest after a key before the preview is made, in seconds.
PREVIEW_DELAY = 0.12
# Captions that the first preview is made of: a few hundredths of a second.
FIRST = 500
# The name of applying a tagger's scores, among those of the edits.
APPLY = "tags by scores"
Entry = FormLine | TurnField


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


class EditForm(FieldsForm[Chosen]):
    """Fields, of which images, and what the edit would do; dismisses with what was chosen, or None.

    Subclasses say in `_check` what is wrong with the fields, and in `_propose` what the edit would do.

    Args:
        name: the edit.
        title: what it does.
        entries: the fields by name.
        scopes: the images it may be made of, the likeliest first.
        ground: what it works on.
    """

    DEFAULT_CSS = """
    EditForm {
        & > .frame { width: 116; height: 92%; }
        & .help { height: 1; color: $soft; }
        & .counts { height: auto; max-height: 4; }
        & .samples { height: 1fr; }
    }
    """

    def __init__(
        self, name: str, title: str, entries: Mapping[str, Entry], scopes: Sequence[Scope], ground: Ground
    ) -> None:
        super().__init__()
        self._verb = name
        self._heading = title
        self._entries = dict(entries)
        self._scopes = list(scopes)
        self._ground = ground
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
        with Vertical(classes="frame"):
            yield Static(literal(self._heading), classes="title")
            for name, entry in self._entries.items():
                yield FormRow(name.replace("_", " "), entry)
            yield FormRow("images", self._scope)
            yield Static("", classes="help", markup=False)
            yield Static("", classes="counts", markup=False)
            yield Static("", classes="samples", markup=False)
            yield self.ways("apply")

    def on_mount(self) -> None:
        """The first preview."""
        self._preview_soon()

    def _check(self) -> None:
        """Raise UserError if the fields cannot be used."""
        raise NotImplementedError

    def _propose(self, typed: Mapping[str, str], positions: Iterable[int]) -> Proposal:
        """In a thread: what the edit would do; with `SAMPLES` and counted tags."""
        raise NotImplementedError

    @property
    def typed(self) -> dict[str, str]:
        """What stands in the fields."""
        return {name: entry.value for name, entry in self._entries.items()}

    @property
    def scope(self) -> Scope:
        """The chosen images."""
        return self._scopes[self._scope.at]

    def on_descendant_focus(self) -> None:
        """What belongs into the line under the cursor, also while something stands in it."""
        field, line = self.focused, self.query_one(".help", Static)
        words = clean(field.placeholder) if isinstance(field, FormLine) else ""
        line.update(literal(fit(words, line.size.width or self.size.width, glyphs_of(self).ellipsis)))

    def on_input_changed(self) -> None:
        """Another preview."""
        self._preview_soon()

    def on_turn_field_turned(self) -> None:
        """Another preview."""
        self._preview_soon()

    def on_resize(self) -> None:
        """More or less room for the preview."""
        self.call_after_refresh(self._draw)

    def action_accept(self) -> None:
        """Make the edit, if it can be made and does anything."""
        try:
            self._check()
        except UserError as error:
            self._say(str(error))
            return
        if self._trouble or (self._is_whole and not self._changed):
            self._say(self._trouble or "nothing would change: nothing to apply")
            return
        self.dismiss(Chosen(self._verb, self.typed, self.scope))

    @property
    def _is_whole(self) -> bool:
        """Whether the preview is of all images of the scope."""
        return self._proposal is not None and self._seen == len(self.scope.positions)

    # -- the preview --------------------------------------------------------------------------------------------------

    def _preview_soon(self) -> None:
        # What is known is of other fields: enter must not refuse, or fail, by it.
        self._proposal, self._changed, self._seen, self._trouble = None, 0, 0, ""
        self.workers.cancel_group(self, "preview")
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PREVIEW_DELAY, self._preview)

    def _preview(self) -> None:
        verb, typed, positions = self._verb, self.typed, self.scope.positions

        def show(worker: Worker[None], proposal: Proposal | None, changed: int, seen: int, trouble: str) -> None:
            # Here and not in the thread: a key may be pressed before the app takes it.
            if not worker.is_cancelled:
                self._previewed(proposal, changed, seen, trouble)

        def work() -> None:
            worker = get_current_worker()
            task = Task(verb)

            def wanted(some: Sequence[int]) -> Iterator[int]:
                for position in task.reading(some):
                    if worker.is_cancelled:
                        task.stop()
                    yield position

            try:
                for some in [positions[:FIRST], positions][len(positions) <= FIRST :]:
                    proposal = self._propose(typed, wanted(some))
                    changed = len(proposal.changes)
                    shown = replace(proposal, changes=Changes(self._ground.library.folder), positions=())
                    self.app.call_from_thread(show, worker, shown, changed, len(some), "")
            except StoppedError:
                return
            except SdtuiError as error:
                self.app.call_from_thread(show, worker, None, 0, 0, str(error))

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
