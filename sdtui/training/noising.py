"""The noise of a step: plain, with an offset per channel, with coarser noise laid over it, perturbed at the input.

The formulas are pure functions; `draw_noise` feeds them from the step's own random numbers, each sample from its own,
so that how a step is cut into batches changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

if TYPE_CHECKING:
    from sdtui.profile.schema import Objective
    from sdtui.training.randomness import Source


class Noise(NamedTuple):
    """The noise that the model is to find, and the noise that its input is made with; both (B, 4, h, w)."""

    target: Tensor
    added: Tensor

    def moved(self, move: Callable[[Tensor], Tensor]) -> Noise:
        """The same after `move`, which is asked once where both are one."""
        target = move(self.target)
        return Noise(target, target if self.added is self.target else move(self.added))


def draw_noise(settings: Objective, source: Source, latents: Tensor) -> Noise:
    """The noise for `latents` (B, 4, h, w), as the objective's settings shape it."""
    noise = source.normal(latents.shape[1:], "noise")
    if settings.noise_offset or settings.noise_offset_adaptive:
        rolls = source.uniform("noise offset strength") if settings.noise_offset_random else torch.ones(len(latents))
        strength = offset_strength(latents, settings.noise_offset * rolls, settings.noise_offset_adaptive)
        noise = offset_noise(noise, source.normal((latents.shape[1], 1, 1), "noise offset"), strength)
    if settings.multires_iterations:
        noise = _draw_pyramid(settings, source, noise)
    if not settings.input_perturbation:
        return Noise(noise, noise)
    further = source.normal(latents.shape[1:], "input perturbation")
    rolls = source.uniform("input perturbation strength") if settings.input_perturbation_random else torch.ones(1)
    return Noise(noise, noise + settings.input_perturbation * rolls.view(-1, 1, 1, 1) * further)


def offset_noise(noise: Tensor, channel_noise: Tensor, strength: Tensor | float) -> Tensor:
    """Noise (B, 4, h, w) shifted by one number per channel, which lets a model learn very dark and bright images.

    Source: Guttenberg, "Diffusion with offset noise", 2023.
    """
    return noise + strength * channel_noise


def offset_strength(latents: Tensor, offset: Tensor, adaptive: float) -> Tensor:
    """How strong the offset of each channel is, (B, 4, 1, 1): `offset` (B,) + adaptive · |mean of the channel|, or 0."""
    mean = latents.mean(dim=(2, 3), keepdim=True).abs()
    return (offset.view(-1, 1, 1, 1) + adaptive * mean).clamp(min=0)


def pyramid_sizes(height: int, width: int, ratios: Sequence[float]) -> list[tuple[int, int]]:
    """Height and width of each level: level i is the latent's size over ratios[i]^i, the last a single line or dot."""
    sizes = []
    for level, ratio in enumerate(ratios):
        size = (max(1, int(height / ratio**level)), max(1, int(width / ratio**level)))
        sizes.append(size)
        if 1 in size:
            break
    return sizes


def pyramid_noise(noise: Tensor, levels: Sequence[Tensor], discount: float) -> Tensor:
    """Noise (4, h, w) with coarser `levels` (4, h_i, w_i) laid over it, level i times discount^i, at deviation 1.

    Source: Whitaker, "Multi-resolution noise for diffusion model training", 2023; kohya divides by the deviation of the
    whole batch, we by the image's own, so that an image does not depend on its neighbours.
    """
    total = noise.unsqueeze(0)
    for level, coarse in enumerate(levels):
        total = total + interpolate(coarse.unsqueeze(0), size=noise.shape[1:], mode="bilinear") * discount**level
    return (total / total.std()).squeeze(0)


def _draw_pyramid(settings: Objective, source: Source, noise: Tensor) -> Tensor:
    """Each sample's ratios are drawn between 2 and 4, so that the levels do not always fall on the same sizes."""
    channels, height, width = noise.shape[1:]
    rolls = [source.uniform(f"pyramid ratio {level}") for level in range(settings.multires_iterations)]
    laid = []
    for number, one in enumerate(source.each()):
        sizes = pyramid_sizes(height, width, [2 + 2 * float(roll[number]) for roll in rolls])
        levels = [one.normal((channels, *size), f"pyramid {level}")[0] for level, size in enumerate(sizes)]
        laid.append(pyramid_noise(noise[number], levels, settings.multires_discount))
    return torch.stack(laid)
