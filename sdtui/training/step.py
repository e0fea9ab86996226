"""One optimizer step: batch → noised → predict → loss → backward → step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sdtui.models.family import Model, size_rows
from sdtui.training import objective, randomness
from sdtui.training.cache import Encoded, Latents
from sdtui.training.captions import CaptionSource
from sdtui.training.conditioning import Conditioning
from sdtui.training.crew import Crew
from sdtui.training.data import Batch, DataOrder
from sdtui.training.failures import TooLargeError, UncutError, is_out_of_memory
from sdtui.training.fitting import Cut, Fit
from sdtui.training.noising import Noise, draw_noise
from sdtui.training.optimizer import GuardedStep
from sdtui.training.prior import Rows, make_rows
from sdtui.training.readout import Readout
from sdtui.training.timing import Marks

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile


@dataclass(frozen=True)
class Inputs:
    """What one batch of one step needs, on the device, row by row; the step's random numbers are among it."""

    latents: Tensor  # (B, 4, h, w)
    noise: Noise
    timesteps: Tensor  # (B,)
    alpha_bar: Tensor  # (B,)
    sizes: Tensor  # (B, 6): original size, crop and target size, for families that know them
    mask: Tensor | None  # (B, 1, h, w): how much each place counts; None: all alike
    rows: Rows


