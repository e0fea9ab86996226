"""Numbers of a step on their way from the device to the host, without making either wait for the other."""

from __future__ import annotations

import torch
from torch import Tensor


class Readout:
    """A few float32 numbers, copied in the background; read them a step later, when they have long arrived."""

    def __init__(self, values: Tensor) -> None:
        self._event: torch.cuda.Event | None = None
        self._values = values
        if values.is_cuda:
            # Only a copy into pinned memory returns before the device has reached it.
            self._values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record()

    def read(self) -> list[float]:
        """The numbers; waits for the device if it has not come that far."""
        if self._event is not None:
            self._event.synchronize()
        numbers: list[float] = self._values.tolist()
        return numbers
