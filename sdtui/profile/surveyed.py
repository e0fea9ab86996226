"""What was found in a dataset, as far as a plan counts with it: images, buckets, folders, and how many were enlarged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Size = tuple[int, int]

ENLARGED = 1.5
"""What is enlarged more than so many times is blurred in a way that training picks up."""


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """One folder of images, as it was found.

    Args:
        path: as the profile writes it, with kohya's folder in it where there is one.
        layout: "flat" or "kohya".
        images: files in it that can be read.
        repeats: how often each comes in an epoch.
        class_tokens: caption of those without one.
        regularization: whether they show what the model shall keep.
        held_out: how many of them are never trained.
        masks: how many of them have a mask file.
        transparent: how many of them are masked by their transparency.
        note: what may have been meant otherwise; often empty.
    """

    path: str
    layout: str
    images: int
    repeats: int
    class_tokens: str = ""
    regularization: bool = False
    held_out: int = 0
    masks: int = 0
    transparent: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a dataset holds.

    Args:
        images: files that are trained.
        samples: images of one epoch, repeats, resolutions and regularisation counted.
        buckets: (width, height) in px → these by bucket.
        problems: what is wrong with the dataset, one line each.
        pixels: of all that is encoded.
        encoded: ways in which images are shown: resolutions, crops and colours, mirrored or not.
        captions: different texts whose reading is kept; 0 if each step draws its own.
        enlarged: images that are enlarged more than `ENLARGED` times.
        largest: how much the worst of them is.
        regularization: files that show what the model shall keep.
        held_out: files that are never trained, for the validation loss.
        folders: each of them, in the profile's order.
        generated: class images that the base model draws before training.
    """

    images: int
    samples: int
    buckets: Mapping[Size, int]
    problems: tuple[str, ...] = ()
    pixels: int = 0
    encoded: int = 0
    captions: int = 0
    enlarged: int = 0
    largest: float = 1.0
    regularization: int = 0
    held_out: int = 0
    folders: tuple[FolderPlan, ...] = ()
    generated: int = 0
