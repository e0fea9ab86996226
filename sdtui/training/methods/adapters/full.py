"""The whole difference of a layer's weight and bias: everything can be learned, and the file is as large as the layers."""

from __future__ import annotations

from torch import Tensor, nn

from sdtui.training.methods.adapters.layer import Difference, on_channels


class Full(Difference):
    """`diff` is added to the weight and `diff_b` to the bias; both start as zero."""

    FACTORS = ("diff",)
    diff: nn.Parameter

    def change(self) -> Tensor:
        """ΔW in the weight's shape."""
        return self.diff

    def file_alpha(self) -> None:
        """There is nothing to scale."""

    def _changed(self, x: Tensor) -> Tensor:
        total = super()._changed(x)
        return total + on_channels(self.get_parameter("diff_b"), total) if "diff_b" in self.learned else total
