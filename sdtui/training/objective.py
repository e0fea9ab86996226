"""What the model is asked to predict and how wrong it was: the formulas of diffusion training, as pure functions.

Notation: `alpha_bar` is the cumulative product of (1 - beta) at each sample's timestep, shape (B,); the noised latents
are x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise (Ho et al. 2020, eq. 4).
"""

from __future__ import annotations

import torch
from torch import Tensor


def sample_latents(mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """A fresh sample (B, 4, h, w) of the VAE's distribution: the cache keeps mean and std, not one frozen draw."""
    return mean + std * noise


def offset_noise(noise: Tensor, channel_noise: Tensor, strength: float) -> Tensor:
    """Noise (B, 4, h, w) shifted by one number per channel, which lets a model learn very dark and bright images.

    Source: Guttenberg, "Diffusion with offset noise", 2023.
    """
    return noise + strength * channel_noise if strength else noise


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


def loss(prediction: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Mean squared error of each sample in float32, times its weight: shape (B,)."""
    return (prediction.float() - wanted.float()).square().mean(dim=(1, 2, 3)) * weights


def _per_sample(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)
