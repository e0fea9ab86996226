"""Frozen layers whose weights are kept in 8 or 4 bits: a half or a quarter of what bf16 takes, and less for fp32.

A weight is put together when a product is made of it, in the run's own precision, and forgotten right after: the backward
pass makes it anew rather than keep it. So what is learned beside it, and its gradient, are computed as ever.

8 bits are whole numbers from -127 to 127 with a scale for each output: 0.9 % off in the mean of a normal weight. 4 bits are
NF4 (Dettmers et al. 2023, QLoRA) in blocks of 64 by bitsandbytes, which knows CUDA and the processor: 9 % off.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

from sdtui import heap
from sdtui.errors import UserError
from sdtui.profile.bits import BLOCK, is_quantised

Storage = Literal["same", "8bit", "4bit"]

_KIND = "nf4"


class Quantised(nn.Module):
    """What both kinds of layers have in common; `weight` is put together each time that it is read."""

    codes: Tensor
    scales: Tensor
    shape: torch.Size
    dtype: torch.dtype

    def restored(self, dtype: torch.dtype) -> Tensor:
        """The weight in `dtype`."""
        if self.codes.dtype == torch.int8:
            return self.codes.to(dtype).mul_(self.scales.to(dtype))
        # As one row: on the processor bitsandbytes 0.50 begins a block with each row, where it quantised without. In two axes:
        # given one, it answers with two there, which is not what it tells torch.compile.
        row: Tensor = torch.ops.bitsandbytes.dequantize_4bit(
            self.codes, self.scales, BLOCK, _KIND, [1, self.shape.numel()], dtype
        )
        return row.view(self.shape)

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """What the layer makes of `x` with that weight."""
        raise NotImplementedError

    def gradient(self, of_output: Tensor, size: torch.Size) -> Tensor:
        """The gradient of the input, of that size."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """The layer's answer to `x`."""
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        answer: Tensor = _Product.apply(x, self)  # type: ignore[no-untyped-call]
        return answer


class QuantisedLinear(Quantised, nn.Linear):
    """A Linear layer."""

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        """The weight (out, in), as the layer had it."""
        return self.restored(self.dtype)

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """(…, in) to (…, out)."""
        return nn.functional.linear(x, weight, self.bias)

    def gradient(self, of_output: Tensor, size: torch.Size) -> Tensor:
        """(…, out) to (…, in)."""
        return (of_output @ self.restored(of_output.dtype)).view(size)


class QuantisedConv2d(Quantised, nn.Conv2d):
    """A convolution."""

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        """The weight (out, in, k, k), as the layer had it."""
        return self.restored(self.dtype)

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """(B, in, h, w) to (B, out, h', w')."""
        answer: Tensor = self._conv_forward(x, weight, self.bias)
        return answer

    def gradient(self, of_output: Tensor, size: torch.Size) -> Tensor:
        """(B, out, h', w') to (B, in, h, w)."""
        weight = self.restored(of_output.dtype)
        found: Tensor = conv2d_input(  # type: ignore[no-untyped-call]
            size, weight, of_output, self.stride, self.padding, self.dilation, self.groups
        )
        return found


class _Product(torch.autograd.Function):
    """A product with a frozen weight that is restored for each pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Quantised) -> Tensor:
        ctx.layer, ctx.size = layer, x.shape
        return layer.product(x, layer.restored(x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        with torch.autocast(gradients[0].device.type, enabled=False):
            return ctx.layer.gradient(gradients[0], ctx.size), None


def quantise(module: nn.Module, storage: Storage, read: Callable[[str], Tensor] | None = None) -> None:
    """Keep the weights of the module's Linear and convolution layers in so many bits, one layer after the other.

    `read` gets a weight by its name where the module does not hold them yet: then no two are in memory whole at a time.

    Raises:
        UserError: bitsandbytes is missing, or cannot do it here.
    """
    if storage == "same":
        return
    if storage == "4bit":
        _require_bitsandbytes()
    for path, layer in list(_layers(module)):
        held: Tensor = layer._parameters.pop("weight")  # noqa: SLF001 - a property takes its place
        # Given on at once, so that it is gone before the next is read.
        _keep(layer, held if read is None else read(f"{path}.weight"), storage)
        if read is not None:
            # Else what whole weights leave between the small ones that stay would come to as much again.
            heap.give_back()


def _keep(layer: Any, weight: Tensor, storage: Storage) -> None:
    """Make the layer one that has this weight in fewer bits."""
    codes, scales = _eight(weight) if storage == "8bit" else _four(weight)
    layer.shape, layer.dtype = weight.shape, weight.dtype
    layer.register_buffer("codes", codes)
    layer.register_buffer("scales", scales)
    # All that the layer is besides (stride, padding, bias) stays with it, as in torch.nn.utils.parametrize.
    layer.__class__ = QuantisedLinear if isinstance(layer, nn.Linear) else QuantisedConv2d


def _layers(module: nn.Module) -> Iterator[tuple[str, Any]]:
    for path, layer in module.named_modules():
        plain = type(layer) is nn.Linear or (type(layer) is nn.Conv2d and layer.padding_mode == "zeros")
        if plain and is_quantised(path, layer.weight.numel()):
            yield path, layer


def _eight(weight: Tensor) -> tuple[Tensor, Tensor]:
    rows = weight.detach().float().flatten(1)
    # As the run will read it: a scale that is rounded only then would make the whole row longer or shorter.
    scales = (rows.abs().amax(1, keepdim=True) / 127).clamp(min=torch.finfo(weight.dtype).tiny).to(weight.dtype)
    codes = (rows / scales).round_().clamp_(-127, 127).to(torch.int8)
    return codes.view(weight.shape), scales.view(-1, *[1] * (weight.dim() - 1))


def _four(weight: Tensor) -> tuple[Tensor, Tensor]:
    try:
        codes, scales = torch.ops.bitsandbytes.quantize_4bit(weight.detach().contiguous(), BLOCK, _KIND, torch.uint8)
    except (RuntimeError, NotImplementedError, ValueError) as error:
        raise UserError(
            f"bitsandbytes cannot keep weights in 4 bits here: {str(error).strip().splitlines()[0]}",
            where="training.base_precision",
            remedy='Set it to "8bit", which needs no package',
        ) from error
    return codes, scales


def _require_bitsandbytes() -> None:
    try:
        importlib.import_module("bitsandbytes")
    except ImportError as error:
        raise UserError(
            f"4bit needs the package bitsandbytes, which cannot be imported: {error}",
            where="training.base_precision",
            remedy='pip install "sdtui[four-bit]", or set it to "8bit", which needs no package',
        ) from error
