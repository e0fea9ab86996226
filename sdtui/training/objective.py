"""What the model is asked to predict and how wrong it was: the formulas of diffusion training, as pure functions.

Notation: `alpha_bar` is the cumulative product of (1 - beta) at each sample's timestep, shape (B,); the noised latents
are x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise (Ho et al. 2020, eq. 4).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sdtui.errors import UserError
from sdtui.profile.objective_rules import unsuited

if TYPE_CHECKING:
    from sdtui.profile.schema import Objective

# kohya sd-scripts' cap: beyond it a timestep is as good as clean.
MOST_SNR = 1000.0


def sample_latents(mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """A fresh sample (B, 4, h, w) of the VAE's distribution: the cache keeps mean and std, not one frozen draw."""
    return mean + std * noise


def add_noise(latents: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """The latents (B, 4, h, w) as they are at their timesteps."""
    alpha_bar = _per_sample(alpha_bar)
    return alpha_bar.sqrt() * latents + (1 - alpha_bar).sqrt() * noise


def target(prediction_type: str, latents: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """What the model should answer: the noise ("epsilon") or the velocity ("v_prediction", Salimans & Ho 2022).

    Raises:
        ValueError: the model's scheduler asks for something else.
    """
    if prediction_type == "epsilon":
        return noise
    if prediction_type == "v_prediction":
        alpha_bar = _per_sample(alpha_bar)
        return alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * latents
    raise ValueError(f"prediction type {prediction_type!r} is neither 'epsilon' nor 'v_prediction'")


def signal_to_noise(alpha_bar: Tensor) -> Tensor:
    """SNR = alpha_bar / (1 - alpha_bar), shape (B,)."""
    return alpha_bar / (1 - alpha_bar)


def min_snr_weights(alpha_bar: Tensor, gamma: float, prediction_type: str) -> Tensor:
    """Loss weights (B,) that keep easy timesteps from drowning the hard ones (Hang et al. 2023); gamma 0: all ones.

    min(SNR, gamma) / SNR for epsilon; for velocity the loss carries a factor SNR + 1, hence / (SNR + 1).
    """
    if not gamma:
        return torch.ones_like(alpha_bar)
    snr = signal_to_noise(alpha_bar)
    scale = snr if prediction_type == "epsilon" else snr + 1
    return snr.clamp(max=gamma) / scale


def debiased_weights(alpha_bar: Tensor, prediction_type: str) -> Tensor:
    """Loss weights (B,): 1 / sqrt(SNR) for epsilon (Yu et al. 2024), 1 / (SNR + 1) for velocity; SNR up to 1000."""
    snr = signal_to_noise(alpha_bar).clamp(max=MOST_SNR)
    return snr.rsqrt() if prediction_type == "epsilon" else 1 / (snr + 1)


def velocity_scale(alpha_bar: Tensor) -> Tensor:
    """SNR / (SNR + 1), shape (B,): what turns a velocity's squared error into that of the noise."""
    snr = signal_to_noise(alpha_bar).clamp(max=MOST_SNR)
    return snr / (snr + 1)


def weights(settings: Objective, alpha_bar: Tensor, prediction_type: str) -> Tensor:
    """The weight (B,) of each sample's loss by its timestep: the chosen ones multiplied, in kohya's order."""
    total = min_snr_weights(alpha_bar, settings.min_snr_gamma, prediction_type)
    if settings.scale_velocity_loss:
        total = total * velocity_scale(alpha_bar)
    if settings.velocity_like_loss:
        total = total * (1 + settings.velocity_like_loss / velocity_scale(alpha_bar))
    if settings.debiased:
        total = total * debiased_weights(alpha_bar, prediction_type)
    return total


def require_suited(settings: Objective, prediction_type: str) -> None:
    """See that the weights are for what the model predicts, which a profile with prediction = "auto" does not know.

    Raises:
        UserError: one turns the loss of the other kind of model; for velocity over pure noise it would be infinite.
    """
    for name in unsuited(settings, prediction_type):
        raise UserError(
            f'objective.{name} is not for a model that predicts "{prediction_type}", as the base model does',
            where=f"objective.{name}",
            remedy="Leave it out",
        )


def huber_thresholds(settings: Objective, timesteps: Tensor, alpha_bar: Tensor, count: int) -> Tensor:
    """From which error on huber and smooth_l1 grow like a line, (B,), of `count` timesteps in all.

    constant: c; exponential: c^(t / count); snr: (1 - c) / (1 + sigma)² + c; each times the scale.
    """
    c = settings.huber_c
    if settings.huber_schedule == "exponential":
        threshold = torch.exp(math.log(c) / count * timesteps)
    elif settings.huber_schedule == "snr":
        sigma = ((1 - alpha_bar) / alpha_bar).sqrt()
        threshold = (1 - c) / (1 + sigma) ** 2 + c
    else:
        threshold = torch.full_like(alpha_bar, c)
    return threshold * settings.huber_scale


def errors(prediction: Tensor, wanted: Tensor, kind: str, thresholds: Tensor) -> Tensor:
    """The error at each place in float32, (B, 4, h, w), of `kind` "l2", "l1", "huber" or "smooth_l1".

    With d the difference and c the threshold: huber is 2c (sqrt(d² + c²) - c), smooth_l1 is 2 (sqrt(d² + c²) - c).
    """
    difference = prediction.float() - wanted.float()
    if kind == "l2":
        return difference.square()
    if kind == "l1":
        return difference.abs()
    c = _per_sample(thresholds)
    soft = 2 * ((difference.square() + c.square()).sqrt() - c)
    return c * soft if kind == "huber" else soft


def mask_weights(masks: Tensor, unmasked_weight: float, ignored: Tensor) -> Tensor:
    """How much the error counts at each place, (B, 1, h, w), by masks (B, h, w) from 0, black, to 1, white.

    Black places count `unmasked_weight`, white ones 1, grey ones what lies between; those of samples that are `ignored`,
    a flag for each, all count 1. As in kohya sd-scripts the weights are not scaled to a mean of 1: an image with little
    white teaches little, not its few places the more loudly.
    """
    counted = masks + (1 - masks) * unmasked_weight
    return torch.where(ignored.view(-1, 1, 1), 1.0, counted).unsqueeze(1)


def evened(counted: Tensor) -> Tensor:
    """The weights of `mask_weights`, (B, 1, h, w), each image's less its least and over its mean, as A1111 has them.

    One whose places all count alike keeps its weights.
    """
    above = counted - counted.amin(dim=(2, 3), keepdim=True)
    mean = above.mean(dim=(2, 3), keepdim=True)
    return torch.where(mean > 0, above / mean.clamp(min=1e-12), counted)


def loss(errors_at: Tensor, weights_of: Tensor) -> Tensor:
    """The mean error of each sample times its weight: shape (B,)."""
    return errors_at.mean(dim=(1, 2, 3)) * weights_of


def _per_sample(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)
