from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdtui.dataset.buckets import Bucket, Fit
from sdtui.dataset.collect import Role, Sample
from sdtui.dataset.image import ImageFacts
from sdtui.dataset.variants import variants_of, ways_of
from sdtui.profile.schema import Augment, Profile

WIDE = Fit((20, 16), (2, 0, 18, 16))
TALL = Fit((16, 19), (0, 1, 16, 17))
EXACT = Fit((16, 16), (0, 0, 16, 16))


@pytest.mark.parametrize(
    ("augment", "fit", "expected"),
    [
        ({}, WIDE, 1),
        ({"flip": True}, WIDE, 1),
        ({"crop": "random"}, WIDE, 8),
        ({"crop": "random"}, TALL, 8),
        ({"crop": "random"}, EXACT, 1),
        ({"crop": "random", "hue": 0.1}, EXACT, 8),
        ({"brightness": 0.1}, EXACT, 8),
        ({"contrast": 0.1, "variants": 3}, WIDE, 3),
        ({"saturation": 0.1}, WIDE, 8),
    ],
)
def test_there_are_variants_where_something_can_differ(augment: dict[str, Any], fit: Fit, expected: int) -> None:
    assert variants_of(Augment(**augment), fit) == expected


@pytest.mark.parametrize(
    ("role", "sections", "expected"),
    [
        ("train", {}, 1),
        ("train", {"augment": {"flip": True}}, 2),
        ("regularization", {"augment": {"flip": True, "crop": "random", "variants": 5}}, 10),
        ("train", {"dataset": {"folders": [{"path": "a", "augment_hue": 0.1}]}}, 8),
        ("validation", {"augment": {"flip": True, "crop": "random"}}, 1),
        ("validation", {"validation": {"every_epochs": 0}}, 0),
    ],
)
def test_ways_of_a_sample(role: Role, sections: dict[str, Any], expected: int) -> None:
    data = {"model": {"base": "x"}, "dataset": {"folders": [{"path": "a"}]}, "training": {"steps": 1}, **sections}
    wide = ImageFacts(Path("a.png"), 600, 512)
    sample = Sample(wide.path, "", 1, wide, Bucket(512, 512), "a", role=role)
    assert ways_of(Profile.model_validate(data), sample) == expected
