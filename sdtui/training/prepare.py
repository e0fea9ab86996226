"""From a frozen profile to everything a step needs: model, method, caches, order, optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sdtui.dataset.collect import Collection, Sample, collect
from sdtui.dataset.pipeline import unvaried
from sdtui.dataset.survey import folder_line, folder_plans
from sdtui.dataset.templates import lines_of, template_of
from sdtui.dataset.words import require_read_words
from sdtui.errors import SdtuiError, UserError
from sdtui.models.family import Expected, Eyes, Model, expect_model, load_model
from sdtui.models.hub import fetched
from sdtui.models.noise_schedule import retarget
from sdtui.models.recognise import plan_parts
from sdtui.profile.folder_rules import augment_of, captions_of
from sdtui.profile.launch_rules import world_size
from sdtui.profile.memory import images_at_once
from sdtui.profile.rate_text import length
from sdtui.training.cache import LatentCache, Latents
from sdtui.training.captions import CaptionSource
from sdtui.training.conditioning import (
    CachedConditioning,
    Conditioning,
    DrawnConditioning,
    live_conditioning,
    reading_of,
)
from sdtui.training.crew import Crew
from sdtui.training.data import DataOrder
from sdtui.training.fitting import Fit
from sdtui.training.objective import require_suited
from sdtui.training.prior import require_own_answers
from sdtui.training.store import key_of
from sdtui.training.validation import HeldOut

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile
    from sdtui.training.report import Report

# So many of the images that cannot be read are named.
_SHOWN = 20

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Check = Callable[[], None]
"""Called often during long work; raises when the run is to end."""


@dataclass(frozen=True)
class Data:
    """The dataset as a run uses it: `samples` are those that are trained on, regularisation among them."""

    samples: tuple[Sample, ...]
    latents: Latents
    order: DataOrder
    held_out: HeldOut
    digest: str


def gather(profile: Profile, check: Check) -> Collection:
    """Read the dataset's headers and captions, and refuse what the profile does not tolerate.

    Raises:
        UserError: lists what forbids training.
    """
    collection = collect(profile, lambda _done, _total: check())
    collection.require(profile)
    require_read_words(profile, collection)
    return collection


def tell_dataset(collection: Collection, report: Report) -> None:
    """Say what the folders were found to be, and what is wrong with them although the profile lets it pass."""
    folders = list(folder_plans(collection))
    report.write("dataset", folders=[asdict(folder) for folder in folders])
    report.log("\n  ".join(["images:", *map(folder_line, folders)]))
    if collection.problems:
        count, first = len(collection.problems), collection.problems[0]
        # Who starts a run is told of each by then; others find them here.
        report.log("\n  ".join(["problems of the dataset:", *map(str, collection.problems)]))
        told = f"1 problem of the dataset: {first}"
        if count > 1:
            told = f"{count} problems of the dataset, which log.txt names; the first: {first}"
        report.warning(UserError(f"training in spite of {told}"))


def load(profile: Profile, device: torch.device, report: Report) -> Model:
    """The base model, in the precision and with the memory settings of the profile, predicting what it is to learn.

    Raises:
        UserError: a part of it cannot be read, or cannot learn that.
    """
    place, vae = _model_files(profile)
    training = profile.training
    # What learns keeps its small changes in fp32 only; steps compute in the run's precision all the same.
    dtype = torch.float32 if profile.method.kind == "full" else PRECISIONS[training.precision]
    model = load_model(place, vae, device, dtype, training.base_precision)
    report.log(f"the base model {model.name} is of the family {model.family}")
    if model.assumed and profile.objective.prediction == "auto":
        report.warning(SdtuiError(model.assumed, where=str(place), remedy="If it is wrong, set objective.prediction"))
    objective, base = profile.objective, model.prediction_type
    retarget(model, objective.prediction, zero_terminal_snr=objective.zero_terminal_snr)
    require_suited(objective, model.prediction_type)
    require_own_answers(profile, base, model.prediction_type)
    if training.channels_last:
        # Convolutions answer in the layout of their weights, so the states follow.
        model.unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if training.gradient_checkpointing:
        model.checkpoint_gradients()
    return model


def expect(profile: Profile, device: torch.device) -> Expected:
    """Of what `load` will load, that on which latents depend.

    Raises:
        UserError: the model is of no known kind, or its VAE is missing or cannot be read.
    """
    return expect_model(*_model_files(profile), device)


def _model_files(profile: Profile) -> tuple[Path, Path | None]:
    """Where the base model lies, and the VAE in place of its own if one is named."""
    vae = Path(profile.model.vae) if profile.model.vae else None
    return fetched(profile.model.base, download=profile.model.download), vae


def make_fit(profile: Profile, samples: Sequence[Sample], report: Report, crew: Crew) -> Fit:
    """How many images of each bucket of `samples` are taken at once, as far as that is known before anything is loaded."""
    # Processes that found different sizes would not agree on who takes what after a resume.
    fit = Fit(widens=world_size(profile) == 1)
    parts, wanted = plan_parts(profile), profile.training.batch_size
    for bucket in sorted({sample.bucket for sample in samples}):
        # Also where all fit: a resume that finds less memory would else cut otherwise, and end with other bits.
        fit.limit(bucket, min(images_at_once(profile, bucket, parts), wanted))
    fit.merge(crew.of_all(fit.state()))
    settled = crew.of_first(report.settled(fit.state()))
    fit.restore(settled)
    for name, (most, *_) in settled.items():
        if most < wanted:
            report.log(f"of a batch of {wanted} images of {name.replace('x', '×')} px, {most} are taken at once")
    return fit


def what_is_shared(profile: Profile) -> dict[str, str]:
    """The settings that must be the same on all machines of a run, by section; files may lie elsewhere on each."""
    sections = ("method", "captions", "augment", "training", "objective", "prior", "optimizer", "schedule")
    return {f"the settings of [{name}]": getattr(profile, name).model_dump_json() for name in sections}


def make_order(profile: Profile, samples: Sequence[Sample]) -> DataOrder:
    """The order in which the profile trains on `samples`."""
    return DataOrder(
        [sample.bucket for sample in samples],
        [sample.repeats for sample in samples],
        profile.training.batch_size,
        # A step's batches are dealt out to the processes: one process with as many batches takes the same step.
        profile.training.accumulation * world_size(profile),
        profile.training.seed,
        frozenset(number for number, sample in enumerate(samples) if sample.role == "regularization"),
        profile.prior.keeps_class,
    )


def open_cache(
    profile: Profile, collection: Collection, eyes: Eyes, report: Report, check: Check, *, crew: Crew | None = None
) -> LatentCache:
    """See which images are encoded already; of the others each process takes its share."""
    samples = [*trained(collection.samples), *(collection.held_out if measures(profile) else ())]
    augments = [augment_of(profile, row) for row in range(len(profile.dataset.folders))]
    progress = partial(_progress, report, check, "reading images")
    crew = crew or Crew()
    with crew.first_on_machine():
        cache = LatentCache(eyes, samples, profile.dataset.background, augments, progress=progress)
    cache.leave_to_others(crew.share)
    return cache


def _progress(report: Report, check: Check, job: str, done: int, total: int) -> None:
    check()
    report.progress(job, done, total, "images")


def cache_images(
    profile: Profile, cache: LatentCache, model: Model, report: Report, check: Check, *, crew: Crew | None = None
) -> Data:
    """Encode the images that were not encoded before, and settle what is trained on; each process encodes its share.

    The VAE is not needed after that, but for previews.

    Raises:
        UserError: images cannot be decoded and the profile does not say to skip them; all are listed.
    """
    crew, samples = crew or Crew(), cache.samples
    mine = cache.fill(partial(_progress, report, check, "encoding images"))
    model.rest("vae")
    found = {index: error for theirs in crew.of_all(mine) for index, error in theirs.items()}
    unreadable = dict(sorted(found.items()))
    if unreadable:
        _tell_unreadable(list(unreadable.values()), profile, report, aside=crew.place.process > 0)
    if cache.store.failure is not None:
        report.warning(cache.store.failure)
    kept = [index for index in range(len(samples)) if index not in unreadable]
    taught = [index for index in kept if samples[index].role != "validation"]
    if all(samples[index].role == "regularization" for index in taught):
        raise UserError("the dataset has no image that can be trained", where="dataset.folders")
    teaching, latents = tuple(samples[index] for index in taught), cache.latents(taught)
    held_out = _held_out(profile, samples, [index for index in kept if samples[index].role == "validation"], cache)
    captions = [f"{sample.repeats} {sample.caption}" for sample in teaching]
    lines = lines_of(profile.captions)
    digest = key_of(latents.digest, held_out.latents.digest, *captions, *held_out.texts, *lines)
    return Data(teaching, latents, make_order(profile, teaching), held_out, digest)


def trained(samples: Sequence[Sample]) -> list[Sample]:
    """Those that steps are taken on."""
    return [sample for sample in samples if sample.role != "validation"]


def measures(profile: Profile) -> bool:
    """Whether the loss of held-out images is ever measured."""
    return bool(profile.validation.every_steps or profile.validation.every_epochs)


def _held_out(profile: Profile, samples: Sequence[Sample], numbers: Sequence[int], cache: LatentCache) -> HeldOut:
    """The samples with these `numbers`, as they are measured."""
    found = [samples[number] for number in numbers]
    texts = [
        unvaried(sample.caption, captions_of(profile, sample.row), template_of(profile, sample.row)) for sample in found
    ]
    return HeldOut(found, cache.latents(numbers), texts)


def total_steps(profile: Profile, order: DataOrder) -> int:
    """Optimizer steps of the run; a text of rates may end it before the profile's steps or epochs are done."""
    return length(profile.schedule.rates, order.total_steps(profile.training.steps, profile.training.epochs))


