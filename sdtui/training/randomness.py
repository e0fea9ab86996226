"""Every random number of a run, drawn from (seed, step, index, purpose), so that a resumed run draws what it would have.

Nothing here reads or moves a global generator except `seed_dropout`, which sets it: layers such as `nn.Dropout`
know no other. Draws are made on the CPU, so a run on another device sees the same noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def derive(seed: int, step: int, index: int, purpose: str) -> int:
    """A 63-bit seed that depends on all four; a hash, because neighbouring seeds must not give neighbouring noise."""
    digest = hashlib.blake2b(f"{seed}/{step}/{index}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, step: int, index: int, purpose: str) -> torch.Generator:
    """A CPU generator for one purpose of one sample of one step."""
    return torch.Generator().manual_seed(derive(seed, step, index, purpose))


@dataclass(frozen=True, slots=True)
class Source:
    """The random numbers of the samples at positions `indices` of one optimizer step.

    Each sample has its own generator for each purpose: how a step is cut into batches changes no number.
    """

    seed: int
    step: int
    indices: Sequence[int]

    def normal(self, size: Iterable[int], purpose: str) -> Tensor:
        """Standard normal numbers, (B, *size)."""
        size = tuple(size)
        return torch.stack([torch.randn(size, generator=self._generator(index, purpose)) for index in self.indices])

    def integers(self, low: int, high: int, purpose: str) -> Tensor:
        """Whole numbers in [low, high), (B,) int64."""
        return torch.cat(
            [torch.randint(low, high, (1,), generator=self._generator(index, purpose)) for index in self.indices]
        )

    def uniform(self, purpose: str) -> Tensor:
        """Numbers in [0, 1), (B,)."""
        return torch.tensor([uniform(self.seed, self.step, index, purpose) for index in self.indices])

    def each(self) -> Iterator[Source]:
        """The source of each sample alone."""
        return (Source(self.seed, self.step, [index]) for index in self.indices)

    def _generator(self, index: int, purpose: str) -> torch.Generator:
        return generator(self.seed, self.step, index, purpose)


def uniform(seed: int, step: int, index: int, purpose: str) -> float:
    """One number in [0, 1)."""
    # 53 bits, which a float holds exactly: 63 would be rounded, at their upper end to 1.
    return (derive(seed, step, index, purpose) >> 10) / 2**53


def shuffled(length: int, seed: int, epoch: int, purpose: str) -> Tensor:
    """An order of `length` things, int64, that depends on the epoch and on nothing that happened before it."""
    return torch.randperm(length, generator=generator(seed, epoch, 0, purpose))


def permutation(length: int, seed: int, epoch: int, purpose: str) -> list[int]:
    """The same as a list."""
    order: list[int] = shuffled(length, seed, epoch, purpose).tolist()
    return order


def seed_dropout(seed: int, step: int, index: int) -> None:
    """Seed the global generators for the layers that only draw from those (LoRA dropout), before each forward."""
    torch.manual_seed(derive(seed, step, index, "dropout"))
