"""The part of a run that steps: the loop, and all that may happen between two steps."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from sdtui.errors import SdtuiError
from sdtui.formats.metadata import TrainingFacts, describe, describe_dataset
from sdtui.training import checkpoint, memory, prepare
from sdtui.training.crew import Crew, Word
from sdtui.training.crowding import Crowding, used
from sdtui.training.failures import NotFiniteError
from sdtui.training.optimizer import set_rates
from sdtui.training.rendering import Renderer
from sdtui.training.saving import SavePlan, Saver
from sdtui.training.schedule import rate_factor
from sdtui.training.step import Stepper, Taken
from sdtui.training.stops import Stops
from sdtui.training.timing import Pace
from sdtui.training.validation import Timetable, Validator

if TYPE_CHECKING:
    from sdtui.models.family import Model
    from sdtui.profile.schema import Profile
    from sdtui.runs.layout import RunFolder
    from sdtui.training.methods.method import Trainable
    from sdtui.training.report import Report, State
    from sdtui.training.steering import Steering


class Pending(NamedTuple):
    """A step whose numbers have not been read yet, with the rates it used and the seconds until the next."""

    taken: Taken
    rates: dict[str, float]
    seconds: float


@dataclass
class Session:
    """A run whose parts are put together: it can be resumed, and trained step by step or to its end."""

    run: RunFolder
    profile: Profile
    report: Report
    steering: Steering
    model: Model
    trainable: Trainable
    data: prepare.Data
    stepper: Stepper
    renderer: Renderer
    validator: Validator
    crew: Crew
    step: int = 0
    saved_step: int = 0
    pending: Pending | None = None
    started: float = field(default_factory=time.time)
    pace: Pace = field(default_factory=Pace)
    crowding: Crowding = field(default_factory=lambda: Crowding(torch.get_num_threads(), os.cpu_count() or 1, used))

    def __post_init__(self) -> None:
        """Work out how long the run is and when it saves."""
        profile = self.profile
        self.total = prepare.total_steps(profile, self.data.order)
        self.plan = SavePlan(profile.saving, self.data.order.steps_per_epoch)
        self.timetable = Timetable(profile.validation, self.data.order.steps_per_epoch, self.total)
        self.optimizer = self.stepper.apply.optimizer
        self.stops = Stops(
            # Text encoders that are not trained need not be in memory.
            profile, self.optimizer, lambda: self.model.components, steps=self.total,
            steps_per_epoch=self.data.order.steps_per_epoch,
        )  # fmt: skip
        self.saver = Saver(
            self.run, self.report, self.steering, profile, self.trainable, self.stepper.apply, self.describe
        )

    def resume(self) -> None:
        """Go back to the last complete checkpoint, if there is one."""
        # Process 0's, wherever the others run: theirs is another disk, or would be the same folder a second time.
        found = self.crew.of_first(self._latest() if self.crew.leads else None)
        if found is None:
            self.report.resumed(0)
            return
        if found.progress.dataset != self.data.digest:
            changed = "the images or captions have changed since this checkpoint; the run goes on with the new ones"
            self.report.warning(SdtuiError(changed, where=str(found.path)))
        self.trainable.load_state(found.parameters)
        checkpoint.restore_optimizer(self.optimizer, found.optimizer, found.progress.optimizer)
        self.stepper.apply.restore_scaler(found.progress.scaler)
        average = self.stepper.apply.average
        if average is not None:
            with average.in_place():
                self.trainable.load_state(found.average)
            average.restore(found.progress.averaged)
        self.stepper.fit.restore(found.progress.fit)
        self.step = self.saved_step = found.progress.step
        self.timetable.measured = found.progress.measured
        self.steering.rate_factor = found.progress.rate_factor
        self.steering.previews_every = found.progress.previews_every
        self.report.resumed(self.step)

    def _latest(self) -> checkpoint.Checkpoint | None:
        checkpoint.clear_partial(self.run)
        found, damaged = checkpoint.load_latest(self.run)
        for path in damaged:
            self.report.warning(SdtuiError("this checkpoint is damaged and was set aside", where=str(path)))
        return found

    def train(self) -> State:
        """All steps that are left, then the finished file and its previews, which process 0 makes."""
        if self.step == 0 and self.profile.previews.at_start and self.crew.leads:
            self.renderer.render(0)
        while self.step < self.total:
            self.between_steps()
            if not self.goes_on():
                self.crew.disband()
                return "stopped"
            self.take_step()
        self.between_steps()
        self.settle()
        self.crew.disband()
        if self.crew.leads:
            self.saver.output(self.step)
            self.renderer.render(self.step)
        return "finished"

    def goes_on(self) -> bool:
        """Whether a step is taken: process 0 decides, and all take it at the same rate."""
        steering = self.steering
        word = self.crew.agree(Word(not steering.stopping, steering.rate_factor, bool(steering.stopping)))
        steering.rate_factor = word.rate_factor
        if self.crew.leads and word.asked_to_stop:
            # At the next boundary, where what is done is saved.
            steering.stopping = steering.stopping or "another machine was told to stop"
        if not self.crew.leads and not word.go:
            steering.stopping = "the run ends on machine 0"
        return word.go

    def take_step(self) -> None:
        """Hand the next step to the device, then read the numbers of the one before."""
        began = time.perf_counter()
        profile = self.profile
        planned = self.data.order.total_steps(profile.training.steps, profile.training.epochs)
        schedule = rate_factor(profile.schedule, self.step, planned, profile.optimizer.learning_rate)
        for group in self.stops.reach(self.step):
            self.report.write("stop_point", step=self.step, group=group)
            self.report.log(f"{group} learns no more after step {self.step}")
        rates = set_rates(self.optimizer, schedule * self.steering.rate_factor)
        rates = {group: rate for group, rate in rates.items() if group not in self.stops.stopped}
        taken = self.stepper.take(self.step)
        for cut in taken.cuts:
            self.report.warning(cut.told())
        self.step += 1
        self.settle()
        self.pending = Pending(taken, rates, time.perf_counter() - began)

    def settle(self) -> None:
        """Read the numbers of the last step, tell them, and refuse to go on if they are not finite."""
        if self.pending is None:
            return
        (taken, rates, seconds), self.pending = self.pending, None
        loss, norm, refused, kept, *norms = taken.readout.read()
        if refused:
            images = [str(self.data.samples[sample].path) for sample in taken.samples]
            raise NotFiniteError(taken.number, loss, images)
        self.pace.add(len(taken.samples), seconds, taken.marks.seconds())
        self.report.reached(taken.number, loss)
        self.report.write(
            "step", step=taken.number, epoch=self.data.order.epoch_of(taken.number - 1) + 1, loss=loss, lr=rates,
            grad_norm=norm, seconds=round(seconds, 5), images=len(taken.samples),
            **({"loss_prior": kept} if self.stepper.keeps else {}),
        )  # fmt: skip
        if self.pace.due():
            if crowded := self.crowding.noticed():
                self.report.warning(crowded)
            self.report.write(
                "stats", step=taken.number, images_per_second=round(self.pace.images_per_second(), 3),
                eta_seconds=round(self.pace.eta_seconds(self.total - taken.number), 1), time=self.pace.shares(),
                memory=memory.usage(self.stepper.accelerator.device),
                **({"norms": dict(zip(("scaled", "mean", "max"), norms, strict=True))} if norms else {}),
            )  # fmt: skip

    def between_steps(self) -> None:
        """Obey commands; measure, save, then preview, where one is due; stay here while paused."""
        self.steering.poll()
        if not self.crew.leads:
            self.report.state("training")
            return
        self.validate_if_due()
        self.save_if_due(planned=self.step > self.saved_step and self.plan.due(self.step))
        self.preview_if_due(planned=0 < self.step < self.total and self._preview_planned())
        self.saver.wait_for_space()
        while self.steering.paused and not self.steering.stopping:
            self.settle()
            self.report.state("paused", "pause command")
            self.steering.wait()
            self.save_if_due()
            self.preview_if_due()
        if not self.steering.stopping:
            self.report.state("training")

    def _preview_planned(self) -> bool:
        """Whether the profile (or a command, of steps) asks for previews at this step."""
        epochs = self.profile.previews.every_epochs * self.data.order.steps_per_epoch
        return any(every and self.step % every == 0 for every in (self.steering.previews_every, epochs))

    def validate_if_due(self) -> None:
        """The loss of the held-out images; before the save, so that a checkpoint knows that its step was measured."""
        if not self.validator.chosen or self.steering.stopping or not self.timetable.due(self.step):
            return
        self.settle()
        if self.validator.measure(self.step):
            self.timetable.measured = self.step

    def save_if_due(self, *, planned: bool = False) -> None:
        """A checkpoint, if the profile, a command or the end of the run asks for one; before any preview."""
        commands = self.steering.take_saves()
        if not (planned or commands or self.steering.stopping):
            return
        # A step that was not finite must be known before anything is written.
        self.settle()
        if self.step > self.saved_step:
            self.saver.checkpoint(self.progress())
            self.saved_step = self.step
            self.plan.saved()
        for command in commands:
            self.steering.answer(command, f"saved at step {self.step}")

    def preview_if_due(self, *, planned: bool = False) -> None:
        """Previews, if the interval or a command asks for them."""
        commands = self.steering.take_previews()
        if not (planned or commands):
            return
        self.settle()
        failed = self.renderer.render(self.step)
        for command in commands:
            if self.steering.stopping:
                self.steering.answer(command, "the run is ending", done=False)
            elif failed:
                self.steering.answer(command, f"{failed} previews failed at step {self.step}", done=False)
            else:
                self.steering.answer(command, f"previews made at step {self.step}")

    def progress(self) -> checkpoint.Progress:
        """What a checkpoint taken now must remember besides tensors."""
        average = self.stepper.apply.average
        return checkpoint.Progress(
            step=self.step,
            dataset=self.data.digest,
            rate_factor=self.steering.rate_factor,
            previews_every=self.steering.previews_every,
            measured=self.timetable.measured,
            averaged=average.updates if average else 0,
            fit=self.stepper.fit.state(),
            scaler=self.stepper.apply.scaler_state(),
            optimizer=checkpoint.optimizer_numbers(self.optimizer),
        )

    def describe(self, step: int) -> dict[str, str]:
        """The metadata of a file made after `step` steps."""
        order = self.data.order
        facts = TrainingFacts(
            model_name=self.model.name,
            kohya_base=self.model.kohya_base,
            architecture=self.model.architecture,
            prediction_type=self.model.prediction_type,
            step=step,
            steps_total=self.total,
            epoch=order.epoch_of(max(step - 1, 0)) + 1,
            epochs_total=order.epoch_of(self.total - 1) + 1,
            batches_per_epoch=order.batches_per_epoch,
            started_at=self.started,
            saved_at=time.time(),
        )
        return describe(self.profile, self._dataset, facts)

    @cached_property
    def _dataset(self) -> dict[str, Any]:
        return describe_dataset(self.profile, (*self.data.samples, *self.data.held_out.samples))
