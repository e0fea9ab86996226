"""What a low-rank adapter has learned, free of any file format: for each adapted module two factors and a scale."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LowRank:
    """ΔW of one module: `alpha / rank · up @ down`.

    Attributes:
        component: the part of the pipeline the module is in, "unet" or "text_encoder".
        path: the module's dotted path there, as diffusers and transformers name it.
        down: (r, in) or, for a convolution, (r, in, k, k).
        up: (out, r) or (out, r, 1, 1).
        alpha: the scale's numerator.
    """

    component: str
    path: str
    down: Tensor
    up: Tensor
    alpha: float

    @property
    def rank(self) -> int:
        """The inner dimension of the two factors."""
        return self.down.shape[0]
