"""Captions that are longer than what the text encoder reads, found without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from sdtui.dataset.collect import Sample
from sdtui.dataset.names import printable
from sdtui.dataset.pipeline import whole
from sdtui.dataset.templates import template_of
from sdtui.models.tokens import length, more_places, token_ids
from sdtui.profile.folder_rules import captions_of
from sdtui.profile.schema import Profile


def cut_captions(profile: Profile, samples: Sequence[Sample]) -> str:
    """What to tell the user of captions beyond `captions.max_tokens`; empty when there are none.

    A caption is judged as it is at the end of a run with nothing left out; 10 000 take about a second.
    """
    rows = range(len(profile.dataset.folders))
    rules, templates = [captions_of(profile, row) for row in rows], [template_of(profile, row) for row in rows]
    limit, weighted = profile.captions.max_tokens, profile.captions.weighted
    places = {tuple(token_ids(word.name)): word.vectors for word in profile.method.words}

    def taken(sample: Sample) -> int:
        text = whole(sample.caption, rules[sample.row], templates[sample.row])
        return length(text, weighted=weighted) + more_places(text, places)

    found = [sample for sample in samples if taken(sample) > limit]
    if not found:
        return ""
    are = "1 caption is" if len(found) == 1 else f"{len(found)} captions are"
    return f"{are} longer than captions.max_tokens = {limit}, and cut: the first is that of {printable(found[0].path)}"
