"""What the keys do to scores on the captions screen: move thresholds, tick tags, choose taggers and rules, score images.

Nothing is written into captions before a tag is ticked or the tags are applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.worker import get_current_worker

from sdtui.dataset import tags
from sdtui.dataset.caption import tag_words
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.score_view import CaptionsScoreView
from sdtui.tui.captions.tagging_job import TaggingJob, usable
from sdtui.tui.key import Key
from sdtui.tui.screens.dialogs import Ask, Choose
from sdtui.tui.widgets.score_panel import LEAP, STEP, ScorePanel

if TYPE_CHECKING:
    from sdtui.tui.captions.score_desk import ScoreDesk, Setting

OF_OPEN_SCORES = {"captions.lower", "captions.higher", "captions.much_lower", "captions.much_higher"}
_OTHER = "\0"
_WHICH = "a folder or file, an id on the Hugging Face hub, or an address with --model"


class CaptionsScores(CaptionsScoreView):
    """Decides tags by scores, and ticks single ones."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._tagging: TaggingJob | None = None

    def offers(self, row: Key) -> bool:
        """The threshold is moved only while the scores are open."""
        return row.id not in OF_OPEN_SCORES or self.has_class("-scores")

    def action_side(self) -> None:
        """The scores are the side panel while they are open."""
        if self.has_class("-scores"):
            self._close_scores()
        else:
            super().action_side()

    def action_scores(self) -> None:
        """Open the scores, or take them into hand."""
        if self.model is None or not len(self.model.library):
            return
        self.add_class("-scores")
        self.panel.enter()
        if self.desk_here is None:
            self.panel.hold_keys(until_shown=True)
            self._read_scores()
        else:
            self._show_scores()
            self._count_scores()
            self._look_for_scores(self.desk_here)

    # -- wishes -------------------------------------------------------------------------------------------------------

    def on_score_panel_moved(self) -> None:
        """Another tag: its histogram, and its threshold where that is moved."""
        if self.desk is not None:
            self._show_scores()
            self._count_scores()

    def on_score_panel_wished(self, event: ScorePanel.Wished) -> None:
        """Do what a key in the panel says."""
        steps = {"lower": -STEP, "higher": STEP, "much_lower": -LEAP, "much_higher": LEAP}
        if event.deed in steps:
            self._step_threshold(steps[event.deed])
        elif event.deed == "next_image":
            self.images.action_down()
        elif event.deed == "previous_image":
            self.images.action_up()
        elif event.deed == "leave":
            self._close_scores()
        elif event.deed == "to_images":
            self._leave_scores()
        elif event.deed == "tick":
            self._tick_tag(event.tag)
        elif event.deed == "apply":
            self.action_apply_scores()
        elif event.deed == "undo":
            self.action_undo()
        elif event.deed == "redo":
            self.action_redo()
        elif event.deed == "score":
            self._ask_tagger("Score the images with:")
        elif self.desk is not None:
            self._set_rules(self.desk, event.deed, event.tag)

    def _leave_scores(self) -> None:
        """The keys to the images; where these are hidden, the scores close."""
        if self.has_class("-narrow"):
            self._close_scores()
        else:
            self.panel.leave()
            self.images.focus()

    def _set_rules(self, desk: ScoreDesk, deed: str, tag: str) -> None:
        if deed == "taggers":
            self._next_taggers(desk)
        elif deed == "rules":
            self._ask_rules(desk)
        elif tag:
            if deed == "this_tag":
                self._one_tag = not self._one_tag
            elif deed == "never":
                desk.never(tag)
            else:
                desk.usual(tag)
            self._changed_rules()

    def action_lower(self) -> None:
        """Lower the threshold."""
        self._step_threshold(-STEP)

    def action_higher(self) -> None:
        """Raise the threshold."""
        self._step_threshold(STEP)

    def action_much_lower(self) -> None:
        """Lower the threshold a lot."""
        self._step_threshold(-LEAP)

    def action_much_higher(self) -> None:
        """Raise the threshold a lot."""
        self._step_threshold(LEAP)

    def _step_threshold(self, by: float) -> None:
        if self.desk is None or not self.has_class("-scores"):
            self.say(f"{self._key('scores')} opens the scores")
            return
        self.desk.step(by, self.panel.tag if self._one_tag else "")
        self._changed_rules()

    def _next_taggers(self, desk: ScoreDesk) -> None:
        if len(desk.choices) == 1:
            self.say("only one tagger has scored these images")
            return
        whose = desk.choices[(desk.choices.index(desk.whose) + 1) % len(desk.choices)]
        self._look_by(desk, replace(desk.setting, taggers=whose.taggers, how=whose.how))

    def _look_by(self, desk: ScoreDesk, setting: Setting) -> None:
        """Read the scores again, of other taggers."""
        self._settings[str(desk.library.folder)] = setting.kept()
        self._read_scores()

    def _ask_rules(self, desk: ScoreDesk) -> None:
        from sdtui.tui.captions.rules_form import USUAL, RulesForm

        def setting_of(options: Mapping[str, str]) -> Setting:
            # Another way to find the threshold begins with what that finds.
            old = desk.setting.options
            same = all(options.get(name, USUAL) == old.get(name, USUAL) for name in ("preset", "threshold"))
            return replace(desk.setting, options=options, threshold=desk.setting.threshold if same else None)

        def use(options: dict[str, str] | None) -> None:
            if options is not None and desk is self.desk:
                desk.set(setting_of(options))
                self._changed_rules()

        self.app.push_screen(RulesForm(desk.setting.options, lambda options: desk.rules_by(setting_of(options))), use)

    def _tick_tag(self, tag: str) -> None:
        """Put the tag into the caption as the rules write it, or take it out."""
        desk = self.desk
        hand = self._editable()
        if desk is None or hand is None:
            return
        rows = desk.rows(hand.position, hand.text, self._count_for)
        row = next((row for row in rows if row.tag.name == tag), None)
        if row is None:
            return
        word = desk.written(row)
        there = [each for each in tag_words(hand.text) if desk.is_tag(each, tag)]
        text = hand.text
        for each in there:
            text = tags.remove(text, each)
        if not there:
            text = tags.add(text, word)
        self._change(hand, text, f"{'drop' if there else 'add'} {word}")

    def action_apply_scores(self) -> None:
        """Write the tags that the scores give, after a preview; whoever makes edits of many knows."""
        raise NotImplementedError

    # -- scoring images -----------------------------------------------------------------------------------------------

    def facts(self) -> Content:
        """While images are scored, how far that is."""
        if self._tagging is None:
            return super().facts()
        press = self.sdtui.keys.press("everywhere.close")
        # The first one closes the scores.
        press = f"{press} {press}" if self.has_class("-scores") else press
        words = f"{self._tagging.words}, {press} stops it"
        told, rest = Content.styled(words, "$accent"), super().facts()
        both = Content.assemble(told, (f" {self.sdtui.glyphs.dot} ", "$faint"), rest)
        return both if rest.plain and both.cell_length <= self._header_room else told

    def stop(self) -> None:
        """Call off an edit of many, else the tagger."""
        if self._tagging is None or self._under_way is not None:
            super().stop()
            return
        try:
            self._tagging.stop()
        except SdtuiError as error:
            self.sdtui.report(error)
        self.update_chrome()

    def _no_scores(self, model: CaptionsModel) -> None:
        """Say so, and offer to score them."""
        super()._no_scores(model)
        if model is self.model and self.has_class("-scores") and self.is_current and self._tagging is None:
            self._ask_tagger("No tagger has scored these images. Score them with:")

    def _ask_tagger(self, title: str) -> None:
        if self._tagging is not None:
            self.say(f"{self._tagging.words}; one tagger at a time")
        elif (model := self.model) is not None:
            choices = [(word, "the embedded tagger" if word == "starter" else word) for word in usable(model.folder)]
            self.app.push_screen(Choose(title, [*choices, (_OTHER, "another one ...", "o")]), self._chosen_tagger)

    def _chosen_tagger(self, word: str | None) -> None:
        if word == _OTHER:
            self.app.push_screen(Ask("Score the images with which tagger?", placeholder=_WHICH), self._chosen_tagger)
        elif word and word.strip():
            self._score(word.strip())

    def _score(self, word: str) -> None:
        """Start the tagger in a process of its own, and follow it in a thread."""
        model = self.model
        if model is None or self._tagging is not None:
            return
        job = self._tagging = TaggingJob(model.folder, word)

        def work() -> None:
            worker, words = get_current_worker(), ""
            trouble: SdtuiError | None = None
            try:
                words = job.follow_slowly(lambda: self._told_of_job() and not worker.is_cancelled)
            except SdtuiError as error:
                trouble = error
            # Without waiting for the screen: while it closes, it waits for this thread.
            self.call_later(self._job_ended, model, job, words, trouble)

        self.run_worker(work, thread=True, group="tagging", exit_on_error=False)
        self.update_chrome()
        if self.desk_here is None:
            self.panel.show_message("the images are being scored", "their tags show here when that is done")

    def _told_of_job(self) -> bool:
        """In the job's thread: show how far it is; False once the screen is gone."""
        if self.is_attached:
            self.call_later(self.update_chrome)
        return self.is_attached

    def _job_ended(self, model: CaptionsModel, job: TaggingJob, words: str, trouble: SdtuiError | None) -> None:
        self._tagging = None
        self.update_chrome()
        if trouble is not None:
            self.sdtui.report(trouble)
        elif words:
            self.say(words)
        if model is self.model and job.described and self.desk_here is None:
            self.panel.show_message("the images are described", "no tagger has scored them")
        elif model is self.model and (self.has_class("-scores") or self.desk is not None):
            self._read_scores()
