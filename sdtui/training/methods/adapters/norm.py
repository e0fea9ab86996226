"""A trained normalisation: what is added to its weight and bias."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sdtui.training.methods.adapters.layer import Adapter


class Norm(Adapter):
    """`w_norm` and `b_norm` (channels,) start as zero, for a GroupNorm or a LayerNorm."""

    w_norm: nn.Parameter
    b_norm: nn.Parameter

    def adapted(self, x: Tensor) -> Tensor:
        """The base's answer with that of the two differences added."""
        out: Tensor = self.base(x)
        weight, bias = self.w_norm.to(x.dtype), self.b_norm.to(x.dtype)
        if self.training and self.plan.rank_dropout:
            kept = torch.rand(weight.shape, device=x.device) >= self.plan.rank_dropout
            mask = (kept / (1 - self.plan.rank_dropout)).to(x.dtype)
            weight, bias = weight * mask, bias * mask
        if isinstance(self.base, nn.GroupNorm):
            return out + functional.group_norm(x, self.base.num_groups, weight, bias, self.base.eps)
        return out + functional.layer_norm(x, self.base.normalized_shape, weight, bias, self.base.eps)

    def file_alpha(self) -> None:
        """There is nothing to scale."""
