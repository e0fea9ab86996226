"""Which of the frozen UNet's weights `training.base_precision` keeps in 8 or 4 bits: one rule for the layers and for the plan."""

from __future__ import annotations

LEAST_VALUES = 4096
"""Smaller weights stay as they are: there is nothing to save."""

BLOCK = 64
"""Values that share a scale in 4 bits."""

# Where images enter and leave, and where the timestep does: a hundredth of the weights, and the most that errors do.
_WHOLE = ("conv_in", "conv_out", "time_embedding", "add_embedding")


def is_quantised(path: str, values: int) -> bool:
    """Whether the weight of so many values of the layer at `path` in the UNet is."""
    return values >= LEAST_VALUES and values % BLOCK == 0 and not path.startswith(_WHOLE)
