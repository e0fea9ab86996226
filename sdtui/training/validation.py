"""The loss on images that are never trained: the same questions at every measurement, so that the figures compare.

Each image is asked about at the timesteps of `validation.timesteps`, each with noise drawn from (validation.seed, the
image's name, the timestep): the plain mean squared error in fp32, without weights, masks or shaped noise, of the weights as they
would be written, with dropout off. The image is its VAE's mean; its caption is whole, in its own order, with the first line
and the first option of each wildcard. Nothing that training draws or keeps is touched.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sdtui.models.family import size_rows
from sdtui.models.sampling import evaluating
from sdtui.training import objective
from sdtui.training.failures import Interrupted
from sdtui.training.randomness import generator, permutation

if TYPE_CHECKING:
    from sdtui.dataset.collect import Sample
    from sdtui.profile.schema import Validation
    from sdtui.training.cache import Latents
    from sdtui.training.report import Report
    from sdtui.training.steering import Steering
    from sdtui.training.step import Stepper


@dataclass(frozen=True)
class HeldOut:
    """The samples that are never trained, what the VAE says of them, and what each reads as, by their number."""

    samples: Sequence[Sample]
    latents: Latents
    texts: Sequence[str]


class Timetable:
    """After which steps to measure: before the first, after the last, and by the profile's `[validation]` between.

    Args:
        settings: both intervals 0 means never.
        steps_per_epoch: of training.
        total: optimizer steps of the run.
        measured: the step measured last, which is not measured again; -1 for none.
    """

    def __init__(self, settings: Validation, steps_per_epoch: int, total: int) -> None:
        self._every = [every for every in (settings.every_steps, settings.every_epochs * steps_per_epoch) if every]
        self._total = total
        self.measured = -1

    def due(self, step: int) -> bool:
        """Whether to measure after `step` steps."""
        if not self._every or step == self.measured:
            return False
        return step in {0, self._total} or any(step % every == 0 for every in self._every)


class Validator:
    """Measures.

    Args:
        stepper: knows the model, its weights as they would be written, and how captions are read.
        held_out: what to measure.
        settings: how much of it, and where.
        report: told of the figures.
        steering: obeyed between two images.
    """

    def __init__(
        self, stepper: Stepper, held_out: HeldOut, settings: Validation, report: Report, steering: Steering
    ) -> None:
        self._stepper = stepper
        self._held_out = held_out
        self._settings = settings
        self._report = report
        self._steering = steering
        self.chosen = list(choose(held_out.samples, settings))

    def measure(self, step: int) -> bool:
        """Measure after `step` steps and tell it; False, and nothing told, when a stop came first."""
        started = time.perf_counter()
        self._report.state("validating")
        model = self._stepper.model
        try:
            with torch.no_grad(), evaluating(*model.loaded), self._stepper.apply.finished_weights():
                losses = self._measure_all()
        except Interrupted:
            return False
        folders = folder_names(self._held_out.samples)
        found: dict[str, list[float]] = {}
        for number, loss in zip(self.chosen, losses, strict=True):
            found.setdefault(folders[number], []).append(loss)
        loss = _mean(losses)
        self._report.measured(loss)
        self._report.write(
            "validation", step=step, loss=loss, folders={name: _mean(each) for name, each in found.items()},
            images=len(losses), seconds=round(time.perf_counter() - started, 3),
        )  # fmt: skip
        return True

    def _measure_all(self) -> list[float]:
        losses = []
        for done, number in enumerate(self.chosen):
            self._steering.poll()
            if self._steering.stopping:
                raise Interrupted
            self._report.progress("measuring", done, len(self.chosen), "images")
            losses.append(self._loss(number))
        # One wait for the device at the end, not one for each image.
        found: list[float] = torch.stack(losses).tolist()
        return found

    def _loss(self, number: int) -> Tensor:
        """The mean over all timesteps of the error of one image; a scalar on the device."""
        stepper, model = self._stepper, self._stepper.model
        image = self._held_out.latents.at(number, flip=False, variant=0)
        mean, sizes = image.mean, stepper.move(size_rows([image.sizes]))
        asked = self._settings.timesteps
        name = self._held_out.samples[number].path.name
        noise = torch.stack([noise_of(self._settings.seed, name, timestep, mean.shape) for timestep in asked])
        errors = []
        # As many at once as training has room for.
        at_once = stepper.fit.most(self._held_out.samples[number].bucket, stepper.profile.training.batch_size)
        for first in range(0, len(asked), at_once):
            part = slice(first, first + at_once)
            timesteps, drawn = torch.tensor(asked[part]), stepper.move(noise[part])
            latents = stepper.move(mean.expand_as(drawn))
            alpha_bar = stepper.move(model.alphas_cumprod[timesteps])
            noisy = objective.add_noise(latents, drawn, alpha_bar)
            wanted = objective.target(model.prediction_type, latents, drawn, alpha_bar)
            texts = [self._held_out.texts[number]] * len(timesteps)
            prediction = stepper.predict(noisy, stepper.move(timesteps), texts, sizes.expand(len(timesteps), -1))
            errors.append((prediction.float() - wanted).square().mean(dim=(1, 2, 3)))
        return torch.cat(errors).mean()


def choose(samples: Sequence[Sample], settings: Validation) -> Iterator[int]:
    """The numbers of the samples that are measured: all, or so many of each folder, drawn once for the whole run."""
    folders: dict[str, list[int]] = {}
    for number, sample in enumerate(samples):
        folders.setdefault(sample.folder, []).append(number)
    for position, numbers in enumerate(folders.values()):
        most = settings.most_images or len(numbers)
        drawn = permutation(len(numbers), settings.seed, position, "validation images")[:most]
        yield from (numbers[place] for place in sorted(drawn))


def folder_names(samples: Sequence[Sample]) -> list[str]:
    """What each sample's folder is called: the last part of its path, or all of it where two end alike."""
    paths = {sample.folder for sample in samples}
    last = [Path(path).name for path in paths]
    return [
        sample.folder if last.count(Path(sample.folder).name) > 1 else Path(sample.folder).name for sample in samples
    ]


def noise_of(seed: int, name: str, timestep: int, size: torch.Size) -> Tensor:
    """The noise that the image `name` is measured with at a timestep: the same each time, whatever is beside it."""
    number = zlib.crc32(os.fsencode(name))
    return torch.randn(size, generator=generator(seed, timestep, number, "validation noise"))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