@dataclass(frozen=True)
class Taken:
    """A step that was handed to the device; its numbers arrive while the next one runs."""

    number: int  # steps done with this one
    samples: list[int]
    readout: (
        Readout  # loss, gradient norm, 1.0 if refused, the part of the loss that teaches what to keep, and the norms
    )
    marks: Marks
    cuts: list[Cut]  # what did not fit in memory and was taken in parts instead


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
    frozen: Callable[[], AbstractContextManager[None]]
    """Opens a passage in which the model answers as before training."""
    fit: Fit = field(default_factory=Fit)
    crew: Crew = field(default_factory=Crew)

    def __post_init__(self) -> None:
        """Put the noise schedule where the steps run, and the modules in the mode they are trained in."""
        self._device: torch.device = self.accelerator.device
        self._alphas = self.model.alphas_cumprod.to(self._device)
        # Dropout acts in training mode only; sampling turns it off for itself.
        for module in self.model.components.values() if self.trains_text_encoder else [self.model.unet]:
            module.train()

    @property
    def keeps(self) -> bool:
        """Whether a part of the loss teaches what to keep."""
        return bool(self.order.regularization) or self.profile.prior.keeps_class

    def take(self, step: int) -> Taken:
        """Optimizer step `step` (the first is 0): the gradient is the mean over its images, however they are batched."""
        marks = Marks(self._device)
        samples = [sample for batch in self.order.at(step) for sample in batch]
        cuts: list[Cut] = []
        while isinstance(total := self._accumulate(step, len(samples), marks), Cut):
            cuts.append(total)
            # What part of the step is done was done with other parts: the whole of it is done again.
            self.apply.discard()
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
        if not cuts:
            self._widen(step)
        total, cut = self.crew.sum_gradients(self.apply.parameters, total, cut=bool(cuts))
        if cut:
            self.fit.merge(self.crew.of_all(self.fit.state()))
        marks.lap("other")
        loss, kept = total
        norm = self.apply(loss)
        # Before the readout: whoever has that may ask for the times.
        marks.lap("optimizer")
        readout = Readout(torch.cat([torch.stack([loss, norm, self.apply.failed, kept]), self.apply.norms]))
        return Taken(step + 1, samples, readout, marks, cuts)

    def _widen(self, step: int) -> None:
        """What went through, in parts, says how much more may be tried next time."""
        for number, batch in enumerate(self.order.at(step)):
            if self.crew.takes(number):
                self.fit.passed(self.order.sizes[batch[0]], len(batch))

    def _accumulate(self, step: int, images: int, marks: Marks) -> Tensor | Cut:
        """This process's part of the gradient of all `images` of a step: of the loss, and of what teaches what to keep, (2,).

        Or what had to be cut, as it did not fit in memory; the gradient is then of no use.

        Raises:
            TooLargeError: one image alone does not fit.
            UncutError: a batch does not fit, whose gradients are applied at once.
        """
        total = torch.zeros(2, device=self._device)
        parts = list(self._parts(step))
        if self.apply.fused is not None and len(parts) > 1:
            raise UncutError(self.order.sizes[parts[0][1][0]], images)
        for first, batch in parts:
            try:
                inputs = self._inputs(step, first, batch)
                marks.lap("data")
                losses = self._losses(step, first, inputs) / images
                marks.lap("forward")
                if losses.requires_grad:  # module_dropout may have left out all that learns
                    self.accelerator.backward(losses[0])
                marks.lap("backward")
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                bucket = self.order.sizes[batch[0]]
                if self.apply.fused is not None:
                    raise UncutError(bucket, len(batch)) from error
                if len(batch) == 1:
                    raise TooLargeError(bucket) from error
                return self.fit.cut(bucket, len(batch))
            total += losses.detach()
        return total

    def _parts(self, step: int) -> Iterator[tuple[int, Batch]]:
        """This process's batches of a step in parts that fit in memory, each with the place of its first sample in the step."""
        first = 0
        for number, batch in enumerate(self.order.at(step)):
            place = first
            first += len(batch)
            if not self.crew.takes(number):
                continue
            for part in self.fit.parts(self.order.sizes[batch[0]], batch):
                yield place, part
                place += len(part)

    def _inputs(self, step: int, first: int, batch: Batch) -> Inputs:
        """The batch whose first sample is number `first` of the step, noise drawn and latents sampled."""
        settings = self.profile.objective
        source = randomness.Source(self.profile.training.seed, step, range(first, first + len(batch)))
        shown = [self._shown(alone, sample) for alone, sample in zip(source.each(), batch, strict=True)]
        means, stds = torch.stack([one.mean for one in shown]), torch.stack([one.std for one in shown])
        latents = self._latents(source, batch, means, stds)
        noise = draw_noise(settings, source, latents)
        last = min(settings.timestep_max, len(self._alphas))
        timesteps = source.integers(settings.timestep_min, last, "timestep")
        regularization = [sample in self.order.regularization for sample in batch]
        rows = make_rows(self.profile.prior, self.captions.at(step, first, batch), regularization)

        def moved(of_samples: Tensor) -> Tensor:
            return self.move(of_samples[rows.places])

        timesteps = moved(timesteps)
        return Inputs(
            latents=moved(latents),
            noise=noise.moved(moved),
            timesteps=timesteps,
            alpha_bar=self._alphas[timesteps],
            sizes=moved(size_rows(one.sizes for one in shown)),
            mask=self._mask(source, shown, rows.places),
            rows=rows,
        )

    def _latents(self, source: randomness.Source, batch: Batch, means: Tensor, stds: Tensor) -> Tensor:
        """Latents of the batch, (B, 4, h, w): of the spread that the VAE gave them, drawn as the profile says."""
        kind = self.profile.objective.latents
        if kind == "deterministic":
            return means
        if kind == "once":
            # By the sample and no step: whenever it comes, it is the same.
            source = randomness.Source(self.profile.training.seed, 0, batch)
        return objective.sample_latents(means, stds, source.normal(means.shape[1:], "latent"))

    def _shown(self, source: randomness.Source, sample: int) -> Encoded:
        """The sample in one of its ways, mirrored or not, drawn for its place in the step."""
        ways = self.latents.ways[sample]
        flip = ways.flips and bool(source.integers(0, 2, "flip"))
        variant = int(source.integers(0, ways.variants, "variant")) if ways.variants > 1 else 0
        return self.latents.at(sample, flip, variant)

    def _mask(self, source: randomness.Source, shown: list[Encoded], places: list[int]) -> Tensor | None:
        """How much each place of the rows counts, (B, 1, h, w); None where all places of all of them count alike."""
        if all(one.mask is None for one in shown):
            return None
        settings = self.profile.objective
        masks = [torch.ones(one.mean.shape[1:]) if one.mask is None else one.mask for one in shown]
        ignored = source.uniform("unmasked") < settings.unmasked_chance
        counted = objective.mask_weights(torch.stack(masks), settings.unmasked_weight, ignored)
        counted = (objective.evened(counted) if settings.even_masks else counted)[places]
        # What a mask keeps from being learned is to be kept as it was all the same.
        counted[len(shown) :] = 1.0
        return self.move(counted)

    def _losses(self, step: int, first: int, inputs: Inputs) -> Tensor:
        """The loss of all rows, and the part of those that teach what to keep, (2,)."""
        settings, kind = self.profile.objective, self.model.prediction_type
        alpha_bar, rows = inputs.alpha_bar, inputs.rows
        noisy = objective.add_noise(inputs.latents, inputs.noise.added, alpha_bar)
        target = objective.target(kind, inputs.latents, inputs.noise.target, alpha_bar)
        if rows.frozen:
            target = self._with_frozen_answers(target, noisy, inputs)
        randomness.seed_dropout(self.profile.training.seed, step, first)
        prediction = self.predict(noisy, inputs.timesteps, rows.captions, inputs.sizes)
        thresholds = objective.huber_thresholds(settings, inputs.timesteps, alpha_bar, len(self._alphas))
        errors = objective.errors(prediction, target, settings.loss, thresholds)
        if inputs.mask is not None:
            errors = errors * inputs.mask
        weights, kept = self.move(torch.tensor([rows.weights, rows.kept]))
        losses = objective.loss(errors, objective.weights(settings, alpha_bar, kind) * weights)
        return torch.stack([losses.sum(), (losses.detach() * kept).sum()])

    @torch.no_grad()
    def _with_frozen_answers(self, target: Tensor, noisy: Tensor, inputs: Inputs) -> Tensor:
        """The target with what the model would have predicted before training in the rows that ask for it."""
        frozen = self.move(torch.tensor(inputs.rows.frozen))
        captions = [inputs.rows.captions[row] for row in inputs.rows.frozen]
        with self.frozen():
            answers = self.predict(noisy[frozen], inputs.timesteps[frozen], captions, inputs.sizes[frozen])
        return target.index_copy(0, frozen, answers.to(target.dtype))

    def predict(self, noisy: Tensor, timesteps: Tensor, captions: list[str], sizes: Tensor) -> Tensor:
        """What the model says, in the run's precision, of noisy latents (B, 4, h, w) at timesteps (B,) with `captions`.

        `sizes` (B, 6) are those of the images, of `size_rows`.
        """
        # A frozen text encoder reads in fp32, whether its states come from a cache or not.
        with self.accelerator.autocast() if self.trains_text_encoder else nullcontext():
            text = self.conditioning(captions).each(self.move)
        with self.accelerator.autocast():
            return self.model.predict(noisy, timesteps, text, sizes)

    def move(self, tensor: Tensor) -> Tensor:
        """To the device; from pinned memory, so that the host does not wait for the copy."""
        if self._device.type == "cuda" and not tensor.is_cuda:
            return tensor.pin_memory().to(self._device, non_blocking=True)
        return tensor.to(self._device)
