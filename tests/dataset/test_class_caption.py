"""What a caption reads as when it shows a class instead of what is learned."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.buckets import Bucket
from sdtui.dataset.class_caption import class_caption, has_trigger, missing_trigger
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import ImageFacts
from sdtui.profile.schema import Profile


@pytest.mark.parametrize(
    ("caption", "trigger", "expected"),
    [
        ("photo of sks woman, red hat", "sks woman", "photo of person, red hat"),
        ("Sks, portrait of SKS", "sks", "person, portrait of person"),
        ("(sks:1.2) on a chair", "sks", "(person:1.2) on a chair"),
        # Only where it stands as words of its own.
        ("a woman", "man", "person"),
        ("sksy style", "sks", "person"),
        ("a red square", "", "person"),
        ("", "sks", "person"),
        # No character of the trigger or of the class words means anything else.
        ("c++ (a.b) code", "(a.b)", "c++ person code"),
    ],
)
def test_class_caption(caption: str, trigger: str, expected: str) -> None:
    assert class_caption(caption, trigger, "person") == expected


def test_class_words_are_taken_as_they_stand() -> None:
    assert class_caption("sks", "sks", r"\1 \g<0>") == r"\1 \g<0>"


def test_no_trigger_is_in_no_caption() -> None:
    assert not has_trigger("anything", "")


def test_captions_that_lack_the_trigger_are_counted_as_they_are_read() -> None:
    data = {
        "model": {"base": "x"},
        "training": {"steps": 1},
        "dataset": {"folders": [{"path": "a"}, {"path": "b", "caption_prefix": "sks, "}]},
        "prior": {"class_caption": "dog", "trigger": "sks"},
    }
    profile = Profile.model_validate(data)
    samples = [sample("a sks dog", 0), sample("a dog", 0), sample("a dog", 1), sample("", 0)]
    assert missing_trigger(profile, samples) == (
        'prior.trigger = "sks" is not in 2 of 4 captions: prior.class_caption stands in for the whole of such a caption; '
        "the first is that of /i/a dog.png"
    )
    assert not missing_trigger(profile, samples[:1])
    no_class = Profile.model_validate({**data, "prior": {}})
    assert not missing_trigger(no_class, samples)


def sample(caption: str, row: int) -> Sample:
    path = Path(f"/i/{caption}.png")
    return Sample(path, caption, 1, ImageFacts(path, 64, 64), Bucket(64, 64), "i", row)
