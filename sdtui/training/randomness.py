"""Every random number of a run, drawn from (seed, step, index, purpose), so that a resumed run draws what it would have.

Nothing here reads or moves a global generator except `seed_dropout`, which sets it: layers such as `nn.Dropout`
know no other. Draws are made on the CPU, so a run on another device sees the same noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one batch: `timesteps` (B,) int64, the others float32 with the batch first."""

    timesteps: Tensor
    noise: Tensor  # (B, 4, h, w)
    latent_noise: Tensor  # (B, 4, h, w), for the sample from the VAE's distribution
    channel_noise: Tensor  # (B, 4, 1, 1), for the noise offset
    caption_rolls: list[float]  # uniform in [0, 1), for caption dropout


def derive(seed: int, step: int, index: int, purpose: str) -> int:
    """A 63-bit seed that depends on all four; a hash, because neighbouring seeds must not give neighbouring noise."""
    digest = hashlib.blake2b(f"{seed}/{step}/{index}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, step: int, index: int, purpose: str) -> torch.Generator:
    """A CPU generator for one purpose of one sample of one step."""
    return torch.Generator().manual_seed(derive(seed, step, index, purpose))


def draw(seed: int, step: int, indices: Sequence[int], shape: Sequence[int], timesteps: int) -> Draws:
    """What the samples at positions `indices` of optimizer step `step` draw, latents being of `shape` (4, h, w).

    Each sample has its own generators: how a step is cut into batches changes no number.
    """

    def normal(size: Iterable[int], purpose: str) -> Tensor:
        size = tuple(size)
        return torch.stack([torch.randn(size, generator=generator(seed, step, i, purpose)) for i in indices])

    return Draws(
        timesteps=torch.cat(
            [torch.randint(timesteps, (1,), generator=generator(seed, step, i, "timestep")) for i in indices]
        ),
        noise=normal(shape, "noise"),
        latent_noise=normal(shape, "latent"),
        channel_noise=normal((shape[0], 1, 1), "noise offset"),
        caption_rolls=[uniform(seed, step, i, "caption") for i in indices],
    )


def uniform(seed: int, step: int, index: int, purpose: str) -> float:
    """One number in [0, 1)."""
    return derive(seed, step, index, purpose) / 2**63


def permutation(length: int, seed: int, epoch: int, purpose: str) -> list[int]:
    """An order of `length` things that depends on the epoch and on nothing that happened before it."""
    order: list[int] = torch.randperm(length, generator=generator(seed, epoch, 0, purpose)).tolist()
    return order


def seed_dropout(seed: int, step: int, index: int) -> None:
    """Seed the global generators for the layers that only draw from those (LoRA dropout), before each forward."""
    torch.manual_seed(derive(seed, step, index, "dropout"))
