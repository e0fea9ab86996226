"""How many threads PyTorch computes by: set for a while, or for one thread of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def in_threads(count: int) -> Iterator[None]:
    """Compute by so many threads meanwhile, and by as many as before afterwards."""
    before = torch.get_num_threads()
    compute_in(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def compute_in(count: int) -> None:
    """Let the calling thread compute by so many.

    With its first operation a thread takes the number that any of them set last, and would then encode with other last
    bits: it is brought to that before it is told its own.
    """
    torch.get_num_threads()
    torch.set_num_threads(count)
