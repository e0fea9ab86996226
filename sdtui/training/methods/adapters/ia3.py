"""IA3 (Liu et al. 2022): a factor 1 + w for each channel that comes out of a layer or, where that suits better, goes in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sdtui.profile.factors import scaled_at_input
from sdtui.training.methods.adapters.layer import Adapter, on_channels


class Scale(Adapter):
    """`weight` (channels,), or (1, channels, 1, 1) of a convolution, starts as zero. The bias is not scaled (LyCORIS)."""

    weight: nn.Parameter

    def adapted(self, x: Tensor) -> Tensor:
        """The base's answer with w times what its weight made."""
        weight = self.weight.to(x.dtype)
        if scaled_at_input(self.plan.site.path):
            answer: Tensor = self.base(x + x * weight)
            return answer
        out: Tensor = self.base(x)
        made = out if self.base.bias is None else out - on_channels(self.base.bias, out)
        return out + made * weight

    def file_alpha(self) -> None:
        """There is nothing to scale."""

    def tensors(self) -> dict[str, Tensor]:
        """The factors, and which side they are on."""
        return super().tensors() | {"on_input": torch.tensor(int(scaled_at_input(self.plan.site.path)))}
