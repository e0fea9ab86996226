"""Single layers with something beside them that learns, one for each kind that models have."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sdtui.profile.factors import Site, shapes
from sdtui.profile.schema import Method
from sdtui.training.methods.adapters import ALGORITHMS, Adapter
from sdtui.training.methods.adapters.layer import Plan

# What the layers are called in a UNet, by kind; IA3 scales the inputs of the second.
PATHS = {"linear": "ff.net.0.proj", "second": "ff.net.2", "plain": "to_q", "pointwise": "proj_in", "strided": "conv1"}
SETTINGS: dict[str, dict[str, Any]] = {
    "lora": {"algorithm": "lora"},
    "lora dora": {"algorithm": "lora", "weight_decompose": True},
    "lora dora inputs": {"algorithm": "lora", "weight_decompose": True, "decompose_inputs": True},
    "lora rs": {"algorithm": "lora", "rs_lora": True},
    "loha": {"algorithm": "loha"},
    "loha dora": {"algorithm": "loha", "weight_decompose": True},
    "lokr": {"algorithm": "lokr"},
    "lokr factor": {"algorithm": "lokr", "factor": 2},
    "lokr both": {"algorithm": "lokr", "decompose_both": True, "rank": 1},
    "lokr full": {"algorithm": "lokr", "full_matrix": True},
    "lokr dora": {"algorithm": "lokr", "weight_decompose": True, "factor": 2},
    "ia3": {"algorithm": "ia3"},
    "oft": {"algorithm": "oft"},
    "boft": {"algorithm": "boft"},
    "full": {"algorithm": "full"},
}


def base_layer(name: str) -> nn.Module:
    torch.manual_seed(1)
    made: dict[str, nn.Module] = {
        "linear": nn.Linear(12, 24),
        "second": nn.Linear(12, 24),
        "plain": nn.Linear(12, 24, bias=False),
        "pointwise": nn.Conv2d(12, 24, 1),
        "strided": nn.Conv2d(12, 24, 3, stride=2, padding=1),
    }
    return made[name].double()


def inputs(name: str) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    shape = (2, 12, 6, 6) if name in {"pointwise", "strided"} else (2, 5, 12)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def adapter(name: str, *, learned: bool = True, **settings: Any) -> Adapter:
    method = Method.model_validate({"rank": 4, "alpha": 2.0, **settings})
    layer: Any = base_layer(name)
    outputs, ins, *kernel = layer.weight.shape
    site = Site("unet", f"block.{PATHS[name]}", outputs, ins, tuple(kernel), bias=layer.bias is not None)
    plan = Plan(
        site, shapes(method, site, method.rank), method.rank, method.alpha, method.rs_lora, method.dropout,
        method.rank_dropout, method.module_dropout,
    )  # fmt: skip
    made = ALGORITHMS[method.algorithm](layer, plan)
    generator = torch.Generator().manual_seed(3)
    made.start(generator)
    if learned:
        for part in made.learned:
            parameter = made.get_parameter(part)
            parameter.data += torch.randn(parameter.shape, generator=generator) * 0.3
    return made.double()
