"""LoRA (Hu et al. 2021) and, on 3×3 convolutions, LoCon: ΔW = scale · up @ down, written out only where that is less work."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sdtui.training.methods.adapters.layer import Difference, Plan

# Multiplications that take as long as to start two operations: about 10 µs on one core.
_OPERATIONS = 2**18


class LowRank(Difference):
    """`down` (r, in[, k, k]) with the base's stride and padding, then `up` (out, r[, 1, 1])."""

    FACTORS = ("down", "up")
    down: nn.Parameter
    up: nn.Parameter

    def __init__(self, base: Any, plan: Plan) -> None:
        super().__init__(base, plan)
        self._merged_from = _least_work_merged(plan)

    def start(self, generator: torch.Generator) -> None:
        """`down` uniform as PEFT and kohya have it, `up` zero."""
        super().start(generator)
        self._uniform("down", generator)

    def change(self) -> Tensor:
        """ΔW in the weight's shape."""
        return self.scale * (self.up.flatten(1) @ self.down.flatten(1)).view(self.plan.site.shape)

    def _changed(self, x: Tensor) -> Tensor:
        down, up = self.down, self.up
        merged = x.numel() > self._merged_from and self._can_merge(x, down)
        if merged and not (self.training and self.plan.rank_dropout):
            weight = self.base.weight
            if weight.dim() == 2:  # a change of shape is one more thing to undo in the backward pass
                return functional.linear(x, torch.addmm(weight, up, down, alpha=self.scale), self.base.bias)
            whole = torch.addmm(weight.flatten(1), up.flatten(1), down.flatten(1), alpha=self.scale)
            return self._operate(x, whole.view(weight.shape), self.base.bias)
        out: Tensor = self.base(x)
        # Casting the small factors costs less than casting what flows through them.
        hidden = self._dropped_ranks(self._operate(self._dropped(x), down.to(x.dtype)))
        if hidden.dim() == 4:
            return out + functional.conv2d(hidden, up.to(x.dtype) * self.scale)
        # One product that adds to the base's answer, in place of a product, a scaling and a sum.
        flat = torch.addmm(out.flatten(0, -2), hidden.flatten(0, -2), up.t().to(x.dtype), alpha=self.scale)
        return flat.view(out.shape)

    def _dropped_ranks(self, hidden: Tensor) -> Tensor:
        """Ranks left out of each image for itself, the others raised to make up for them (kohya)."""
        chance = self.plan.rank_dropout
        if not (self.training and chance):
            return hidden
        kept = torch.rand(len(hidden), self.plan.rank, device=hidden.device) >= chance
        mask = (kept / (1 - chance)).to(hidden.dtype)
        if hidden.dim() == 4:
            return hidden * mask[:, :, None, None]
        return hidden * mask.view(len(hidden), *[1] * (hidden.dim() - 2), -1)


def _least_work_merged(plan: Plan) -> float:
    """From how many values on W + ΔW takes less work than the factors beside W, forward and backward.

    Of n inputs the factors take 3 · n · r · (in + out); the sum takes 3 · r · in · out to make and to learn from, and
    n · in · out for a gradient that a frozen weight does not need, but two operations fewer. Small layers and high ranks
    are merged.
    """
    site, rank = plan.site, plan.rank
    inputs, outputs = site.inputs * math.prod(site.kernel), site.outputs
    saved = 3 * rank * (inputs + outputs) - inputs * outputs
    extra = max(0, 3 * rank * inputs * outputs - _OPERATIONS)
    return extra / saved * site.inputs if saved > 0 else math.inf
