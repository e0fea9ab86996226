"""LoKr (Yeh et al. 2023, LyCORIS): ΔW = scale · w1 ⊗ w2, each factor whole or a low-rank product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sdtui.training.methods.adapters.layer import Difference

if TYPE_CHECKING:
    from torch import nn

    from sdtui.training.methods.adapters.layer import Plan


class Kronecker(Difference):
    """`lokr_w1` is the small factor, `lokr_w2` the large one, which a convolution's kernel belongs to."""

    FACTORS = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b")

    def __init__(self, base: nn.Module, plan: Plan) -> None:
        super().__init__(base, plan)
        if {"lokr_w1", "lokr_w2"} <= plan.shapes.keys():
            # There is no rank to divide by: all readers take the scale as 1.
            self.scale = 1.0

    def start(self, generator: torch.Generator) -> None:
        """Uniform but for the last factor of w2, which is zero."""
        super().start(generator)
        for name in ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2_a"):
            if name in self.learned:
                self._uniform(name, generator)

    def change(self) -> Tensor:
        """ΔW in the weight's shape."""
        kernel = self.plan.site.kernel
        small, large = self._factor("lokr_w1"), self._factor("lokr_w2")
        large = large.view(len(large), -1, *kernel)
        return self.scale * torch.kron(small.view(*small.shape, *[1] * len(kernel)), large)

    def _factor(self, name: str) -> Tensor:
        if name in self.learned:
            return self.get_parameter(name)
        return self.get_parameter(f"{name}_a") @ self.get_parameter(f"{name}_b")
