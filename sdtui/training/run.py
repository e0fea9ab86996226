"""A training run from the frozen profile to the finished file, told as one story."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sdtui.profile.launch_rules import world_size
from sdtui.profile.load import load_frozen
from sdtui.profile.optimizers import sets_own_rate
from sdtui.profile.prior_rules import asks_frozen
from sdtui.training import class_images, methods, prepare, preview
from sdtui.training.compiling import compile_blocks
from sdtui.training.device import Opened, open_device
from sdtui.training.failures import Interrupted
from sdtui.training.methods.textual_inversion import require_starts
from sdtui.training.optimizer import GuardedStep, build, resolve
from sdtui.training.rendering import Renderer
from sdtui.training.session import Session
from sdtui.training.step import Stepper
from sdtui.training.validation import Validator

if TYPE_CHECKING:
    import torch

    from sdtui.dataset.collect import Collection
    from sdtui.profile.schema import Profile
    from sdtui.runs.layout import RunFolder
    from sdtui.training.crew import Crew
    from sdtui.training.data import DataOrder
    from sdtui.training.report import Report, State
    from sdtui.training.steering import Steering


def train(run: RunFolder, report: Report, steering: Steering, crew: Crew) -> State:
    """Train `run` to its end or until it is stopped; returns which. Each process of `crew` does this.

    Raises:
        SdtuiError: what ended it; the last checkpoint stands.
        Interrupted: it was stopped before training began.
    """
    session = open_session(run, report, steering, crew)
    session.resume()
    return session.train()


def open_session(run: RunFolder, report: Report, steering: Steering, crew: Crew) -> Session:
    """All that the steps of `run` need: read, met, loaded, encoded and put together.

    Raises:
        SdtuiError: one of these failed.
        Interrupted: the run was stopped meanwhile.
    """
    profile = load_frozen(run.profile_file)
    resolve(profile.optimizer)  # what is not installed is said before the long work, not after
    requests = list(preview.requests(profile))
    steering.expect(profile.previews.every, len(requests))
    steering.rate_is_ours = not sets_own_rate(profile.optimizer.name, profile.optimizer.args)
    start = _Start(run, report, steering, crew)
    collection = prepare.gather(profile, start.only_signals)
    profile = start.meet(profile, collection)
    if collection.missing:
        report.state("sampling")
        class_images.draw(profile, collection.missing, start.device, report, crew, check=start.check)
        collection = prepare.gather(profile, start.check)

    fit = prepare.make_fit(profile, prepare.trained(collection.samples), report, crew)

    require_starts(profile)
    report.state("loading")
    # What there is to encode is seen first: reading and scaling needs another core than importing and loading do.
    expected = prepare.expect(profile, start.device)
    cache = prepare.open_cache(profile, collection, expected, report, start.check, crew=crew)
    with cache.rendering():
        model = expected.model = prepare.load(profile, start.device, report)
    trainable = methods.prepare(model, profile.method, profile.training.seed)
    if asks_frozen(profile):
        trainable.remember()
    report.state("caching")
    start.check()
    data = prepare.cache_images(profile, cache, model, report, start.check, crew=crew)
    if len(data.samples) < len(prepare.trained(collection.samples)):
        start.introduce(data.order)
    live = trainable.trains_text_encoder
    captions = prepare.make_captions(profile, data.samples, data.order)
    conditioning = prepare.cache_texts(
        profile, captions, model, report, start.check, trained=live, measured=data.held_out.texts, crew=crew
    )
    start.check()
    if profile.training.compile:
        compile_blocks(model.unet, report.log, report.warning)

    accelerator, settings = start.opened.accelerator, profile.training
    optimizer = accelerator.prepare(build(trainable.parameter_groups(profile), profile.optimizer))
    apply = GuardedStep(
        accelerator, optimizer, settings.clip_norm, settings.ema_decay, trainable.limit,
        fused_backward=settings.fused_backward,
    )  # fmt: skip
    stepper = Stepper(
        accelerator, model, data.order, data.latents, captions, conditioning, apply, profile, live, trainable.frozen,
        fit, crew,
    )  # fmt: skip
    renderer = Renderer(run, report, steering, model, requests, apply)
    validator = Validator(stepper, data.held_out, profile.validation, report, steering)
    return Session(run, profile, report, steering, model, trainable, data, stepper, renderer, validator, crew)


@dataclass
class _Start:
    """What goes on while a run is not stepping yet: commands are waited for, processes meet, watchers are told."""

    run: RunFolder
    report: Report
    steering: Steering
    crew: Crew
    opened: Opened = field(init=False)

    @property
    def device(self) -> torch.device:
        """Where the run computes, known once it has met."""
        device: torch.device = self.opened.accelerator.device
        return device

    def check(self) -> None:
        """Obey commands; to be called often."""
        self.steering.poll()
        self.only_signals()

    def only_signals(self) -> None:
        """Answers to commands wait until watchers have been told what the run is."""
        if self.steering.stopping:
            raise Interrupted

    def meet(self, profile: Profile, collection: Collection) -> Profile:
        """Open the device together with the run's other processes, and tell what will be done; the settled profile."""
        report, crew = self.report, self.crew
        if crew.place.machine:
            self.steering.follow()
        if crew.place.machines > 1:
            report.log(f"meeting the other machines at {crew.place.address}, port {crew.place.port}")
        self.opened = open_device(profile, crew, self.only_signals)
        profile = self.opened.profile
        self.introduce(prepare.make_order(profile, prepare.trained(collection.samples)))
        report.log(self.opened.told())
        crew.require_same({"the images or captions": collection.digest, **prepare.what_is_shared(profile)})
        report.dataset(collection.digest)
        if not crew.place.process:
            prepare.tell_dataset(collection, report)
        return profile

    def introduce(self, order: DataOrder) -> None:
        """Tell watchers what will be done."""
        profile = self.opened.profile
        total = prepare.total_steps(profile, order)
        saved = self.run.complete_checkpoints()
        self.report.begin(
            total=total,
            epochs=order.epoch_of(total - 1) + 1,
            images=order.images,
            device=str(self.device),
            precision=profile.training.precision,
            threads=self.opened.threads,
            processes=world_size(profile),
            resumed_from=saved[-1][1].name if saved else None,
        )
