"""The images, and how they are brought to the sizes that are trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import KOHYA, RELATIVE_PATH, FromArray

Resolution = Annotated[int, Field(ge=16, le=4096)]


def _instead_of(name: str, unit: str = "", section: str = "captions") -> About:
    """What is said of a setting of another section that one folder has for itself."""
    return About(f"Stands in for {section}.{name} in this folder; left out: as {section}.{name} says.", unit=unit)


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
        About(
            "How often each image of this folder is seen in an epoch; of regularisation images, how often beside the others.",
            aka=("num_repeats",),
        ),
    ] = 1
    recursive: Annotated[bool, About("Look into the folders inside it too.")] = False
    layout: Annotated[
        Literal["auto", "flat", "kohya"],
        About(
            "How the folder is laid out: flat, images in it; kohya, folders in it named <repeats>_<class tokens>, whose "
            "names give repeats (times the table's own) and class tokens; auto takes kohya where a folder in it has such a "
            "name. A folder that is itself named so is taken for one with kohya only."
        ),
    ] = "auto"
    class_tokens: Annotated[
        str,
        About(
            "Caption of its images that have no caption file, or an empty one; empty: what kohya's layout finds in names.",
            aka=("instance_prompt",),
        ),
    ] = ""
    word: Annotated[
        str,
        About(
            "Which of [[method.words]] the [name] of a template stands for here; empty: all of them, one after the other.",
        ),
    ] = ""
    resolutions: Annotated[
        tuple[Resolution, ...],
        FromArray,
        About(
            "Each image is trained at each of these; empty: as dataset.resolution and more_resolutions say.", unit="px"
        ),
    ] = ()
    regularization: Annotated[
        bool,
        About(
            "Its images show what the model shall keep: as many of them as training images are seen in an epoch, with "
            "the weight of prior.weight.",
            aka=("is_reg", "is_regularization"),
        ),
    ] = False
    generate: Annotated[
        int,
        Field(ge=0, le=100_000),
        About(
            "So many images of the class shall be there (DreamBooth): what is missing in the folder, the base model draws "
            "before training, with class_tokens as the prompt, and keeps in it. Needs regularization = true; 0: none is drawn.",
            unit="images",
            source="Ruiz et al. 2022, DreamBooth; diffusers' example draws 100 to 200",
            aka=("num_class_images",),
        ),
    ] = 0
    validation: Annotated[
        bool, About("Its images are never trained: the validation loss is measured on all of them.")
    ] = False
    masks: Annotated[
        str,
        About(
            "Folder of masks, each named as its image: the loss counts where a mask is white. "
            f"Images without one count as a whole. Empty: no mask files. {RELATIVE_PATH}",
            path="folder",
            aka=("conditioning_data_dir", "mask_path"),
        ),
    ] = ""
    alpha_mask: Annotated[
        bool, About("The loss counts where an image is opaque; images without transparency count as a whole.")
    ] = False
    caption_prefix: Annotated[str | None, _instead_of("prefix")] = None
    caption_suffix: Annotated[str | None, _instead_of("suffix")] = None
    caption_dropout: Annotated[float | None, Field(ge=0, le=1), _instead_of("dropout", unit="share of 1")] = None
    caption_wildcards: Annotated[bool | None, _instead_of("wildcards")] = None
    caption_shuffle: Annotated[bool | None, _instead_of("shuffle")] = None
    caption_keep_tokens: Annotated[int | None, Field(ge=0, le=10_000), _instead_of("keep_tokens", unit="tags")] = None
    caption_tag_dropout: Annotated[float | None, Field(ge=0, le=1), _instead_of("tag_dropout", unit="share of 1")] = (
        None
    )
    augment_flip: Annotated[bool | None, _instead_of("flip", section="augment")] = None
    augment_crop: Annotated[Literal["center", "random"] | None, _instead_of("crop", section="augment")] = None
    augment_brightness: Annotated[
        float | None, Field(ge=0, le=1), _instead_of("brightness", "share of 1", "augment")
    ] = None
    augment_contrast: Annotated[float | None, Field(ge=0, le=1), _instead_of("contrast", "share of 1", "augment")] = (
        None
    )
    augment_saturation: Annotated[
        float | None, Field(ge=0, le=1), _instead_of("saturation", "share of 1", "augment")
    ] = None
    augment_hue: Annotated[float | None, Field(ge=0, le=0.5), _instead_of("hue", "share of 1", "augment")] = None


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
    more_resolutions: Annotated[
        tuple[Resolution, ...],
        FromArray,
        About("Each image is trained at each of these resolutions, too; it then counts once for each.", unit="px"),
    ] = ()
    buckets: Annotated[
        Literal["log", "compat", "none"],
        About(
            "How an image's bucket is chosen: log, the nearest shape, with turned images in the turned bucket; compat, "
            "exactly as kohya sd-scripts does; none, every image is cropped to the square.",
            aka=("enable_bucket",),
            words=(("kohya", 'Write "compat": kohya\'s rule'),),
        ),
    ] = "log"
    bucket_upscale: Annotated[
        bool,
        About(
            "Enlarge images that are smaller than their bucket; false gives each image the size in which it keeps most, "
            "with 2 % of enlarging at most (log), or crops it as kohya's bucket_no_upscale does (compat).",
        ),
    ] = True
    bucket_step: Annotated[
        int,
        Field(ge=8, le=256, multiple_of=8),
        About("Bucket sides are multiples of this.", unit="px", source=KOHYA, aka=("bucket_reso_steps",)),
    ] = 64
    bucket_min: Annotated[
        int,
        Field(ge=16, le=4096),
        About(
            "The shortest side a bucket may have; no matter with bucket_upscale = false.",
            unit="px",
            source=KOHYA,
            aka=("min_bucket_reso",),
        ),
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
