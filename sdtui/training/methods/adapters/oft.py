"""OFT (Qiu et al. 2023): blocks of outputs are rotated among themselves, which keeps the angles between neurons."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sdtui.formats.change import cayley
from sdtui.training.methods.adapters.layer import Adapter


class Rotation(Adapter):
    """`oft_blocks` (blocks, size, size) starts as zero, the rotation by nothing."""

    oft_blocks: nn.Parameter

    def adapted(self, x: Tensor) -> Tensor:
        """The base's answer turned, its bias left alone: to turn what the weight made is to turn the weight."""
        out: Tensor = self.base(x)
        last = out if out.dim() != 4 else out.movedim(1, -1)
        bias = self.base.bias
        made = last if bias is None else last - bias
        turned = self.turned(made, self.rotations().to(out.dtype))
        answer = turned if bias is None else turned + bias
        return answer if out.dim() != 4 else answer.movedim(-1, 1)

    def turned(self, made: Tensor, rotations: Tensor) -> Tensor:
        """`made` (…, out) with Rᵀ on each block of outputs, as LyCORIS turns the rows of the weight."""
        blocks, size, _ = rotations.shape
        parts = made.reshape(*made.shape[:-1], blocks, size)
        return torch.einsum("knm,...kn->...km", rotations, parts).flatten(-2)

    def rotations(self) -> Tensor:
        """Cayley's rotations of the blocks, in fp32."""
        with torch.autocast(self.oft_blocks.device.type, enabled=False):
            return cayley(self.oft_blocks)

    def file_alpha(self) -> float:
        """LyCORIS keeps the limit of the rotation here; 0: none."""
        return 0.0