def make_captions(profile: Profile, samples: Sequence[Sample], order: DataOrder) -> CaptionSource:
    """The captions of `samples`, as the profile has them read."""
    training = profile.training
    total = total_steps(profile, order)
    rows = range(len(profile.dataset.folders))
    rules, templates = [captions_of(profile, row) for row in rows], [template_of(profile, row) for row in rows]
    texts = [sample.caption for sample in samples]
    read, put = [rules[sample.row] for sample in samples], [templates[sample.row] for sample in samples]
    return CaptionSource(texts, read, order, training.seed, total, profile.prior, put)


def cache_texts(
    profile: Profile,
    captions: CaptionSource,
    model: Model,
    report: Report,
    check: Check,
    *,
    trained: bool,
    measured: Sequence[str] = (),
    crew: Crew | None = None,
) -> Conditioning:
    """How captions, and the texts of what is `measured`, become conditioning.

    Live if the text encoder is `trained`; else from a cache, which is filled here unless each step draws its own texts.
    With all of them in the cache, the text encoder is not needed any more, but for previews.
    """
    rules = profile.captions
    reading = reading_of(rules)
    if trained:
        return live_conditioning(model, reading)
    if not captions.settled:
        return DrawnConditioning(model, reading, rules.cache_mib << 20)

    def progress(done: int, total: int) -> None:
        check()
        report.progress("encoding captions", done, total, "captions")

    cached = CachedConditioning(model, reading)
    crew = crew or Crew()
    cached.fill(crew.share(sorted({*captions.all_texts(), *measured})), progress)
    model.rest("text")
    crew.wait()
    if cached.store.failure is not None:
        report.warning(cached.store.failure)
    return cached


def _tell_unreadable(errors: list[Any], profile: Profile, report: Report, *, aside: bool = False) -> None:
    """Raise, or go on and tell it, unless that is for another process to do."""
    lines = [f"  {error.where}: {error.message}" for error in errors[:_SHOWN]]
    listed = "\n".join([*lines, *([f"  … {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else [])])
    images = "1 image" if len(errors) == 1 else f"{len(errors)} images"
    if profile.dataset.on_unreadable == "stop":
        raise UnreadableImagesError(f"{images} cannot be read:\n{listed}", [str(error.where) for error in errors])
    if not aside:
        report.warning(UserError(f"training without {images} that cannot be read:\n{listed}"))


class UnreadableImagesError(UserError):
    """Images whose header was fine but whose pixels are not; `images` lists them all."""

    def __init__(self, message: str, images: list[str]) -> None:
        super().__init__(message, remedy='Mend or remove them, or set dataset.on_unreadable = "skip"')
        self.images = images
