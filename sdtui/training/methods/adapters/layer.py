"""A frozen layer of the base model with something beside it that learns, and how its change is added."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from sdtui.models.quantised import Quantised
from sdtui.profile.factors import FILE_NAMES, Shape, Site


@dataclass(frozen=True)
class Plan:
    """What is added to a layer.

    Attributes:
        site: the layer.
        shapes: name → shape of what learns.
        rank, alpha: of the product, where there is one.
        rank_stabilised: whether it is scaled by alpha / √rank and not by alpha / rank.
        dropout, rank_dropout, module_dropout: chances; see the profile's settings of these names.
    """

    site: Site
    shapes: Mapping[str, Shape]
    rank: int
    alpha: float
    rank_stabilised: bool = False
    dropout: float = 0.0
    rank_dropout: float = 0.0
    module_dropout: float = 0.0


class Adapter(nn.Module):
    """Stands in the place of the layer `base`, and answers as that did until something is learned.

    The parameters are fp32 whatever the base's precision, and named as in `plan.shapes`.
    """

    # Parameters that the change is proportional to, each: halving one halves the change.
    FACTORS: ClassVar[tuple[str, ...]] = ()
    base: Any

    def __init__(self, base: Any, plan: Plan) -> None:
        super().__init__()
        self.base = base.requires_grad_(requires_grad=False)
        self.plan = plan
        self.active = True
        self.scale = plan.alpha / (math.sqrt(plan.rank) if plan.rank_stabilised else plan.rank)
        # Of any tensor: a quantised weight would be put together for it.
        device = next(chain(self.base.parameters(), self.base.buffers())).device
        for name, shape in plan.shapes.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape, device=device)))
        self.learned = list(plan.shapes)

    def start(self, generator: torch.Generator) -> None:
        """Give what learns its initial values, with which the layer answers as its base."""

    def forward(self, x: Tensor) -> Tensor:
        """The base's answer to `x`, with what was learned."""
        if not self.active or (self.training and self._is_left_out()):
            out: Tensor = self.base(x)
            return out
        return self.adapted(x)

    def adapted(self, x: Tensor) -> Tensor:
        """The answer to `x` with what was learned."""
        raise NotImplementedError

    def factors(self) -> list[nn.Parameter]:
        """The parameters that the change is proportional to."""
        return [self.get_parameter(name) for name in self.FACTORS if name in self.learned]

    def file_alpha(self) -> float | None:
        """The alpha with which readers, who divide it by the rank, come to the scale used here; None: the file has none."""
        return self.scale * self.plan.rank

    def tensors(self) -> dict[str, Tensor]:
        """What was learned, by the tensors' names in LyCORIS files (kohya's for LoRA)."""
        return {FILE_NAMES.get(name, name): self.get_parameter(name).detach() for name in self.learned}

    def _is_left_out(self) -> bool:
        # The host's generator: no device has to be waited for.
        return self.plan.module_dropout > 0 and float(torch.rand(())) < self.plan.module_dropout

    def _set(self, name: str, values: Tensor) -> None:
        parameter = self.get_parameter(name)
        parameter.data = values.to(parameter.device)

    def _uniform(self, name: str, generator: torch.Generator) -> None:
        """Kaiming's uniform start with a = √5: U(±1/√fan_in), fan_in being the values that make one output."""
        shape = self.plan.shapes[name]
        bound = math.prod(shape[1:]) ** -0.5
        self._set(name, torch.empty(shape).uniform_(-bound, bound, generator=generator))


class Difference(Adapter):
    """An adapter that adds to the layer's weight; with `dora_scale` (DoRA) the sum's rows or columns get lengths of their own."""

    def start(self, generator: torch.Generator) -> None:  # noqa: ARG002 - what is random is the algorithms' own
        """DoRA begins with the lengths that the base has."""
        if "dora_scale" in self.learned:
            self._set("dora_scale", self._lengths(self.base.weight.detach().float()))

    def change(self) -> Tensor:
        """ΔW in the weight's shape, in fp32; dropout is not in it."""
        raise NotImplementedError

    def adapted(self, x: Tensor) -> Tensor:
        """The base's answer with that of ΔW added, and for DoRA each output or input scaled."""
        if "dora_scale" not in self.learned:
            return self._changed(x)
        # The length is taken as a constant in the backward pass (Liu et al. 2024, §4.3): memory for hardly any loss.
        scale = self.get_parameter("dora_scale")
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            lengths = self._lengths(self.base.weight.to(scale.dtype) + self.change())
        ratio = (scale / lengths).flatten()
        if len(scale) == 1:
            return self._changed(x * on_channels(ratio, x))
        total = self._changed(x)
        bias = self.base.bias
        if bias is None:
            return total * on_channels(ratio, total)
        bias = on_channels(bias, total)
        return (total - bias) * on_channels(ratio, total) + bias

    def _lengths(self, weight: Tensor) -> Tensor:
        """The norm of all that makes one output, (out, 1, …), or of all that is made of one input, (1, in, …)."""
        shape = self.plan.shapes["dora_scale"]
        others = [axis for axis in range(weight.dim()) if shape[axis] == 1]
        # The smallest number keeps the division from 0 (LyCORIS).
        lengths: Tensor = torch.linalg.vector_norm(weight, dim=others, keepdim=True) + torch.finfo(weight.dtype).eps
        return lengths

    def _changed(self, x: Tensor) -> Tensor:
        """What W + ΔW makes of `x`, in one product where that is as exact as two."""
        plan = self.plan
        with torch.autocast(x.device.type, enabled=False):
            change = self.change()
            if self.training and plan.rank_dropout:
                kept = torch.rand(len(change), device=change.device) >= plan.rank_dropout
                change = change * (kept / (1 - plan.rank_dropout)).view(-1, *[1] * (change.dim() - 1))
        if self._can_merge(x, change):
            return self._operate(x, self.base.weight + change, self.base.bias)
        out: Tensor = self.base(x)
        return out + self._operate(self._dropped(x), change.to(x.dtype))

    def _can_merge(self, x: Tensor, learned: Tensor) -> bool:
        """Whether nothing is lost in a sum of weights: a half's rounding is coarser than what a step changes.

        Nor is memory: of a quantised base the whole sum would be kept for the backward pass.
        """
        if isinstance(self.base, Quantised):
            return False
        whole = x.dtype == self.base.weight.dtype == learned.dtype and not torch.is_autocast_enabled(x.device.type)
        return whole and not (self.training and self.plan.dropout)

    def _dropped(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.plan.dropout, self.training) if self.plan.dropout else x

    def _operate(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """What the base would do with another weight."""
        if isinstance(self.base, nn.Conv2d):
            # Stride, padding and the padding's mode are known there.
            answer: Tensor = self.base._conv_forward(x, weight, bias)  # noqa: SLF001
            return answer
        return functional.linear(x, weight, bias)


def on_channels(values: Tensor, x: Tensor) -> Tensor:
    """One number per channel, broadcast over `x`: channels are last beside a Linear, second beside a convolution."""
    values = values.to(x.dtype)
    return values.view(-1, 1, 1) if x.dim() == 4 else values
