"""The caption that shows a class instead of what is learned: class words in place of the trigger, or of the whole text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sdtui.dataset.collect import Sample
from sdtui.dataset.names import printable
from sdtui.dataset.pipeline import whole
from sdtui.dataset.templates import template_of
from sdtui.profile.folder_rules import captions_of
from sdtui.profile.schema import Profile


def class_caption(caption: str, trigger: str, words: str) -> str:
    """`caption` with `words` wherever it has `trigger`; `words` alone if there is no trigger, or none in the caption."""
    if not has_trigger(caption, trigger):
        return words
    return _pattern(trigger).sub(lambda _: words, caption)


def has_trigger(caption: str, trigger: str) -> bool:
    """Whether `trigger` stands in the caption as words of its own, in capitals or not: the text encoder reads both alike.

    "man" is not in "a woman".
    """
    return bool(trigger) and _pattern(trigger).search(caption) is not None


def missing_trigger(profile: Profile, samples: Sequence[Sample]) -> str:
    """What to tell the user of training captions that lack `prior.trigger`; empty when none does, or none is needed."""
    prior = profile.prior
    if not (prior.class_caption and prior.trigger):
        return ""
    rules = [captions_of(profile, row) for row in range(len(profile.dataset.folders))]
    put = [template_of(profile, row) for row in range(len(profile.dataset.folders))]
    lacking = [
        each for each in samples if not has_trigger(whole(each.caption, rules[each.row], put[each.row]), prior.trigger)
    ]
    if not lacking:
        return ""
    return (
        f'prior.trigger = "{prior.trigger}" is not in {len(lacking)} of {len(samples)} captions: prior.class_caption '
        f"stands in for the whole of such a caption; the first is that of {printable(lacking[0].path)}"
    )


def _pattern(trigger: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(trigger)}(?!\w)", re.IGNORECASE)
