"""In how many ways an image is shown, each of which is encoded by itself."""

from __future__ import annotations

from sdtui.dataset.buckets import Fit
from sdtui.dataset.collect import Sample
from sdtui.profile.folder_rules import augment_of, is_coloured
from sdtui.profile.schema import Augment, Profile


def variants_of(augment: Augment, centre: Fit) -> int:
    """How many crops and colourings an image has of which `centre` is the middle: one where neither can differ."""
    varied = is_coloured(augment) or (augment.crop == "random" and centre.spare != (0, 0))
    return augment.variants if varied else 1


def ways_of(profile: Profile, sample: Sample) -> int:
    """In how many ways the sample is shown in the profile's runs, mirrored ones counted; 0 if in none."""
    if sample.role == "validation":
        return int(profile.validation.every_steps > 0 or profile.validation.every_epochs > 0)
    augment = augment_of(profile, sample.row)
    return variants_of(augment, sample.fit()) * (1 + augment.flip)
