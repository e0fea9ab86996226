"""LoRA (Hu et al. 2021) and, on 3×3 convolutions, LoCon: ΔW = scale · up @ down, never written out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sdtui.training.methods.adapters.layer import Difference


class LowRank(Difference):
    """`down` (r, in[, k, k]) with the base's stride and padding, then `up` (out, r[, 1, 1])."""

    FACTORS = ("down", "up")
    FILE_NAMES = {"down": "lora_down.weight", "up": "lora_up.weight"}  # noqa: RUF012
    down: nn.Parameter
    up: nn.Parameter

    def start(self, generator: torch.Generator) -> None:
        """`down` uniform as PEFT and kohya have it, `up` zero."""
        super().start(generator)
        self._uniform("down", generator)

    def change(self) -> Tensor:
        """ΔW in the weight's shape."""
        return self.scale * (self.up.flatten(1) @ self.down.flatten(1)).view(self.base.weight.shape)

    def _added(self, x: Tensor, out: Tensor) -> Tensor:
        # Casting the small factors costs less than casting what flows through them.
        down, up = self.down.to(x.dtype), self.up.to(x.dtype)
        hidden = self._dropped_ranks(self._operate(self._dropped(x), down))
        if hidden.dim() == 4:
            return out + functional.conv2d(hidden, up * self.scale)
        # One product that adds to the base's answer, in place of a product, a scaling and a sum.
        flat = torch.addmm(out.flatten(0, -2), hidden.flatten(0, -2), up.t(), alpha=self.scale)
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
