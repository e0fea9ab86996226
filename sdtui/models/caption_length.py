"""Captions that are longer than what the text encoder reads, found without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from sdtui.dataset.collect import Sample
from sdtui.dataset.names import printable
from sdtui.dataset.pipeline import whole
from sdtui.models.tokens import length
from sdtui.profile.folder_rules import captions_of
from sdtui.profile.schema import Profile


def cut_captions(profile: Profile, samples: Sequence[Sample]) -> str:
    """What to tell the user of captions beyond `captions.max_tokens`; empty when there are none.

    A caption is judged as it is at the end of a run with nothing left out; 10 000 take about a second.
    """
    rules = [captions_of(profile, row) for row in range(len(profile.dataset.folders))]
    limit, weighted = profile.captions.max_tokens, profile.captions.weighted
    found = [
        sample for sample in samples if length(whole(sample.caption, rules[sample.row]), weighted=weighted) > limit
    ]
    if not found:
        return ""
    are = "1 caption is" if len(found) == 1 else f"{len(found)} captions are"
    return f"{are} longer than captions.max_tokens = {limit}, and cut: the first is that of {printable(found[0].path)}"
