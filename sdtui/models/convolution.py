"""Convolutions of a wide model over few places, on a processor: one product with the weights as they lie.

oneDNN brings the weights into an order of its own at each call. Over a large image that is paid back; over the lowest levels
of a UNet it takes longer than the product itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_WIDE = 1 << 23
_FEW_PLACES = 256
"""From how many weights and up to how many places, batch counted, measured forward and back in fp32 on a Zen 4, oneDNN's time
over that of one product: 1280 → 1280 channels at 8×8 2.2, at 12×12 1.4, at 16×16 1.1 to 1.4, 2560 → 1280 at 4×4 3.4,
640 → 640 at 16×16 0.9, 1280 → 1280 at 32×32 0.8; two images of 8×8 1.1, four 1.0."""


class WideConv2d(nn.Conv2d):
    """A convolution that chooses between the two by what comes in; the sums are the same, in another order."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002 - torch's name
        if self._is_slow_in_order(input, weight):
            kernel, stride, padding = self.kernel_size, self.stride, self.padding
            out: Tensor = torch.ops.aten.thnn_conv2d(input, weight, kernel, bias, stride, padding)
            return out
        usual: Tensor = super()._conv_forward(input, weight, bias)
        return usual

    def _is_slow_in_order(self, x: Tensor, weight: Tensor) -> bool:
        if weight.numel() < _WIDE or x.dim() != 4 or len(x) * x.shape[2] * x.shape[3] > _FEW_PLACES:
            return False
        whole = x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32
        return whole and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()


def suit_processor(model: nn.Module) -> None:
    """Let the model's wide convolutions choose."""
    for layer in model.modules():
        # Of this very class: what stands in a layer's place knows better.
        if type(layer) is nn.Conv2d and layer.weight.numel() >= _WIDE and _is_plain(layer):
            layer.__class__ = WideConv2d


def _is_plain(layer: nn.Conv2d) -> bool:
    spread = layer.groups > 1 or max(layer.dilation) > 1 or layer.padding_mode != "zeros"
    return not spread and not isinstance(layer.padding, str)
