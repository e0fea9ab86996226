"""Vectors pulled towards a length after every step, which keeps a word from drowning the others of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# Per unit of learning rate, how much of the way to the length a step goes (cloneofsimo's lora, `clip_ti_decay`).
_SHARE = 100.0


class Pulled(NamedTuple):
    """Vectors (n, D), the length that each is pulled to, and the optimizer group whose rate says how fast."""

    rows: Tensor
    length: float
    group: str


class NormPull:
    """v ← v / ‖v‖ · (‖v‖ + λ (length - ‖v‖)) with λ = min(1, 100 · learning rate)."""

    def __init__(self, pulled: Sequence[Pulled]) -> None:
        self._pulled = pulled

    @torch.no_grad()
    def __call__(self, rates: Mapping[str, float]) -> Tensor:
        """Pull those that still learn, by `rates`; returns how many there are, and mean and largest length after that, (3,)."""
        after = []
        for rows, length, group in self._pulled:
            if group in rates:
                _pull(rows, length, min(1.0, _SHARE * rates[group]))
            after.append(rows.norm(dim=-1))
        every = torch.cat(after)
        return torch.stack([torch.full_like(every[0], len(every)), every.mean(), every.max()])


def _pull(rows: Tensor, length: float, share: float) -> None:
    norms = rows.norm(dim=-1, keepdim=True)
    # Of no length, such as one that starts as zeros and was never read, it has no direction to be pulled in.
    rows.mul_(torch.where(norms > 0, (norms + share * (length - norms)) / norms.clamp(min=1e-12), 1.0))
