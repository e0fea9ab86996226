"""A profile's folders as datasets and subsets of sd-scripts, or as its `train_data_dir`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sdtui.profile.folder_rules import resolutions_of
from sdtui.profile.kohya import giving_masks
from sdtui.profile.kohya.folders import COLOUR
from sdtui.profile.kohya.giving_masks import masks_for
from sdtui.profile.kohya.lacking import LACKING, LINES
from sdtui.profile.kohya.options import OPTIONS
from sdtui.profile.kohya_name import kohya_name
from sdtui.profile.schema import Folder, Profile

if TYPE_CHECKING:
    from sdtui.profile.kohya.giving import Files

# A folder's own settings by sd-scripts' names.
_OWN = {option.folder: option for option in OPTIONS.values() if option.folder}
_COLOURS = ("augment_brightness", "augment_contrast", "augment_saturation", "augment_hue")


def give(profile: Profile, files: Files) -> None:
    """Images, buckets, captions and augmentation."""
    _buckets(profile, files)
    _captions(profile, files)
    if _as_kohya_does(profile):
        for folder in profile.dataset.folders:
            files.config["reg_data_dir" if folder.regularization else "train_data_dir"] = folder.path
        return
    made: dict[tuple[int, bool], list[dict[str, Any]]] = {}
    masked: giving_masks.Subsets = {}
    for index, folder in enumerate(profile.dataset.folders):
        if folder.validation:
            files.lack(f"dataset.folders[{index}].validation", True, LACKING["dataset.folders[].validation"])
            continue
        subsets = _subsets(folder, index, files)
        if folder.masks:
            masked[index] = subsets
        for subset in subsets:
            for side in resolutions_of(profile, index):
                made.setdefault((side, bool(folder.masks)), []).append(subset)
    files.datasets = [{"resolution": side, "subsets": subsets} for (side, _), subsets in made.items()]
    if masked:
        files.option("masked_loss", value=True)
        giving_masks.give(profile, masked, files)


def _as_kohya_does(profile: Profile) -> bool:
    """One folder of kohya's layout, and perhaps one of regularisation images, with nothing of their own."""
    rows = profile.dataset.folders
    plain = [
        row.model_dump(exclude_defaults=True).keys() <= {"path", "layout", "regularization"} and row.layout == "kohya"
        for row in rows
    ]
    kinds = [row.regularization for row in rows]
    return (
        bool(rows)
        and all(plain)
        and kinds.count(False) == 1
        and kinds.count(True) <= 1
        and not profile.dataset.more_resolutions
    )


def _buckets(profile: Profile, files: Files) -> None:
    data = profile.dataset
    files.option("enable_bucket", data.buckets != "none")
    if data.buckets == "log":
        files.lack("dataset.buckets", "log", "kohya's buckets are compat: other images land in another bucket")
    files.option("resolution", f"{data.resolution},{data.resolution}")
    if data.buckets != "none":
        files.option("bucket_reso_steps", data.bucket_step)
        if data.bucket_upscale:
            files.option("min_bucket_reso", data.bucket_min)
            files.option("max_bucket_reso", data.bucket_max)


def _captions(profile: Profile, files: Files) -> None:
    captions = profile.captions
    if captions.extension == "auto":
        files.config["caption_extension"] = ".txt"
        files.lack("captions.extension", "auto", ".txt is written; kohya takes one ending")
    expected = "random" if captions.wildcards else "first"
    if captions.lines != expected:
        files.lack("captions.lines", captions.lines, LINES)
    if captions.prefix and not captions.prefix.endswith(" "):
        files.lack("captions.prefix", captions.prefix, "kohya puts a blank behind it")
    if captions.suffix and not captions.suffix.startswith(" "):
        files.lack("captions.suffix", captions.suffix, "kohya puts a blank before it")
    _colour(profile, files)


def _colour(profile: Profile, files: Files) -> None:
    augment = profile.augment
    ours = {"augment.brightness": augment.brightness, "augment.hue": augment.hue}
    files.option("color_aug", ours == COLOUR)
    for key, value in ours.items():
        if value and ours != COLOUR:
            files.lack(key, value, "color_aug has no strengths")


def _subsets(folder: Folder, index: int, files: Files) -> list[dict[str, Any]]:
    """The folder as subsets: several where it is laid out as kohya's."""
    subset: dict[str, Any] = {"image_dir": folder.path}
    if folder.repeats != 1:
        subset["num_repeats"] = folder.repeats
    if folder.class_tokens:
        subset["class_tokens"] = folder.class_tokens
    if folder.regularization:
        subset["is_reg"] = True
    if folder.alpha_mask:
        subset["alpha_mask"] = True
    if folder.masks:
        subset["conditioning_data_dir"] = folder.masks
        for name, key in (("class_tokens", "class_tokens"), ("is_reg", "regularization"), ("alpha_mask", "alpha_mask")):
            if subset.pop(name, None):
                value = getattr(folder, key)
                files.lack(
                    f"dataset.folders[{index}].{key}", value, "kohya's subsets with masks have nothing of the kind"
                )
    subset |= _own(folder, index, files)
    if folder.recursive:
        files.lack(f"dataset.folders[{index}].recursive", True, LACKING["dataset.folders[].recursive"])
    inner = [
        {**subset, "image_dir": os.path.join(folder.path, name), "num_repeats": repeats * folder.repeats,
         "class_tokens": tokens}
        for name, repeats, tokens in _repeated(folder)
    ]  # fmt: skip
    if folder.masks:
        for each in inner:
            each["conditioning_data_dir"] = masks_for(each["image_dir"], folder.masks)
            # Subsets with masks have none.
            del each["class_tokens"]
    return inner or [subset]


def _own(folder: Folder, index: int, files: Files) -> dict[str, Any]:
    """What the folder's table says of captions and augmentation."""
    own = {}
    for name, option in _OWN.items():
        value = getattr(folder, name)
        if value is not None and option.codec is not None:
            written = option.codec.write(value)
            own[option.name] = "" if written is None else written
    colours = {name: getattr(folder, name) for name in _COLOURS}
    if any(value is not None for value in colours.values()):
        if (colours["augment_brightness"], colours["augment_hue"]) == tuple(COLOUR.values()):
            own["color_aug"] = True
        elif not any(colours.values()):
            own["color_aug"] = False
        else:
            for name, value in colours.items():
                if value is not None:
                    files.lack(f"dataset.folders[{index}].{name}", value, "color_aug has no strengths")
    return own


def _repeated(folder: Folder) -> list[tuple[str, int, str]]:
    """The folders inside that are named <repeats>_<class tokens>: name, repeats, tokens; none unless its layout is kohya's."""
    if folder.layout == "flat" or not os.path.isdir(folder.path):
        return []
    names = sorted(entry.name for entry in os.scandir(folder.path) if entry.is_dir())
    return [(name, *found) for name in names if (found := kohya_name(name))]
