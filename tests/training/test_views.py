"""The ways an image is shown: which there are, where they are cropped, and that they hang on nothing but the image."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sdtui.dataset.buckets import Fit
from sdtui.profile.schema import Augment
from sdtui.training.views import View, sizes_of, view_of

WIDE = Fit((20, 16), (2, 0, 18, 16))
TALL = Fit((16, 19), (0, 1, 16, 17))
DIGEST = "ab" * 32


def views(fit: Fit, count: int, **augment: Any) -> list[View]:
    return [view_of(Augment(**augment), fit, DIGEST, variant, flip=False) for variant in range(count)]


def test_without_augmentation_the_middle_is_shown_as_it_is() -> None:
    assert view_of(Augment(), WIDE, DIGEST, 0, flip=False) == View(WIDE, None, False)


def test_a_variant_follows_from_the_image_and_its_number() -> None:
    everything = Augment(crop="random", brightness=0.2, contrast=0.3, saturation=0.4, hue=0.1)
    # uniform() of the digest's first 16 digits and the number: kept caches hang on it.
    view = view_of(everything, WIDE, DIGEST, 1, flip=False)
    assert view.fit == Fit((20, 16), (0, 0, 16, 16))
    assert view.colours == pytest.approx(
        (0.8427571924622469, 1.2420786197976876, 1.0273639361854174, -0.0629319262220955)
    )
    assert view_of(everything, WIDE, "cd" * 32, 1, flip=False) != view


def test_crops_are_uniform_over_all_places() -> None:
    lefts = Counter(view.fit.crop[0] for view in views(WIDE, 1000, crop="random"))
    assert sorted(lefts) == [0, 1, 2, 3, 4]
    assert all(150 < count < 250 for count in lefts.values())
    tops = {view.fit.crop for view in views(TALL, 100, crop="random")}
    assert tops == {(0, 0, 16, 16), (0, 1, 16, 17), (0, 2, 16, 18), (0, 3, 16, 19)}


@pytest.mark.parametrize(("name", "place"), [("brightness", 0), ("contrast", 1), ("saturation", 2)])
def test_factors_go_as_far_as_the_setting_says(name: str, place: int) -> None:
    found = [view.colours for view in views(WIDE, 1000, **{name: 0.25})]
    factors = [colours[place] for colours in found if colours is not None]
    assert len(factors) == 1000
    assert 0.75 <= min(factors) < 0.76
    assert 1.24 < max(factors) <= 1.25
    others = {colours[:place] + colours[place + 1 :] for colours in found if colours is not None}
    assert others in ({(1.0, 1.0, 0.0)}, {(1.0, 1.0, -0.0)})


def test_the_hue_turns_both_ways() -> None:
    turns = [view.colours.hue for view in views(WIDE, 1000, hue=0.1) if view.colours is not None]
    assert -0.1 <= min(turns) < -0.099
    assert 0.099 < max(turns) <= 0.1


def test_sizes_tell_the_crop_as_it_is_shown() -> None:
    crop = Fit((20, 24), (3, 5, 19, 21))
    assert sizes_of((200, 240), View(crop, None, False)) == ((200, 240), (3, 5), (16, 16))
    assert sizes_of((200, 240), View(crop, None, True)) == ((200, 240), (1, 5), (16, 16))
