"""One optimizer step: batch → noised → predict → loss → backward → step."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sdtui.models.family import Model
from sdtui.training import objective, randomness
from sdtui.training.cache import Encoded, Latents
from sdtui.training.captions import CaptionSource
from sdtui.training.conditioning import Conditioning
from sdtui.training.data import Batch, DataOrder
from sdtui.training.noising import Noise, draw_noise
from sdtui.training.optimizer import GuardedStep
from sdtui.training.readout import Readout
from sdtui.training.timing import Marks

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile


@dataclass(frozen=True)
class Inputs:
    """What one batch of one step needs, on the device; the step's random numbers are among it."""

    latents: Tensor  # (B, 4, h, w)
    noise: Noise
    timesteps: Tensor  # (B,)
    alpha_bar: Tensor  # (B,)
    captions: list[str]


@dataclass(frozen=True)
class Taken:
    """A step that was handed to the device; its numbers arrive while the next one runs."""

    number: int  # steps done with this one
    samples: list[int]
    readout: Readout  # loss, gradient norm, 1.0 if refused
    marks: Marks


@dataclass
class Stepper:
    """Takes optimizer steps; knows neither the model's family nor what is trained in it."""

    accelerator: Any
    model: Model
    order: DataOrder
    latents: Latents
    captions: CaptionSource
    conditioning: Conditioning
    apply: GuardedStep
    profile: Profile
    trains_text_encoder: bool

    def __post_init__(self) -> None:
        """Put the noise schedule where the steps run, and the modules in the mode they are trained in."""
        self._device: torch.device = self.accelerator.device
        self._alphas = self.model.alphas_cumprod.to(self._device)
        # Dropout acts in training mode only; sampling turns it off for itself.
        self.model.unet.train()
        self.model.text_encoder.train(self.trains_text_encoder)

    def take(self, step: int) -> Taken:
        """Optimizer step `step` (the first is 0): the gradient is the mean over its images, however they are batched."""
        marks = Marks(self._device)
        batches = self.order.at(step)
        samples = [sample for batch in batches for sample in batch]
        total = torch.zeros((), device=self._device)
        first = 0
        for batch in batches:
            inputs = self._inputs(step, first, batch)
            marks.lap("data")
            loss = self._losses(step, first, inputs).sum() / len(samples)
            marks.lap("forward")
            self.accelerator.backward(loss)
            marks.lap("backward")
            total += loss.detach()
            first += len(batch)
        norm = self.apply(total)
        # Before the readout: whoever has that may ask for the times.
        marks.lap("optimizer")
        readout = Readout(torch.stack([total, norm, self.apply.failed]))
        return Taken(step + 1, samples, readout, marks)

    def _inputs(self, step: int, first: int, batch: Batch) -> Inputs:
        """The batch whose first sample is number `first` of the step, noise drawn and latents sampled."""
        settings = self.profile.objective
        source = randomness.Source(self.profile.training.seed, step, range(first, first + len(batch)))
        shown = [self._shown(alone, sample) for alone, sample in zip(source.each(), batch, strict=True)]
        means, stds = torch.stack([one.mean for one in shown]), torch.stack([one.std for one in shown])
        latents = objective.sample_latents(means, stds, source.normal(means.shape[1:], "latent"))
        noise = draw_noise(settings, source, latents)
        last = min(settings.timestep_max, len(self._alphas))
        timesteps = self._move(source.integers(settings.timestep_min, last, "timestep"))
        return Inputs(
            latents=self._move(latents),
            noise=noise.moved(self._move),
            timesteps=timesteps,
            alpha_bar=self._alphas[timesteps],
            captions=self.captions.at(step, first, batch),
        )

    def _shown(self, source: randomness.Source, sample: int) -> Encoded:
        """The sample in one of its ways, mirrored or not, drawn for its place in the step."""
        ways = self.latents.ways[sample]
        flip = ways.flips and bool(source.integers(0, 2, "flip"))
        variant = int(source.integers(0, ways.variants, "variant")) if ways.variants > 1 else 0
        return self.latents.at(sample, flip, variant)

    def _losses(self, step: int, first: int, inputs: Inputs) -> Tensor:
        """The loss of each sample, (B,)."""
        settings, kind = self.profile.objective, self.model.prediction_type
        alpha_bar = inputs.alpha_bar
        noisy = objective.add_noise(inputs.latents, inputs.noise.added, alpha_bar)
        target = objective.target(kind, inputs.latents, inputs.noise.target, alpha_bar)
        randomness.seed_dropout(self.profile.training.seed, step, first)
        # A frozen text encoder reads in fp32, whether its states come from a cache or not.
        with self.accelerator.autocast() if self.trains_text_encoder else nullcontext():
            conditioning = self._move(self.conditioning(inputs.captions))
        with self.accelerator.autocast():
            prediction = self.model.predict(noisy, inputs.timesteps, conditioning)
        thresholds = objective.huber_thresholds(settings, inputs.timesteps, alpha_bar, len(self._alphas))
        errors = objective.errors(prediction, target, settings.loss, thresholds)
        return objective.loss(errors, objective.weights(settings, alpha_bar, kind))

    def _move(self, tensor: Tensor) -> Tensor:
        """To the device; from pinned memory, so that the host does not wait for the copy."""
        if self._device.type == "cuda" and not tensor.is_cuda:
            return tensor.pin_memory().to(self._device, non_blocking=True)
        return tensor.to(self._device)
