"""What a finished adapter makes of a layer: its weight and bias with what was learned, by the rules that all readers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from sdtui.formats.learned import Learned


class Parameters(NamedTuple):
    """Weight and bias of a layer; None where it has no bias."""

    weight: Tensor
    bias: Tensor | None


def applied(learned: Learned, base: Parameters, strength: float = 1.0) -> Parameters:
    """The layer's parameters with `strength` times the change, in fp32.

    At strength 0 they are the base's, at 1 those that training ended with; between and beyond lies a straight line, as
    AUTOMATIC1111 and ComfyUI have it for every algorithm.

    Args:
        learned: what was learned in this layer.
        base: its parameters, in any precision.
        strength: how much of it; may be negative.

    Raises:
        ValueError: the tensors do not fit the layer, or are of no known algorithm.
    """
    weight = base.weight.float()
    bias = None if base.bias is None else base.bias.float()
    try:
        changed = _with(learned, weight)
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{learned.component}.{learned.path} does not fit: {error}") from error
    if changed.shape != weight.shape:
        raise ValueError(
            f"{learned.component}.{learned.path} is {list(changed.shape)} in the file and {list(weight.shape)} in the model"
        )
    shift = learned.tensors.get("diff_b", learned.tensors.get("b_norm"))
    if shift is not None and bias is not None:
        bias = bias + strength * shift.float()
    return Parameters(weight + strength * (changed - weight), bias)


def _with(learned: Learned, weight: Tensor) -> Tensor:
    """The weight as training left it."""
    tensors = {name: tensor.float() for name, tensor in learned.tensors.items()}
    if "oft_blocks" in tensors:
        return rotated(weight, tensors["oft_blocks"])
    if "on_input" in tensors:
        factor = 1 + tensors["weight"].flatten()
        places = [1, -1] if tensors["on_input"] else [-1, 1]
        return weight * factor.view(*places, *[1] * (weight.dim() - 2))
    if "w_norm" in tensors:
        return weight + tensors["w_norm"]
    total = weight + learned.scale * _difference(tensors, weight.shape)
    return total if "dora_scale" not in tensors else total * (tensors["dora_scale"] / _lengths(total, tensors))


def _difference(tensors: Mapping[str, Tensor], shape: torch.Size) -> Tensor:
    """ΔW without its scale."""
    if "diff" in tensors:
        return tensors["diff"].reshape(shape)
    if "lora_up.weight" in tensors:
        return (tensors["lora_up.weight"].flatten(1) @ tensors["lora_down.weight"].flatten(1)).reshape(shape)
    if "hada_w1_a" in tensors:
        first, second = (tensors[f"hada_w{number}_a"] @ tensors[f"hada_w{number}_b"] for number in (1, 2))
        return (first * second).reshape(shape)
    if "lokr_w1" in tensors or "lokr_w1_a" in tensors:
        small, large = _factor(tensors, "lokr_w1"), _factor(tensors, "lokr_w2")
        kernel = shape[2:]
        large = large.reshape(len(large), -1, *kernel)
        return torch.kron(small.reshape(*small.shape, *[1] * len(kernel)), large).reshape(shape)
    raise ValueError(f"of no known algorithm: {', '.join(sorted(tensors))}")


def _factor(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    return tensors[name] if name in tensors else tensors[f"{name}_a"] @ tensors[f"{name}_b"]


def _lengths(weight: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
    """Norms of the rows, (out, 1, …), or the columns, (1, in, …), whichever the stored lengths are of (Liu et al. 2024)."""
    stored = tensors["dora_scale"]
    others = [axis for axis in range(weight.dim()) if axis >= stored.dim() or stored.shape[axis] == 1]
    lengths: Tensor = torch.linalg.vector_norm(weight, dim=others, keepdim=True) + torch.finfo(weight.dtype).eps
    return lengths


def rotated(weight: Tensor, blocks: Tensor) -> Tensor:
    """The rows of `weight` turned in blocks (OFT: blocks (k, n, n)) or by a butterfly of such turns (BOFT: (m, k, n, n))."""
    rows = weight.flatten(1)
    rotations = cayley(blocks)
    if blocks.dim() == 3:
        parts = rows.reshape(len(rotations), -1, rows.shape[1])
        turned = torch.einsum("knm,kni->kmi", rotations, parts).reshape_as(rows)
    else:
        turned = rows.t()
        half = rotations.shape[-1] // 2
        for index, rotation in enumerate(rotations):
            apart = half * 2**index
            shuffled = turned.reshape(len(turned), -1, 2, apart).mT.reshape(len(turned), *rotation.shape[:2])
            turned = torch.einsum("bij,...bj->...bi", rotation, shuffled)
            turned = turned.reshape(len(turned), -1, apart, 2).mT.flatten(1)
        turned = turned.t()
    return turned.reshape(weight.shape)


def cayley(blocks: Tensor) -> Tensor:
    """The rotations (I + Q)(I - Q)⁻¹ of the skew-symmetric Q = blocks - blocksᵀ (Cayley 1846), of each block (…, n, n)."""
    skew = blocks - blocks.mT
    identity = torch.eye(skew.shape[-1], device=skew.device, dtype=skew.dtype)
    # (I + Q) and (I - Q)⁻¹ commute.
    rotations: Tensor = torch.linalg.solve(identity - skew, identity + skew)
    return rotations
