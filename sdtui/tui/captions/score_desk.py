"""The stored scores of the dataset on the screen: whose count, by which rules, and what that comes to.

The tags of one image are decided at once. What concerns the whole list is worked out in threads, one question at a time, and
a question that is out of date by its turn is passed over. Scores stay in the files they lie in until they are asked for.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, get_args

import numpy as np

from sdtui.dataset.caption import tag_words
from sdtui.dataset.library import Library
from sdtui.tagging.applying import plain
from sdtui.tagging.combine import How
from sdtui.tagging.decide import CountTokens, decide, written
from sdtui.tagging.rule_words import rules_of
from sdtui.tagging.rules import Rules
from sdtui.tagging.scored_images import ScoredImages, Told
from sdtui.tagging.scores import Scores
from sdtui.tagging.survey import Counted, Survey, Totals, counting
from sdtui.tagging.tag_list import TagList, key
from sdtui.tagging.threshold import Scored, Thresholds
from sdtui.tui.captions.rules_form import words_in
from sdtui.tui.captions.schemes import Score
from sdtui.tui.widgets.score_panel import BINS, Outcome, Row

# Changed tags that are named.
NAMED = 12
# How often counting image by image says how far it is, in seconds.
TELL_SECONDS = 0.25
# More than any score.
NEVER = 2.0


class Whose(NamedTuple):
    """Whose scores count: one tagger's, or what several come to together."""

    taggers: tuple[str, ...]
    how: How

    @property
    def words(self) -> str:
        """What the panel calls it."""
        return self.taggers[0] if len(self.taggers) == 1 else f"{self.how} of {len(self.taggers)}"


@dataclass(frozen=True)
class Setting:
    """What a dataset's tags are decided by, as it is remembered.

    Attributes:
        taggers: ids of those whose scores count; empty: the first that is found.
        how: what several come to.
        options: what was said of the rules, by the names of `RuleWords`.
        threshold: the threshold; None: the preset's, or what `options` say.
        tags: thresholds of single tags, by key; above 1 a tag never comes.
    """

    taggers: tuple[str, ...] = ()
    how: How = "union"
    options: Mapping[str, str] = field(default_factory=dict)
    threshold: float | None = None
    tags: Mapping[str, float] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """For the state, in types of JSON."""
        return {
            "taggers": list(self.taggers),
            "how": self.how,
            "options": dict(self.options),
            "threshold": self.threshold,
            "tags": dict(self.tags),
        }

    @classmethod
    def recalled(cls, raw: object) -> Setting:
        """From the state, as far as it is one."""
        if not isinstance(raw, dict):
            return cls()
        options, tags, taggers = raw.get("options"), raw.get("tags"), raw.get("taggers")
        threshold = raw.get("threshold")
        return cls(
            tuple(map(str, taggers)) if isinstance(taggers, list) else (),
            raw["how"] if raw.get("how") in get_args(How) else "union",
            {str(name): str(value) for name, value in options.items()} if isinstance(options, dict) else {},
            float(threshold) if isinstance(threshold, int | float) and 0 <= threshold <= 1 else None,
            {str(name): float(value) for name, value in tags.items() if isinstance(value, int | float) and value >= 0}
            if isinstance(tags, dict)
            else {},
        )


class Found(NamedTuple):
    """Scores that were read: of the images, the first tagger's name, whose they are, whose they could be, in which state."""

    images: ScoredImages
    name: str
    whose: Whose
    choices: Sequence[Whose]
    state: Sequence[tuple[str, int]] = ()


