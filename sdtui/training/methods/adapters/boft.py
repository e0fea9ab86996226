"""BOFT (Liu et al. 2023): several rotations of small blocks, their outputs shuffled as in a butterfly between them."""

from __future__ import annotations

import torch
from torch import Tensor

from sdtui.training.methods.adapters.oft import Rotation


class Butterfly(Rotation):
    """`oft_blocks` (rotations, blocks, size, size): after i of them, outputs 2^i · size / 2 apart meet in a block."""

    def turned(self, made: Tensor, rotations: Tensor) -> Tensor:
        """`made` (…, out) with each rotation R after the other, as LyCORIS turns the rows of the weight."""
        half = rotations.shape[-1] // 2
        for index, rotation in enumerate(rotations):
            around, apart = made.shape[:-1], half * 2**index
            shuffled = made.reshape(*around, -1, 2, apart).mT.reshape(*around, *rotation.shape[:2])
            turned = torch.einsum("bij,...bj->...bi", rotation, shuffled)
            made = turned.reshape(*around, -1, apart, 2).mT.flatten(-3)
        return made
