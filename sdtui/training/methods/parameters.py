"""What every method does with its named parameters: sort them by learning rate, and put a checkpoint's values back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sdtui.errors import SdtuiError, UserError
from sdtui.profile.targets import block_of, strange_blocks, whole_path
from sdtui.training.methods.method import ParameterGroup

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile


def by_rate(named: Iterable[tuple[str, nn.Parameter]], layers: Iterable[str], profile: Profile) -> list[ParameterGroup]:
    """A group for each rate: by component, by the blocks that have a factor or stop early, and by factor of the product (LoRA+).

    What has factor 0 is not trained, and is in no group. `named` are by "component.path.name", `layers` by
    "component.path".

    Raises:
        UserError: a block is none of the model's, or nothing is left to train.
    """
    optimizer = profile.optimizer
    text_rate = optimizer.text_encoder_learning_rate or optimizer.learning_rate
    layers = list(layers)
    blocks = {whole_path(block): factor for block, factor in optimizer.block_rates.items()}
    require_blocks(blocks, layers, "optimizer.block_rates")
    require_blocks(optimizer.stops, layers, "optimizer.stops")
    parts = [*blocks, *map(whole_path, optimizer.stops)]
    groups: dict[str, ParameterGroup] = {}
    for name, weight in named:
        component = name.partition(".")[0]
        block = block_of(name, blocks)
        factor = blocks.get(block, 1.0)
        weight.requires_grad_(factor > 0)
        if not factor:
            continue
        up = optimizer.lora_plus_ratio != 1 and name.endswith(".up")
        # The longest path decides: no two blocks overlap but one inside the other.
        group = f"{block_of(name, parts) or component}{' up' if up else ''}"
        rate = optimizer.learning_rate if component == "unet" else text_rate
        rate *= factor * (optimizer.lora_plus_ratio if up else 1)
        groups.setdefault(group, ParameterGroup(name=group, params=[], lr=rate))["params"].append(weight)
    if not groups:
        raise UserError("block_rates leave nothing to train", where="optimizer.block_rates")
    return list(groups.values())


def require_blocks(blocks: Iterable[str], layers: Iterable[str], where: str) -> None:
    """Every block holds a layer.

    Raises:
        UserError: one holds none.
    """
    for _, message, remedy in strange_blocks(blocks, layers):
        raise UserError(message, where=where, remedy=remedy)


@torch.no_grad()
def put_back(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor], what: str) -> None:
    """Write a checkpoint's `tensors` into the trained ones of the same names.

    Raises:
        SdtuiError: the checkpoint is of another `what`, with other names or shapes.
    """
    if own.keys() != tensors.keys():
        odd = min(own.keys() ^ tensors.keys())
        raise SdtuiError(f"the checkpoint is of another {what}: {odd} is in one of the two only")
    for name, weight in own.items():
        if weight.shape != tensors[name].shape:
            raise SdtuiError(f"the checkpoint's {name} is {list(tensors[name].shape)}, not {list(weight.shape)}")
        weight.copy_(tensors[name])
