"""What a run would do, before it is started: images, batches, steps, files, disk, and time once one was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from sdtui.amounts import bytes_text
from sdtui.errors import UserError
from sdtui.profile.launch_rules import world_size
from sdtui.profile.machine import memory_bytes, trains_on_processor
from sdtui.profile.memory import Memory, estimate, images_at_once
from sdtui.profile.planned_files import PlannedFile, caches, run_files, times
from sdtui.profile.rate_text import length
from sdtui.profile.schema import Profile
from sdtui.profile.size import Parts, trained
from sdtui.profile.surveyed import ENLARGED, FolderPlan, Survey


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
    files = run_files(profile, steps, steps_per_epoch, values, parts)
    cached = caches(profile, survey, parts)
    sizes = [file.bytes for file in (*files, *cached)]
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
        caches=cached,
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
    return 2 + times(steps - 1, settings.every_steps, settings.every_epochs * steps_per_epoch)


def _measuring(profile: Profile, survey: Survey) -> float:
    """What one measurement costs, in trained images: a forward pass is about a third of what an image's step is."""
    settings = profile.validation
    images = min(survey.held_out, settings.most_images * len(survey.folders) or survey.held_out)
    return images * len(settings.timesteps) / 3


def _drawing(profile: Profile) -> float:
    """What drawing one class image costs, in trained images: with guidance a sampler's step is two forward passes."""
    return profile.prior.generate_steps * (1 if profile.prior.generate_guidance == 1 else 2) / 3


def _memory_warnings(memory: Memory | None, processes: int) -> Iterator[str]:
    """Linux ends a process that takes more memory than there is, without an error that a run could answer."""
    if memory is not None and memory.device == "processor" and processes * memory.bytes > memory_bytes():
        yield (
            f"the run needs about {bytes_text(processes * memory.bytes)} of memory, and this machine has"
            f" {bytes_text(memory_bytes())}: lower training.batch_size and raise accumulation, or set training.gradient_checkpointing = true"
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