class ScoreDesk:
    """The scores of one dataset, with the setting they are looked at by.

    Attributes:
        library: the images.
        images: their scores.
        whose: of whom.
        choices: whose they could be.
        state: of the taggers' files, as `state_of` tells it.
        setting: by what tags are decided.
        rules: what `setting` makes of it.
        before: the rules that were applied last, or begun with.
    """

    def __init__(self, library: Library, found: Found, setting: Setting) -> None:
        self.library = library
        self.images, self._name, self.whose, self.choices, self.state = found
        self._lock = threading.Lock()
        self._surveyed: tuple[Sequence[int], Survey] = (range(len(library)), self.images.survey)
        # What options come to, for those asked last.
        self._by_options: tuple[Mapping[str, str] | None, Rules] = (None, Rules())
        self.setting = setting
        self.rules = self.before = self.rules_by(setting)
        self._decided: tuple[object, list[Row]] = (None, [])
        self._counted_before: tuple[Survey | None, Rules, Counted | None] = (None, self.before, None)

    @classmethod
    def load_slowly(cls, library: Library, found: Sequence[Scores], setting: Setting, told: Told) -> ScoreDesk:
        """Look up the images; `told` hears how many are known so far, and may raise to end it.

        Raises:
            SdtuiError: a file of scores is damaged.
            UserError: the setting does not fit the tagger.
        """
        choices = whose_choices([scores.id for scores in found])
        whose = next((each for each in choices if each == (setting.taggers, setting.how)), choices[0])
        state = state_of(found)
        chosen = [scores for scores in found if scores.id in whose.taggers]
        images = ScoredImages.load(library, chosen, whose.how, told)
        images.has_scores.any()
        return cls(library, Found(images, chosen[0].facts.name, whose, choices, state), setting)

    @property
    def tags(self) -> TagList:
        """What the taggers know."""
        return self.images.table.tags

    # -- the rules ----------------------------------------------------------------------------------------------------

    def rules_by(self, setting: Setting) -> Rules:
        """The rules of a setting; slow where other options are asked for the first time, as they may need the user's lists.

        Raises:
            UserError: an option makes no sense for these taggers.
        """
        options = dict(setting.options)
        if self._by_options[0] != options:
            self._by_options = options, rules_of(words_in(options), self._name, self.tags)
        rules, places, names = self._by_options[1], self.tags.places, self.tags.names
        own = {names[places[name]]: value for name, value in setting.tags.items() if name in places}
        threshold = rules.threshold if setting.threshold is None else setting.threshold
        return replace(rules, threshold=threshold, tags={**rules.tags, **own})

    def set(self, setting: Setting) -> None:
        """Decide by another setting. Raises UserError as `rules_by`; the old one stays then."""
        self.rules, self.setting = self.rules_by(setting), setting

    def step(self, by: float, tag: str = "") -> None:
        """Move the threshold, or that of one tag, by so much; it stays between 0 and 1."""
        setting = self.setting
        now = self.rules.threshold if not tag else self.needed(tag)
        value = round(min(max(round(now, 2) + by, 0.0), 1.0), 2)
        if tag:
            self.set(replace(setting, tags={**setting.tags, key(tag): value}))
        else:
            self.set(replace(setting, threshold=value))

    def needed(self, tag: str) -> float:
        """What the tag needs, MCut aside; at most 1."""
        place = self.tags.place(tag)
        category = self.tags.categories[place] if place is not None else ""
        own = next((value for name, value in self.rules.tags.items() if key(name) == key(tag)), None)
        return min(1.0, own if own is not None else self.rules.categories.get(category, self.rules.threshold))

    def usual(self, tag: str) -> None:
        """The tag has no threshold of its own any more."""
        self.set(
            replace(self.setting, tags={name: value for name, value in self.setting.tags.items() if name != key(tag)})
        )

    def never(self, tag: str) -> None:
        """The tag comes no more; once more: as before."""
        if self.setting.tags.get(key(tag), 0.0) > 1:
            self.usual(tag)
        else:
            self.set(replace(self.setting, tags={**self.setting.tags, key(tag): NEVER}))

    # -- one image ----------------------------------------------------------------------------------------------------

    def rows(self, position: int, text: str, count_tokens: CountTokens) -> list[Row]:
        """The image's tags, the highest score first, and whether each is kept and stands in the caption `text`."""
        asked = (position, text, self.rules)
        if self._decided[0] != asked:
            self._decided = asked, self._decide(position, text, count_tokens)
        return self._decided[1]

    def _decide(self, position: int, text: str, count_tokens: CountTokens) -> list[Row]:
        scored = self.images.scored(position)
        decision = decide(scored, self.rules, count_tokens)
        needed = Thresholds(scored, self.rules)
        there = {plain(word) for word in tag_words(text)}
        pairs: list[tuple[Scored, str]] = [(tag, "") for tag in decision.kept]
        pairs += [(tag, "never" if why == "below" and needed.of(tag) > 1 else why) for tag, why in decision.dropped]
        pairs.sort(key=lambda pair: (-pair[0].score, pair[0].place))
        return [Row(tag, min(1.0, needed.of(tag)), why, plain(tag.name) in there) for tag, why in pairs]

    def written(self, row: Row) -> str:
        """The tag as the rules write it."""
        return written(row.tag, self.rules)

    def is_tag(self, word: str, tag: str) -> bool:
        """Whether a tag of a caption is one of the tagger's, however it is written."""
        return plain(word) == key(tag)

    def score_of(self, position: int, text: str, count_tokens: CountTokens) -> Callable[[str], Score | None]:
        """What an image's scores say of a tag of its caption; None: the tagger does not know it."""
        rows = {key(row.tag.name): row for row in self.rows(position, text, count_tokens)}

        def score_of(tag: str) -> Score | None:
            row = rows.get(name := plain(tag))
            if row is not None:
                return Score(row.tag.score, row.needed, row.why)
            return Score(0.0, self.needed(name), "below") if self.tags.place(name) is not None else None

        return score_of

    # -- the whole list -----------------------------------------------------------------------------------------------

    def outcomes_slowly(
        self, view: Sequence[int], tag: str, stopped: Callable[[], bool], count_tokens: CountTokens
    ) -> Iterator[Outcome]:
        """What the rules come to over the images of `view`: first the totals, then also changes and a histogram of `tag`.

        Args:
            view: positions.
            tag: whose scores; empty: no histogram.
            stopped: whether nobody waits for it any more.
            count_tokens: for rules that limit tokens.
        """
        rules, before = self.rules, self.before
        with self._lock:
            if stopped():
                return
            survey = self._survey_of(view)
            if rules.max_tokens is not None or before.max_tokens is not None:
                yield from self._one_by_one(survey, tag, stopped, count_tokens)
                return
            if not survey.knows(rules):
                yield Outcome(None, None)
            totals = survey.totals(rules)
            yield Outcome(totals, None)
            if stopped():
                return
            yield _whole(totals, survey.changes(before, rules), _histogram(survey, tag), before)

    def _one_by_one(
        self, survey: Survey, tag: str, stopped: Callable[[], bool], count_tokens: CountTokens
    ) -> Iterator[Outcome]:
        """As limits of tokens need it: the totals as they grow, then what changes."""
        rules, before = self.rules, self.before
        now = None
        told = time.monotonic()
        yield Outcome(None, None)
        for now in _counted_slowly(survey, rules, count_tokens):
            if stopped():
                return
            if time.monotonic() > told + TELL_SECONDS:
                told = time.monotonic()
                yield Outcome(now.totals, None, counting=(now.images, len(survey.table)))
        assert now is not None
        yield Outcome(now.totals, None)
        then = self._counted_before[2] if self._counted_before[:2] == (survey, before) else None
        if then is None:
            for so_far in _counted_slowly(survey, before, count_tokens):
                if stopped():
                    return
                then = so_far
            self._counted_before = survey, before, then
        assert then is not None
        names = now.counts | then.counts
        shift = Counter({name: by for name in names if (by := now.counts[name] - then.counts[name])})
        yield _whole(now.totals, shift, _histogram(survey, tag), before)

    def _survey_of(self, view: Sequence[int]) -> Survey:
        if self._surveyed[0] is not view:
            survey = self.images.survey
            if not isinstance(view, range):
                survey = Survey(self.images.table.arranged(np.array(view, np.int64)))
            self._surveyed = view, survey
        return self._surveyed[1]


