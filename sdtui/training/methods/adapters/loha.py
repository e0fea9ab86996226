"""LoHa (Hyeon-Woo et al. 2021, FedPara): ΔW = scale · (w1_a @ w1_b) ⊙ (w2_a @ w2_b), of rank up to r² for twice LoRA's size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sdtui.training.methods.adapters.layer import Difference


class Hadamard(Difference):
    """Two low-rank products (out, r) @ (r, in · k²), multiplied value by value."""

    FACTORS = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
    hada_w1_a: nn.Parameter
    hada_w1_b: nn.Parameter
    hada_w2_a: nn.Parameter
    hada_w2_b: nn.Parameter

    def start(self, generator: torch.Generator) -> None:
        """Normal with LyCORIS' deviations, 0.1 for w1_a and 1 for both b; w2_a zero."""
        super().start(generator)
        for name, deviation in (("hada_w1_a", 0.1), ("hada_w1_b", 1.0), ("hada_w2_b", 1.0)):
            self._set(name, torch.randn(self.plan.shapes[name], generator=generator) * deviation)

    def change(self) -> Tensor:
        """ΔW in the weight's shape."""
        product = (self.hada_w1_a @ self.hada_w1_b) * (self.hada_w2_a @ self.hada_w2_b)
        return self.scale * product.view(self.plan.site.shape)
