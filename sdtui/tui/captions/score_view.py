"""Scores of taggers as the captions screen shows them: a panel in place of the tag counts that follows the image in hand.

They are looked up and counted in threads; the tags of one image are decided as it comes into hand.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.worker import Worker, get_current_worker

from sdtui.dataset.edit import StoppedError
from sdtui.errors import SdtuiError, UserError
from sdtui.tui import keys
from sdtui.tui.captions.editing import CaptionsEditing
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.schemes import ORIGIN, SCORES, Ground
from sdtui.tui.captions.tag_list import ACTIONS
from sdtui.tui.captions.words import Note
from sdtui.tui.captions.writing import Unsaved
from sdtui.tui.key import Key
from sdtui.tui.literal import clean
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.score_panel import Outcome, ScorePanel

if TYPE_CHECKING:
    from sdtui.tagging.origins import Origins
    from sdtui.tui.captions.score_desk import ScoreDesk

# How often looking images up says how far it is, in seconds.
TELL_SECONDS = 0.25
# Datasets whose settings are remembered.
REMEMBERED = 50


class CaptionsScoreView(CaptionsEditing):
    """Reads scores and shows what is decided by them; what its keys do is in the classes after it."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]
    DEFAULT_CSS = """
    CaptionsScoreView {
        & ScorePanel { display: none; width: 46; border-left: solid $faint; }
        &.-scores ScorePanel { display: block; }
        &.-scores TagPanel { display: none; }
        &.-narrow.-scores #images { display: none; }
        &.-wide ScorePanel { width: 62; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.desk: ScoreDesk | None = None
        self._desk_of: CaptionsModel | None = None
        # Whose threshold is moved: this tag's alone, or that of all.
        self._one_tag = False
        self._settings: dict[str, Any] = {}
        self._origins: Origins | None = None

    def recall(self, state: dict[str, Any]) -> None:
        """Also by what the tags of each dataset were decided."""
        kept = state.get("scores")
        self._settings = dict(kept) if isinstance(kept, dict) else {}
        super().recall(state)

    def remember(self) -> dict[str, Any]:
        """Also that."""
        return {**super().remember(), "scores": self._settings}

    # -- who has the keys ---------------------------------------------------------------------------------------------

    @property
    def panel(self) -> ScorePanel:
        """The panel of scores."""
        return self.query_one(ScorePanel)

    @property
    def desk_here(self) -> ScoreDesk | None:
        """The scores of the dataset that is open, once they are read."""
        return self.desk if self._desk_of is self.model else None

    @property
    def _in_scores(self) -> bool:
        return self.panel.has_focus_within

    def contexts(self) -> list[str]:
        """While the scores have the keys, their own, without the screen's."""
        contexts = super().contexts()
        if not self._in_scores or contexts[0] in keys.TYPING:
            return contexts
        return ["scores", *(context for context in contexts if context not in {"scores", self.KEY_CONTEXT})]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the scores have the keys, the screen's own wait."""
        if action in ACTIONS and self._in_scores:
            return False
        return super().check_action(action, parameters)

    def hints(self) -> list[Key]:
        """The key of the side panel closes the scores while they are open, as others do."""
        rows = super().hints()
        return [row for row in rows if row.action != "side"] if self.has_class("-scores") else rows

    def go_back(self) -> bool:
        """Close the scores if they are open."""
        if super().go_back():
            return True
        if self.has_class("-scores"):
            self._close_scores()
            return True
        return False

    def _close_scores(self) -> None:
        self.panel.leave()
        self.remove_class("-scores")
        self.images.focus()
        self.update_chrome()

    # -- reading them -------------------------------------------------------------------------------------------------

    def _read_scores(self) -> None:
        model = self.model
        if model is None:
            return
        raw = self._settings.get(str(model.folder))
        self.panel.show_message("reading the scores")
        self.run_worker(
            lambda: self._load_desk(model, raw), thread=True, group="scores", exclusive=True, exit_on_error=False
        )

    def _look_for_scores(self, desk: ScoreDesk) -> None:
        """In a thread: read them again if another sdtui has scored images meanwhile."""

        def look() -> None:
            from sdtui.tagging.scores import taggers
            from sdtui.tui.captions.score_desk import state_of

            if state_of(taggers(desk.library.folder)) != list(desk.state):
                self.call_later(lambda: self._read_scores() if desk is self.desk_here else None)

        self.run_worker(look, thread=True, group="state", exclusive=True, exit_on_error=False)

    def _load_desk(self, model: CaptionsModel, raw: object) -> None:
        """In a thread: look up the images, by what was set the last time."""
        from sdtui.tagging.scores import taggers
        from sdtui.tui.captions.score_desk import ScoreDesk, Setting

        worker = get_current_worker()
        try:
            found = taggers(model.folder)
            if not found:
                self.app.call_from_thread(self._no_scores, model)
                return
            setting, told = Setting.recalled(raw), self._teller(worker, len(model.library))
            try:
                desk = ScoreDesk.load_slowly(model.library, found, setting, told)
            except UserError as error:
                # Lists of tags, or taggers, may have gone since.
                self.app.call_from_thread(self.say, f"{error}; the usual rules hold", "warning")
                desk = ScoreDesk.load_slowly(model.library, found, Setting(), told)
        except StoppedError:
            return
        except SdtuiError as error:
            self.app.call_from_thread(self._cannot_read, error)
            return
        self.app.call_from_thread(self._have_desk, model, desk)

    def _teller(self, worker: Worker[None], images: int) -> Any:
        """What is told of each image that was looked up."""
        next_time = time.monotonic() + TELL_SECONDS

        def told(done: int) -> None:
            nonlocal next_time
            if worker.is_cancelled:
                raise StoppedError("the scores are not wanted any more")
            if time.monotonic() > next_time:
                next_time = time.monotonic() + TELL_SECONDS
                words = f"looking up image {grouped(done)} of {grouped(images)}"
                self.app.call_from_thread(self.panel.show_message, words)

        return told

    def _have_desk(self, model: CaptionsModel, desk: ScoreDesk) -> None:
        if model is self.model:
            self.desk, self._desk_of = desk, model
            self._changed_rules()

    def _cannot_read(self, error: SdtuiError) -> None:
        self.panel.hold_keys(until_shown=False)
        self.panel.show_message("the scores cannot be read", clean(error.message))
        self.sdtui.report(error)

    def _no_scores(self, model: CaptionsModel) -> None:
        if model is self.model:
            self.panel.hold_keys(until_shown=False)
            press = self.sdtui.keys.press("scores.score")
            self.panel.show_message("no tagger has scored these images", f"{press} scores them")

    def _close_model(self) -> None:
        """Scores of one dataset are nothing in another."""
        self.desk = self._desk_of = self._origins = None
        self._one_tag = False
        if self.has_class("-scores"):
            self._close_scores()
        super()._close_model()

    # -- what is shown ------------------------------------------------------------------------------------------------

    def _show_hand(self) -> None:
        """The scores follow the image in hand."""
        super()._show_hand()
        if self.has_class("-scores"):
            self._show_scores()

    def _count_for(self, text: str) -> int:
        return self._count_tokens(text) or 0

    def _show_scores(self) -> None:
        desk, hand, panel = self.desk, self.hand, self.panel
        if desk is None or hand is None:
            return
        standing = "" if desk.images.has_scores[hand.position] else "this image has no scores"
        rows = desk.rows(hand.position, hand.text, self._count_for) if not standing else []
        before = panel.tag
        panel.show(rows, standing)
        panel.show_title(self._threshold_line(desk), desk.whose.words, desk.needed(panel.tag))
        if before and panel.tag != before:
            # The image has not the tag that the cursor was on: the histogram is another's, too.
            self._count_scores()

    def _threshold_line(self, desk: ScoreDesk) -> Content:
        marks, tag = self.sdtui.glyphs, self.panel.tag
        if self._one_tag and tag:
            word = clean(tag, ascii_only=self.sdtui.settings.ascii)
            return Content.assemble((f"{word} ", "bold $warning"), (f"{desk.needed(tag):.2f}", "bold $strong"))
        words = "the largest gap" if desk.rules.mcut else f"{desk.rules.threshold:.2f}"
        own = f" {marks.dot} {len(desk.rules.tags)} own" if desk.rules.tags else ""
        return Content.assemble(("threshold ", "$accent"), (words, "bold $strong"), (own, "$soft"))

    def _recount(self) -> None:
        """Another list of images: other totals."""
        super()._recount()
        if self.has_class("-scores"):
            self._count_scores()

    def _count_scores(self) -> None:
        """In a thread: what it comes to over the list; the last question wins."""
        model, desk = self.model, self.desk
        if model is None or desk is None or self._desk_of is not model:
            return
        view, tag = model.view, self.panel.tag

        def work() -> None:
            worker = get_current_worker()
            for outcome in desk.outcomes_slowly(view, tag, lambda: worker.is_cancelled, self._count_for):
                if worker.is_cancelled:
                    return
                self.app.call_from_thread(self._counted, desk, outcome)

        self.run_worker(work, thread=True, group="totals", exclusive=True, exit_on_error=False)

    def _counted(self, desk: ScoreDesk, outcome: Outcome) -> None:
        if desk is self.desk:
            self.panel.show_outcome(outcome)

    def _changed_rules(self) -> None:
        """Tags are decided otherwise now: show that, and remember it."""
        if self.desk is not None and self.model is not None:
            folder = str(self.model.folder)
            self._settings.pop(folder, None)
            self._settings[folder] = self.desk.setting.kept()
            for oldest in list(self._settings)[:-REMEMBERED]:
                del self._settings[oldest]
        self._draw_again()
        self._count_scores()

    def _ground(self) -> Ground:
        """Schemes of colours may ask for scores, too."""
        ground, desk, hand = super()._ground(), self.desk_here, self.hand
        if hand is not None and hand.caption is not None and self._origins is not None and self._scheme.name == ORIGIN:
            from sdtui.tagging.applying import plain

            theirs = self._origins.of(hand.caption.path)
            ground = replace(ground, from_tagger=lambda tag: plain(tag) in theirs)
        if desk is None or hand is None:
            return ground
        if desk.images.has_scores[hand.position]:
            return replace(ground, score_of=desk.score_of(hand.position, hand.text, self._count_for))
        return ground

    def action_colours(self) -> None:
        """Also read the scores, if the colours are about them."""
        super().action_colours()
        self._read_for_colours()

    def _opened(self, left: dict[str, Any]) -> None:
        """The same."""
        super()._opened(left)
        self._read_for_colours()

    def _read_for_colours(self) -> None:
        if self._scheme.name in {SCORES, ORIGIN} and self._desk_of is not self.model:
            self._read_scores()
        self._read_origins()

    def _read_origins(self) -> None:
        """In a thread, while the colours are about that: what edits since the last time say of where tags came from."""
        model = self.model
        if model is None or self._scheme.name != ORIGIN:
            return

        def work() -> None:
            from sdtui.tagging.origins import Origins

            worker, origins = get_current_worker(), self._origins or Origins(model.folder)
            try:
                news = origins.read_slowly(lambda: worker.is_cancelled)
            except SdtuiError as error:
                self.call_later(self.say, str(error), "warning")
                return
            if news or self._origins is not origins:
                self.call_later(self._have_origins, model, origins)

        self.run_worker(work, thread=True, group="origins", exclusive=True, exit_on_error=False)

    def _have_origins(self, model: CaptionsModel, origins: Origins) -> None:
        if model is self.model:
            self._origins = origins
            self._draw_again()

    def _written(self, model: CaptionsModel, what: Unsaved, error: Exception | None) -> None:
        """An edit more."""
        super()._written(model, what, error)
        self._read_origins()

    def _look_anew(self, note: Note) -> None:
        """The same, of many captions."""
        super()._look_anew(note)
        self._read_origins()