def state_of(found: Sequence[Scores]) -> list[tuple[str, int]]:
    """What is another once a tagger has scored more images."""
    return [(scores.id, scores.newest) for scores in found]


def whose_choices(ids: Sequence[str]) -> list[Whose]:
    """Each tagger alone, then all together in every way."""
    alone = [Whose((name,), "union") for name in ids]
    return alone + [Whose(tuple(ids), how) for how in get_args(How)] if len(ids) > 1 else alone


def _counted_slowly(survey: Survey, rules: Rules, count_tokens: CountTokens) -> Iterator[Counted]:
    """What rules come to; at once where that takes no captions."""
    if rules.max_tokens is None:
        yield Counted(len(survey.table), survey.totals(rules), survey.counts(rules))
    else:
        yield from counting(survey.table, rules, count_tokens)


def _whole(totals: Totals, shift: Counter[str], histogram: tuple[str, tuple[int, ...]], before: Rules) -> Outcome:
    ranked = sorted(shift.items(), key=lambda item: (-abs(item[1]), item[0]))
    come = sum(value for value in shift.values() if value > 0)
    gone = -sum(value for value in shift.values() if value < 0)
    return Outcome(totals, (come, gone), tuple(ranked[:NAMED]), before.threshold, *histogram)


def _histogram(survey: Survey, tag: str) -> tuple[str, tuple[int, ...]]:
    return (tag, tuple(survey.histogram(tag, BINS).tolist())) if tag else ("", ())
