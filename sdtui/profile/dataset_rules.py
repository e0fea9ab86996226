"""Settings of the images that are each allowed and do not go together; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sdtui.profile.folder_rules import augment_of, is_coloured
from sdtui.profile.no_effect import changed, idle
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


def buckets(profile: Profile) -> Iterator[Finding]:
    """Each resolution's square must be made of whole steps, and fit between the limits where the rule has some.

    kohya's rule takes a resolution for an area, which may be any: 768 × 512 is that of 628.
    """
    data = profile.dataset
    if data.bucket_min > data.bucket_max:
        yield Finding(
            "contradiction",
            "dataset.bucket_min",
            f"dataset.bucket_min = {data.bucket_min} is above dataset.bucket_max = {data.bucket_max}",
            "Swap them, or leave both out",
            f"up to {data.bucket_max}",
        )
    limited = data.buckets != "none" and data.bucket_upscale
    for key, at, resolution in _resolutions(profile):
        said = f"{at or key} = {resolution}"
        inside = data.bucket_min <= resolution <= data.bucket_max
        if limited and data.bucket_min <= data.bucket_max and not inside:
            yield Finding(
                "contradiction",
                key,
                f"{said} is outside the sides that buckets may have",
                _allowing(resolution, data.bucket_min, data.bucket_max),
                f"{data.bucket_min}…{data.bucket_max}",
                at,
            )
        if resolution % data.bucket_step and (data.buckets != "compat" or resolution < data.bucket_step):
            near = max(round(resolution / data.bucket_step), 1) * data.bucket_step
            yield Finding(
                "contradiction",
                key,
                f"{said} is not a multiple of dataset.bucket_step = {data.bucket_step}",
                f"The nearest is {near}",
                f"a multiple of {data.bucket_step}",
                at,
            )


def _allowing(resolution: int, least: int, most: int) -> str:
    """How a resolution outside the limits can be trained."""
    if resolution < least:
        return f"Set dataset.bucket_min = {resolution} as well, or train at {least} or more"
    return f"Set dataset.bucket_max = {resolution} as well, or train at {most} or less"


def _resolutions(profile: Profile) -> Iterator[tuple[str, str, int]]:
    """Every resolution with its key and, in a list, its place there."""
    data = profile.dataset
    yield "dataset.resolution", "", data.resolution
    lists = {"dataset.more_resolutions": data.more_resolutions}
    lists |= {f"dataset.folders[{row}].resolutions": folder.resolutions for row, folder in enumerate(data.folders)}
    for key, resolutions in lists.items():
        yield from ((key, f"{key}[{place}]", resolution) for place, resolution in enumerate(resolutions))


def bucket_sides(profile: Profile) -> Iterator[Finding]:
    """Limits that are no multiple of the step work, but mean another number than they say.

    The list of buckets takes in the next step on both sides, as kohya's does; without one nothing goes beyond the limit.
    """
    data = profile.dataset
    for name, up in (("bucket_min", False), ("bucket_max", data.bucket_upscale)):
        side: int = getattr(data, name)
        if side % data.bucket_step:
            means = max(side // data.bucket_step + up, 1) * data.bucket_step
            message = f"dataset.{name} = {side} is not a multiple of dataset.bucket_step = {data.bucket_step}"
            yield Finding("rounded", f"dataset.{name}", message, f"It means {means}", severity="warning")


def bucket_rule(profile: Profile) -> Iterator[Finding]:
    """Settings of a list of buckets do nothing where there is none."""
    data = profile.dataset
    names: tuple[str, ...]
    if data.buckets == "none":
        names, why = ("bucket_upscale", "bucket_min", "bucket_max"), 'with dataset.buckets = "none" there is one size'
    elif data.bucket_upscale:
        return
    elif data.buckets == "compat":
        names, why = ("bucket_min", "bucket_max"), "kohya's rule has no limits with dataset.bucket_upscale = false"
    else:
        names, why = ("bucket_min",), "small images get small buckets with dataset.bucket_upscale = false"
    for name in changed(data, *names):
        yield idle(f"dataset.{name}", why, "Leave it out")


def background(profile: Profile) -> Iterator[Finding]:
    """A colour that Pillow knows."""
    from PIL import ImageColor

    try:
        ImageColor.getrgb(profile.dataset.background)
    except ValueError:
        yield Finding(
            "not-allowed",
            "dataset.background",
            f'dataset.background is "{profile.dataset.background}"',
            allowed="a colour name such as white, or #rrggbb",
        )


def folders(profile: Profile) -> Iterator[Finding]:
    """At least one folder of images, and none twice."""
    rows = profile.dataset.folders
    if not rows:
        remedy = 'Add a [[dataset.folders]] table with path = "…"'
        yield Finding("missing", "dataset.folders", "the profile names no folder of images", remedy)
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        earlier = first.setdefault(row.path, index)
        if earlier != index and row.path != "-":
            message = f"dataset.folders[{index}].path is the same folder as dataset.folders[{earlier}].path"
            remedy = "Its images count twice; repeats says that more plainly"
            yield Finding("twice", f"dataset.folders[{index}].path", message, remedy, severity="warning")


def roles(profile: Profile) -> Iterator[Finding]:
    """A folder has one purpose, and one at least is there to be trained."""
    rows = profile.dataset.folders
    for index, row in enumerate(rows):
        key = f"dataset.folders[{index}]"
        if row.regularization and row.validation:
            message = f"{key}: its images are held out and cannot be regularisation images, too"
            yield Finding("contradiction", f"{key}.validation", message, "Keep one of the two")
        if row.validation and row.repeats > 1:
            yield idle(f"{key}.repeats", "held-out images are not trained", "Leave it out")
    if rows and all(row.regularization or row.validation for row in rows):
        message = "all folders hold regularisation or held-out images: none is left to train"
        yield Finding("contradiction", "dataset.folders", message, "Add a folder of images to train")


def held_out(profile: Profile) -> Iterator[Finding]:
    """Images are held out to be measured, and in one way."""
    validation = profile.validation
    whole = [index for index, row in enumerate(profile.dataset.folders) if row.validation]
    if not whole and not validation.share:
        for name in changed(validation, "seed", "every_steps", "every_epochs", "timesteps", "most_images"):
            yield idle(f"validation.{name}", "no image is held out", "Set share = 0.1, for example, or leave it out")
        return
    if whole and validation.share:
        message = f"dataset.folders[{whole[0]}] is held out, and validation.share takes images of the others as well"
        remedy = "Leave share out to train all of the others"
        yield Finding("both", "validation.share", message, remedy, severity="warning")
    if not validation.every_steps and not validation.every_epochs:
        yield Finding(
            "no-effect",
            "validation.every_epochs",
            "images are held out, and the loss is never measured on them",
            "Set validation.every_epochs = 1, or hold none out",
            severity="warning",
        )


def masks(profile: Profile) -> Iterator[Finding]:
    """Masks lie apart from the images, and what is to be kept is kept as a whole."""
    for index, row in enumerate(profile.dataset.folders):
        key = f"dataset.folders[{index}]"
        if row.masks and row.masks == row.path:
            message = f"{key}.masks is the folder of the images: each would be its own mask"
            yield Finding("contradiction", f"{key}.masks", message, "Name the folder that holds the masks")
        if row.regularization and (row.masks or row.alpha_mask):
            name = "masks" if row.masks else "alpha_mask"
            message = f"{key}.{name}: of its regularisation images only what a mask shows is kept"
            remedy = "Leave it out to keep the whole of them"
            yield Finding("masked-regularization", f"{key}.{name}", message, remedy, severity="warning")


def variants(profile: Profile) -> Iterator[Finding]:
    """Variants differ in crop and colour only."""
    rows = [augment_of(profile, row) for row in range(len(profile.dataset.folders))] or [profile.augment]
    if "variants" in changed(profile.augment, "variants") and not any(
        row.crop == "random" or is_coloured(row) for row in rows
    ):
        yield idle(
            "augment.variants",
            "neither crop nor colour is varied",
            'Set augment.crop = "random" or a change of colour, or leave it out',
        )


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    buckets: (
        "dataset.resolution",
        "dataset.more_resolutions",
        "dataset.bucket_min",
        "dataset.bucket_max",
        "dataset.bucket_step",
        "dataset.folders",
    ),
    bucket_sides: ("dataset.bucket_min", "dataset.bucket_max", "dataset.bucket_step"),
    bucket_rule: ("dataset.buckets", "dataset.bucket_upscale", "dataset.bucket_min", "dataset.bucket_max"),
    background: ("dataset.background",),
    folders: ("dataset.folders",),
    roles: ("dataset.folders",),
    held_out: ("dataset.folders", "validation.share", "validation.every_steps", "validation.every_epochs"),
    masks: ("dataset.folders",),
    variants: ("augment.variants", "dataset.folders"),
}
