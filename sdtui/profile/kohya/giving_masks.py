"""What sd-scripts asks of masks, which it reads as conditioning images: one for each image, as large, and none besides."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdtui.profile.folder_rules import augment_of
from sdtui.profile.schema import Profile

if TYPE_CHECKING:
    from sdtui.profile.kohya.giving import Files

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".jxl")
_SHOWN = 3
Named = dict[str, Path]
Subsets = dict[int, list[dict[str, Any]]]


def masks_for(folder: str, masks: str) -> str:
    """Where the masks of the images in `folder`, one of several inside another, lie: in a folder of its name, or in `masks`."""
    own = os.path.join(masks, os.path.basename(folder))
    return own if os.path.isdir(own) else masks


def give(profile: Profile, made: Subsets, files: Files) -> None:
    """Mend what can be mended in the subsets with masks; tell at what else sd-scripts stops.

    Args:
        profile: whose folders they are.
        made: the subsets of each folder that has masks.
        files: told what kohya cannot have.
    """
    # Two folders may share their masks.
    paired: defaultdict[str, set[str]] = defaultdict(set)
    for subset in (subset for subsets in made.values() for subset in subsets):
        paired[subset["conditioning_data_dir"]] |= _pictures(subset["image_dir"]).keys()
    for index, subsets in made.items():
        if augment_of(profile, index).crop == "random":
            for subset in subsets:
                subset["random_crop"] = False
            reason = "kohya stops at random crops beside masks; here the centre is written"
            files.lack(f"dataset.folders[{index}].augment_crop", "random", reason)
        key, value = f"dataset.folders[{index}].masks", profile.dataset.folders[index].masks
        for reason in _troubles(subsets, paired, same_size=profile.dataset.buckets != "none"):
            files.lack(key, value, f"kohya stops: {reason}")


def _troubles(subsets: list[dict[str, Any]], paired: dict[str, set[str]], *, same_size: bool) -> list[str]:
    """What sd-scripts would say of a folder's masks; nothing of folders that are not here, which a check tells."""
    missing, stray, other = [], set(), []
    images = 0
    for subset in subsets:
        place = subset["conditioning_data_dir"]
        wanted, there = _pictures(subset["image_dir"]), _pictures(place)
        if not os.path.isdir(place):
            continue
        images += len(wanted)
        missing += [image.name for stem, image in wanted.items() if stem not in there]
        stray |= {mask.name for stem, mask in there.items() if stem not in paired[place]}
        pairs = [(image, there[stem]) for stem, image in wanted.items() if same_size and stem in there]
        other += [mask.name for image, mask in pairs if _differ(image, mask)]
    found = []
    if missing:
        remedy = "each needs one of its name, white for the whole image"
        found.append(f"{len(missing)} of {images} images have no mask ({_some(missing)}); {remedy}")
    if stray:
        found.append(f"masks that belong to no image: {_some(sorted(stray))}")
    if other:
        found.append(f"masks that are not as large as their image: {_some(other)}")
    return found


def _pictures(folder: str) -> Named:
    """What sd-scripts takes for an image in the folder, by its name without the ending."""
    try:
        paths = sorted(Path(entry.path) for entry in os.scandir(folder))
    except OSError:
        return {}
    return {path.stem: path for path in paths if path.suffix.lower() in _ENDINGS}


def _differ(image: Path, mask: Path) -> bool:
    """Whether the headers tell different sizes; what cannot be read is told by a check."""
    from PIL import Image

    try:
        with Image.open(image) as first, Image.open(mask) as second:
            return first.size != second.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return False


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
