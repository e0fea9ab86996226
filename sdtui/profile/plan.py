"""What a run would do, before it is started: images, batches, steps, files, disk, and time once one was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from sdtui.errors import UserError
from sdtui.paths import cache_dir
from sdtui.profile.launch_rules import world_size
from sdtui.profile.machine import memory_bytes, trains_on_processor
from sdtui.profile.memory import Memory, estimate, images_at_once, text_values, vae_values
from sdtui.profile.naming import Output, outputs
from sdtui.profile.prompt_line import is_comment, parse_prompt_line
from sdtui.profile.rate_text import length
from sdtui.profile.schema import Profile
from sdtui.profile.size import (
    BYTES,
    METADATA,
    Parts,
    Trained,
    folder_parts,
    text_width,
    trained,
    unet_values,
    word_values,
)

Size = tuple[int, int]

ENLARGED = 1.5
"""What is enlarged more than so many times is blurred in a way that training picks up."""

# PNG files of pictures take about this much a pixel.
_PREVIEW_BYTES = 1.6
# A picture that is an embedding: the picture, and each value as text and once more in pixels.
_CARD, _WRITTEN = 12_000, 40
# Mean and spread of four channels in fp32, one value for 8 × 8 pixels.
_LATENT_BYTES = 2 * 4 * 4 / 64


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


@dataclass(frozen=True, slots=True)
class Measured:
    """How fast an earlier run like this one was, from its events."""

    images_per_second: float


@dataclass(frozen=True, slots=True)
class BucketPlan:
    """One bucket: its size in px, its samples in an epoch, and the batches they make."""

    width: int
    height: int
    samples: int
    batches: int


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One kind of file the run leaves: where in the run's folder, how many at most, bytes each (None: not known)."""

    path: str
    count: int
    bytes_each: int | None

    @property
    def bytes(self) -> int | None:
        """Bytes of all of them."""
        return None if self.bytes_each is None else self.count * self.bytes_each


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Args:
        images: files that are trained.
        samples: images of one epoch, repeats, resolutions and regularisation counted.
        buckets: by size.
        batches_per_epoch: forward passes of an epoch; the last of a bucket may be smaller than the batch size.
        steps_per_epoch: optimizer steps of an epoch.
        steps: optimizer steps of the run.
        epochs: passes over the dataset; not whole when the profile gives steps.
        warmup_steps: steps until the learning rate is reached.
        trained_values: numbers that are learned; None when the base model's config cannot be read.
        files: what is written into the run's folder.
        caches: what is written beside it once and shared by all runs.
        bytes: of all files and caches; None when not known.
        seconds: duration by the measured speed; None before one was measured.
        warnings: what is odd about these figures, one sentence each.
        regularization: files that show what the model shall keep.
        held_out: files that are never trained, for the validation loss.
        measurements: how often the loss of these is measured.
        folders: of images, as they were found.
        memory: what is needed at the peak; None when the base model's configs cannot be read.
        generated: class images that the base model draws before training.
        generating_seconds: how much of the duration that takes; None as `seconds`.
    """

    images: int
    samples: int
    buckets: tuple[BucketPlan, ...]
    batches_per_epoch: int
    steps_per_epoch: int
    steps: int
    epochs: float
    warmup_steps: int
    trained_values: int | None
    files: tuple[PlannedFile, ...]
    caches: tuple[PlannedFile, ...]
    bytes: int | None
    seconds: float | None
    warnings: tuple[str, ...]
    regularization: int = 0
    held_out: int = 0
    measurements: int = 0
    folders: tuple[FolderPlan, ...] = ()
    memory: Memory | None = None
    generated: int = 0
    generating_seconds: float | None = None


def make_plan(profile: Profile, survey: Survey, measured: Measured | None = None, parts: Parts | None = None) -> Plan:
    """Count what training `profile` on the surveyed dataset comes to, as the trainer counts it.

    `parts` are the configs of a base model that is no folder.

    Raises:
        UserError: the dataset has no image.
    """
    if not survey.samples:
        raise UserError("the dataset has no image that can be trained", where="dataset.folders")
    training = profile.training
    buckets = tuple(
        BucketPlan(width, height, samples, math.ceil(samples / training.batch_size))
        for (width, height), samples in sorted(survey.buckets.items())
    )
    batches = sum(bucket.batches for bucket in buckets)
    # As in training: the last step of an epoch may gather fewer batches, and none spans two epochs.
    steps_per_epoch = math.ceil(batches / (training.accumulation * world_size(profile)))
    wanted = training.steps if training.steps is not None else (training.epochs or 0) * steps_per_epoch
    steps = length(profile.schedule.rates, wanted)
    epochs = steps / steps_per_epoch
    values = trained(profile, parts)
    measurements = _measurements(profile, survey, steps, steps_per_epoch)
    drawing = survey.generated * _drawing(profile)
    work = epochs * survey.samples + measurements * _measuring(profile, survey) + drawing
    files = _files(profile, steps, steps_per_epoch, values, parts)
    caches = _caches(profile, survey, parts)
    sizes = [file.bytes for file in (*files, *caches)]
    known = [size for size in sizes if size is not None]
    heaviest = max(survey.buckets, key=math.prod)
    memory = estimate(profile, [heaviest], parts, images=images_at_once(profile, heaviest, parts))
    return Plan(
        images=survey.images,
        samples=survey.samples,
        buckets=buckets,
        batches_per_epoch=batches,
        steps_per_epoch=steps_per_epoch,
        steps=steps,
        epochs=epochs,
        warmup_steps=warmup_steps(profile, steps),
        trained_values=values.values if values else None,
        files=files,
        caches=caches,
        bytes=sum(known) if len(known) == len(sizes) else None,
        seconds=work / measured.images_per_second if measured else None,
        warnings=(*_warnings(profile, survey, steps, epochs), *_memory_warnings(memory, profile.launch.processes)),
        regularization=survey.regularization,
        held_out=survey.held_out,
        measurements=measurements,
        folders=survey.folders,
        memory=memory,
        generated=survey.generated,
        generating_seconds=drawing / measured.images_per_second if measured else None,
    )


def warmup_steps(profile: Profile, steps: int) -> int:
    """Warm-up in steps: a whole number as it is, a share of all steps rounded."""
    warmup = profile.schedule.warmup
    return warmup if isinstance(warmup, int) else round(warmup * steps)


def undivided_folders(profile: Profile, folders: Sequence[FolderPlan]) -> str:
    """Which folders `validation.share` leaves whole, in a sentence; empty when it divides all that can be divided."""
    whole = [each for each in folders if each.images and not (each.held_out or each.regularization)]
    if not profile.validation.share or not whole:
        return ""
    more = f" and {len(whole) - 3} more folders" if len(whole) > 3 else ""
    named = ", ".join(PurePath(each.path).name for each in whole[:3])
    return f"validation.share holds out no image of {named}{more}: a folder of one image is never divided"


def _measurements(profile: Profile, survey: Survey, steps: int, steps_per_epoch: int) -> int:
    """How often the loss of held-out images is measured: before the first step, in between, and after the last."""
    settings = profile.validation
    if not (survey.held_out and (settings.every_steps or settings.every_epochs)):
        return 0
    return 2 + _times(steps - 1, settings.every_steps, settings.every_epochs * steps_per_epoch)


def _measuring(profile: Profile, survey: Survey) -> float:
    """What one measurement costs, in trained images: a forward pass is about a third of what an image's step is."""
    settings = profile.validation
    images = min(survey.held_out, settings.most_images * len(survey.folders) or survey.held_out)
    return images * len(settings.timesteps) / 3


