"""The moving average of what is trained: smoother than any one step's weights, and kept without the host waiting.

After each step the average moves by 1 - decay towards the weights, with decay = min(`ema_decay`, (1 + n) / (10 + n)) and
n the steps that moved it before: at first it follows the weights closely, so that their start does not linger in it.
Source of the warm-up: TensorFlow's `ExponentialMovingAverage` with `num_updates`; diffusers' `EMAModel` has the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor


class MovingAverage:
    """The average of `parameters` (fp32, on their device), which starts as a copy of them.

    Args:
        parameters: what is averaged; the same objects for as long as this lives.
        decay: share of itself that it keeps in a step, in (0, 1).
    """

    def __init__(self, parameters: Sequence[Tensor], decay: float) -> None:
        self._parameters = list(parameters)
        self._values = [parameter.detach().clone() for parameter in parameters]
        self._decay = decay
        self._updates = torch.zeros((), dtype=torch.int64, device=self._parameters[0].device)

    @property
    def updates(self) -> int:
        """How many steps have moved it; waits for the device."""
        return int(self._updates)

    @torch.no_grad()
    def update(self, refused: Tensor) -> None:
        """Move towards the weights, unless the step was `refused` (a scalar on the device, 1.0 or 0.0)."""
        taken = 1 - refused
        # 1 - (1 + n) / (10 + n) is 9 / (10 + n), without the digits that a difference near 0 would lose.
        share = torch.clamp(9 / (self._updates + 10), min=1 - self._decay) * taken
        # Three kernels for all tensors; the differences take the room that the gradients had a moment ago.
        differences = torch._foreach_sub(self._parameters, self._values)  # noqa: SLF001 - torch has no public name for it
        torch._foreach_mul_(differences, share)
        torch._foreach_add_(self._values, differences)
        self._updates += taken.to(torch.int64)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The parameters are the average inside; both trade their storage, so nothing is copied and no bit changes.

        What is loaded into the parameters inside is loaded into the average.
        """
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def restore(self, updates: int) -> None:
        """Go on from a checkpoint whose average was loaded `in_place`."""
        self._updates.fill_(updates)

    def _swap(self) -> None:
        for number, parameter in enumerate(self._parameters):
            parameter.data, self._values[number] = self._values[number], parameter.data
