"""How one folder's images are treated: as `[dataset]`, `[captions]` and `[augment]` say, except for what its own table says."""

from __future__ import annotations

from typing import Any

from sdtui.profile.schema import Augment, Captions, Profile


def captions_of(profile: Profile, row: int) -> Captions:
    """The caption settings of `dataset.folders[row]`; the profile's own object where the folder has none of its own."""
    own = _own(profile, row, "caption_")
    return profile.captions.model_copy(update=own) if own else profile.captions


def augment_of(profile: Profile, row: int) -> Augment:
    """How the images of `dataset.folders[row]` are varied."""
    own = _own(profile, row, "augment_")
    return profile.augment.model_copy(update=own) if own else profile.augment


def is_coloured(augment: Augment) -> bool:
    """Whether an image's colours are varied."""
    return any((augment.brightness, augment.contrast, augment.saturation, augment.hue))


def is_settled(captions: Captions) -> bool:
    """Whether a caption that is not left out always reads the same."""
    return not (captions.lines == "random" or captions.wildcards or is_templated(captions) or rearranges(captions))


def is_templated(captions: Captions) -> bool:
    """Whether captions are put into lines, one of which is drawn in each step."""
    return bool(captions.template or captions.template_file)


def rearranges(captions: Captions) -> bool:
    """Whether the tags of a caption change from step to step."""
    return bool(captions.shuffle or captions.token_warmup or captions.tag_dropout)


def resolutions_of(profile: Profile, row: int) -> tuple[int, ...]:
    """At which resolutions each image of `dataset.folders[row]` is trained, px, each once."""
    dataset = profile.dataset
    given = dataset.folders[row].resolutions or (dataset.resolution, *dataset.more_resolutions)
    return tuple(dict.fromkeys(given))


def _own(profile: Profile, row: int, mark: str) -> dict[str, Any]:
    """What the folder's table says of another section's settings, by their names there."""
    return {
        name.removeprefix(mark): value
        for name, value in profile.dataset.folders[row]
        if name.startswith(mark) and value is not None
    }