def _drawing(profile: Profile) -> float:
    """What drawing one class image costs, in trained images: with guidance a sampler's step is two forward passes."""
    return profile.prior.generate_steps * (1 if profile.prior.generate_guidance == 1 else 2) / 3


def _files(
    profile: Profile, steps: int, steps_per_epoch: int, values: Trained | None, parts: Parts | None
) -> tuple[PlannedFile, ...]:
    previews = profile.previews
    output = _output_bytes(profile, values, parts)
    state = values.state_bytes(averaged=bool(profile.training.ema_decay)) if values else None
    words = word_values(profile.method, folder_parts(profile) if parts is None else parts) or {}
    if state and profile.method.kind != "full":
        # What is usable as it is.
        state += (output or 0) + sum(map(_word_bytes, words.values()))
    # Before the first step if wanted, every so many steps, and in any case at the end.
    planned = _times(steps - 1, previews.every, previews.every_epochs * steps_per_epoch)
    sets = previews.at_start + planned + 1
    sizes = [_preview_bytes(profile, line) for line in previews.prompts if not is_comment(line)]
    files = [
        *(_planned(each, output, words) for each in outputs(profile)),
        PlannedFile("checkpoints/step-*", _checkpoints(profile, steps, steps_per_epoch), state),
        PlannedFile("previews/step-*/*.png", sets * len(sizes), sum(sizes) // max(1, len(sizes))),
    ]
    return tuple(file for file in files if file.count)


def _planned(output: Output, size: int | None, words: Mapping[str, int]) -> PlannedFile:
    """A finished file: of what `size` is known of, or of a word."""
    if output.result:
        values = words.get(output.result)
        size = (
            None
            if values is None
            else _word_bytes(values) + (_CARD + values * _WRITTEN if "webui-" in output.layout else 0)
        )
    return PlannedFile(f"output/{output.path}", 1, size)


def _word_bytes(values: int) -> int:
    """An embedding file: its values in fp32, and metadata."""
    return 4 * values + METADATA


def _output_bytes(profile: Profile, values: Trained | None, parts: Parts | None) -> int | None:
    """Of a finished file: the adapter, or the whole model with its VAE."""
    precision = profile.saving.precision
    if values is None or profile.method.kind == "textual-inversion":
        return None
    if profile.method.kind == "lora":
        return values.adapter_bytes(precision)
    found = folder_parts(profile) if parts is None else parts
    unet, text, vae = unet_values(profile, parts), text_values(found), vae_values(found.get("vae", {}))
    return (unet + text + vae) * BYTES[precision] if unet and text and vae else None


def _times(steps: int, first: int, second: int) -> int:
    """How many of so many steps are a multiple of either; 0 has none."""
    both = math.lcm(first, second)
    return sum(steps // every for every in (first, second) if every) - (steps // both if both else 0)


def _preview_bytes(profile: Profile, line: str) -> int:
    shown = parse_prompt_line(line)
    side = profile.dataset.resolution
    return round((shown.width or side) * (shown.height or side) * _PREVIEW_BYTES)


def _caches(profile: Profile, survey: Survey, parts: Parts | None) -> tuple[PlannedFile, ...]:
    """Latents of the images, and what a text encoder that is not trained says of their captions."""
    latents = round(survey.pixels * _LATENT_BYTES / max(1, survey.encoded))
    width = text_width(profile, parts)
    text = None if width is None else 4 * width * (profile.captions.max_tokens + 2)
    caches = [PlannedFile(str(cache_dir() / "latents"), survey.encoded, latents)]
    if not (profile.method.text_encoder or profile.method.words):
        # In a caption without the trigger the class words stand alone, the same for all of them.
        classes = (survey.captions if profile.prior.trigger else 1) if profile.prior.keeps_class else 0
        texts = survey.captions + classes if survey.captions else 0
        caches.append(PlannedFile(str(cache_dir() / "texts"), texts, text))
    side = profile.dataset.resolution
    caches.append(PlannedFile("class images", survey.generated, round(side * side * _PREVIEW_BYTES)))
    return tuple(cache for cache in caches if cache.count)


def _checkpoints(profile: Profile, steps: int, steps_per_epoch: int) -> int:
    """How many are kept at most: the newest few of those that will be made (by the clock: as many as may be kept)."""
    saving = profile.saving
    every = [each for each in (saving.every_steps, saving.every_epochs * steps_per_epoch) if each]
    if saving.every_minutes or any(steps // each >= saving.keep_last for each in every):
        return saving.keep_last
    made = len({step for each in every for step in range(each, steps + 1, each)})
    return min(made, saving.keep_last)


def _memory_warnings(memory: Memory | None, processes: int) -> Iterator[str]:
    """Linux ends a process that takes more memory than there is, without an error that a run could answer."""
    if memory is not None and memory.device == "processor" and processes * memory.bytes > memory_bytes():
        yield (
            f"the run needs about {processes * memory.bytes / 1e9:.1f} GB of memory, and this machine has {memory_bytes() / 1e9:.1f} GB: lower"
            " training.batch_size and raise accumulation, or set training.gradient_checkpointing = true"
        )


def _warnings(profile: Profile, survey: Survey, steps: int, epochs: float) -> list[str]:
    found = []
    warm = warmup_steps(profile, steps)
    if warm > steps:
        found.append(f"the warm-up of {warm} steps is longer than the run of {steps} steps")
    if epochs < 1:
        found.append(f"the run ends after {epochs:.0%} of the first epoch: some images are never seen")
    if profile.previews.every > steps:
        found.append(f"previews.every = {profile.previews.every} is longer than the run of {steps} steps")
    if undivided := undivided_folders(profile, survey.folders):
        found.append(undivided)
    if profile.training.compile:
        sizes = f"each of {len(survey.buckets)} sizes" if len(survey.buckets) > 1 else "the one size"
        found.append(
            f"training.compile: the first step of {sizes} of images takes minutes and memory that these figures leave out"
            + ("; on the processor few runs win that back" if trains_on_processor(profile) else "")
        )
    if survey.enlarged:
        found.append(
            f"{survey.enlarged} of {survey.images} images must be enlarged more than {ENLARGED}×, the most {survey.largest:.1f}×:"
            " what is learned of them is blurred; use larger ones, or lower dataset.resolution"
        )
    return found
