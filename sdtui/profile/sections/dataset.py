"""The images, and how they are brought to the sizes that are trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import KOHYA, RELATIVE_PATH, FromArray


def _instead_of(name: str, unit: str = "") -> About:
    """What is said of a caption setting that one folder has for itself."""
    return About(f"Stands in for captions.{name} in this folder; left out: as captions.{name} says.", unit=unit)


class Folder(Section):
    """One folder of images with their caption files."""

    path: Annotated[
        str,
        Field(min_length=1),
        About(f"Folder of images. {RELATIVE_PATH}", path="folder", aka=("image_dir", "train_data_dir")),
    ]
    repeats: Annotated[
        int,
        Field(ge=1, le=10_000),
        About("How often each image of this folder is seen in an epoch.", aka=("num_repeats",)),
    ] = 1
    recursive: Annotated[bool, About("Look into the folders inside it too.")] = False
    caption_prefix: Annotated[str | None, _instead_of("prefix")] = None
    caption_suffix: Annotated[str | None, _instead_of("suffix")] = None
    caption_dropout: Annotated[float | None, Field(ge=0, le=1), _instead_of("dropout", unit="share of 1")] = None
    caption_wildcards: Annotated[bool | None, _instead_of("wildcards")] = None
    caption_shuffle: Annotated[bool | None, _instead_of("shuffle")] = None
    caption_keep_tokens: Annotated[int | None, Field(ge=0, le=10_000), _instead_of("keep_tokens", unit="tags")] = None
    caption_tag_dropout: Annotated[float | None, Field(ge=0, le=1), _instead_of("tag_dropout", unit="share of 1")] = (
        None
    )


class Dataset(Section):
    """The images, and the sizes they are trained at."""

    resolution: Annotated[
        int,
        Field(ge=16, le=4096),
        About(
            "Each image is trained at about resolution × resolution pixels, in the bucket nearest to its own shape. "
            "Stable Diffusion 1.x learned at 512.",
            unit="px",
            source="Stable Diffusion 1 model card",
        ),
    ] = 512
    bucket_step: Annotated[
        int,
        Field(ge=8, le=256, multiple_of=8),
        About("Bucket sides are multiples of this.", unit="px", source=KOHYA, aka=("bucket_reso_steps",)),
    ] = 64
    bucket_min: Annotated[
        int,
        Field(ge=16, le=4096),
        About("The shortest side a bucket may have.", unit="px", source=KOHYA, aka=("min_bucket_reso",)),
    ] = 256
    bucket_max: Annotated[
        int,
        Field(ge=16, le=4096),
        About("The longest side a bucket may have.", unit="px", source=KOHYA, aka=("max_bucket_reso",)),
    ] = 1024
    background: Annotated[
        str,
        Field(min_length=1),
        About("Colour laid under transparent pixels.", allowed="a colour name such as white, or #rrggbb"),
    ] = "white"
    on_unreadable: Annotated[
        Literal["stop", "skip"],
        About("What to do about an image that cannot be read: stop before training, or train without it."),
    ] = "stop"
    folders: Annotated[
        tuple[Folder, ...],
        FromArray,
        About("One [[dataset.folders]] table for each folder of images.", aka=("subsets",)),
    ] = ()
