"""An adapter that has learned something, without training it."""

from __future__ import annotations

import torch

from sdtui.training.methods import Trainable


def stir(trainable: Trainable, scale: float = 0.05) -> None:
    """Replace every factor by random values, the same each time, so that the adapter does something."""
    generator = torch.Generator().manual_seed(11)
    state = trainable.state()
    trainable.load_state({name: torch.randn(state[name].shape, generator=generator) * scale for name in sorted(state)})
