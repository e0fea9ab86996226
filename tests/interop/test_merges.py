"""What AUTOMATIC1111 and ComfyUI make of every adapter: their rules, written down here from their sources, against ours.

A merge is right when a layer with the merged weight answers as the trained layer does. Where a program's rule gives
something else, that is a fact that docs/adapters.md tells and a test holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sdtui.formats.kohya import tensors as file_of
from sdtui.formats.learned import Adapter as LearnedAdapter
from sdtui.formats.learned import Learned
from sdtui.profile.factors import Site, shapes
from sdtui.profile.schema import Method
from sdtui.training.methods.adapters import Adapter, Norm
from sdtui.training.methods.adapters.layer import Plan
from tests.support.layers import PATHS, SETTINGS, adapter, inputs

pytestmark = pytest.mark.interop
Merged: TypeAlias = tuple[Tensor, Tensor | None]
Held: TypeAlias = Mapping[str, Tensor]
Reader: TypeAlias = Callable[[Tensor, Tensor | None, Held], Merged]


def webui(weight: Tensor, bias: Tensor | None, held: Held) -> Merged:
    """AUTOMATIC1111 1.10 (extensions-builtin/Lora): the first kind whose tensors are there; a change, scaled, then added."""
    change, rank = webui_change(weight, held)
    alpha = held.get("alpha")
    scale = 1.0 if rank is None or alpha is None else float(alpha) / rank
    change = change.reshape(weight.shape) * scale if change.numel() == weight.numel() else change
    if "dora_scale" in held:
        # One length per input, whatever the shape of the stored ones is.
        whole = weight + change
        lengths = whole.transpose(0, 1).flatten(1).norm(dim=1).view(1, -1, *[1] * (weight.dim() - 2))
        change = whole * (held["dora_scale"] / lengths) - weight
    added = held.get("diff_b", held.get("b_norm"))
    # In place: what is of another shape is an error, which the web UI logs before it goes on with the next layer.
    return weight.detach().clone().add_(change), bias if added is None or bias is None else bias + added


def webui_change(weight: Tensor, held: Held) -> tuple[Tensor, int | None]:
    """What is added to the weight before it is scaled, and the rank."""
    if "lora_up.weight" in held:
        down, up = held["lora_down.weight"], held["lora_up.weight"]
        return up.flatten(1) @ down.flatten(1), len(down)
    if "hada_w1_a" in held:
        first, second = held["hada_w1_a"] @ held["hada_w1_b"], held["hada_w2_a"] @ held["hada_w2_b"]
        return first * second, len(held["hada_w1_b"])
    if "weight" in held:
        # The outputs' factors become a column, which a convolution's weight does not take.
        factors = held["weight"] if held["on_input"] else held["weight"].reshape(-1, 1)
        return weight * factors, None
    if {"lokr_w1", "lokr_w1_a"} & held.keys():
        return kronecker(held)
    if "diff" in held or "w_norm" in held:
        return held.get("diff", held.get("w_norm", weight)), None
    return rotated(weight, held, limit=float(held["alpha"]) * len(weight)) - weight, None


def comfyui(weight: Tensor, bias: Tensor | None, held: Held) -> Merged:
    """ComfyUI 0.3.7x (comfy/weight_adapter): every kind it knows; what it does not know is left out with a warning."""
    alpha = float(held["alpha"]) if "alpha" in held else None
    change: Tensor | None = None
    rank: int | None = None
    if "lora_up.weight" in held:
        change = held["lora_up.weight"].flatten(1) @ held["lora_down.weight"].flatten(1)
        rank = held["lora_down.weight"].shape[0]
    elif "hada_w1_a" in held:
        change = (held["hada_w1_a"] @ held["hada_w1_b"]) * (held["hada_w2_a"] @ held["hada_w2_b"])
        rank = held["hada_w1_b"].shape[0]
    elif {"lokr_w1", "lokr_w1_a"} & held.keys():
        change, rank = kronecker(held)
    elif "oft_blocks" in held:
        assert alpha is not None
        return rotated(weight, held, limit=alpha), bias
    elif "diff" in held or "w_norm" in held:
        change = held["diff"] if "diff" in held else held["w_norm"]
    if change is None:
        return weight, bias
    whole = weight + change.reshape(weight.shape) * (alpha / rank if alpha is not None and rank is not None else 1.0)
    if "dora_scale" in held:
        whole = comfyui_lengths(weight, whole, held["dora_scale"])
    added = held.get("diff_b", held.get("b_norm"))
    return whole, bias if added is None or bias is None else bias + added


def comfyui_lengths(weight: Tensor, whole: Tensor, scale: Tensor) -> Tensor:
    """The sum with the stored lengths: by input those of the sum are divided out, by output those of the base."""
    smallest = torch.finfo(weight.dtype).eps
    by_output = scale.shape[0] == weight.shape[0]
    rows = weight if by_output else whole.transpose(0, 1)
    lengths: Tensor = rows.flatten(1).norm(dim=1).view(scale.shape) + smallest
    return whole * (scale / lengths)


def kronecker(held: Held) -> tuple[Tensor, int | None]:
    """Both programs' product of two factors; the rank is that of the last low-rank one."""
    rank = None
    factors = []
    for name in ("lokr_w1", "lokr_w2"):
        if name in held:
            factors.append(held[name])
        else:
            factors.append(held[f"{name}_a"] @ held[f"{name}_b"])
            rank = held[f"{name}_b"].shape[0]
    small, large = factors
    return torch.kron(small[:, :, None, None] if large.dim() == 4 else small, large.contiguous()), rank


def rotated(weight: Tensor, held: Held, limit: float) -> Tensor:
    """Both programs' rotation: three axes of blocks are turned at once, four one level after the other."""
    blocks = held["oft_blocks"]
    skew = blocks - blocks.mT
    if limit and skew.norm() > limit:
        skew = skew * limit / skew.norm()
    identity = torch.eye(blocks.shape[-1], dtype=blocks.dtype)
    turns = (identity + skew) @ torch.linalg.inv(identity - skew)
    if blocks.dim() == 3:
        runs = weight.reshape(*turns.shape[:2], *weight.shape[1:])
        return torch.einsum("knm,kn...->km...", turns, runs).reshape(weight.shape)
    rows = weight
    for level, turn in enumerate(turns):
        apart = 2**level * (turn.shape[-1] // 2)
        pairs = rows.reshape(-1, 2, apart, *weight.shape[1:]).transpose(1, 2)
        mixed = torch.einsum("bij,bj...->bi...", turn, pairs.reshape(*turn.shape[:2], *weight.shape[1:]))
        rows = mixed.reshape(-1, apart, 2, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)
    return rows


READERS: dict[str, Reader] = {"AUTOMATIC1111": webui, "ComfyUI": comfyui}
# Adapter → what a program makes of it other than the trained weight: another one, none, or an error. As docs/adapters.md says.
OTHERWISE: dict[str, dict[str, str]] = {
    "AUTOMATIC1111": {"lora dora": "other", "loha dora": "other", "lokr dora": "other"},
    "ComfyUI": {"lora dora": "near", "loha dora": "near", "lokr dora": "near", "ia3": "none"},
}


def answers(made: Adapter, x: Tensor, merged: Merged) -> Tensor:
    weight, bias = merged
    if isinstance(made.base, nn.Conv2d):
        return functional.conv2d(x, weight, bias, made.base.stride, made.base.padding)
    return functional.linear(x, weight, bias)


def stored(made: Adapter) -> dict[str, Tensor]:
    """The layer's tensors in a file, by the names behind the layer's own."""
    layer = Learned("unet", "proj_in", made.tensors(), made.file_alpha())
    named = file_of(LearnedAdapter("sd1", [layer]), "fp32")
    # What is stored in fp32 is computed in fp64 again, so that only the rules can differ.
    return {
        name.partition(".")[2]: value.double() if value.is_floating_point() else value for name, value in named.items()
    }


@pytest.mark.parametrize("layer", PATHS)
@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("program", READERS)
def test_a_program_s_merge_answers_as_the_trained_layer(program: str, kind: str, layer: str) -> None:
    made: Any = adapter(layer, **SETTINGS[kind])
    x = inputs(layer)
    # IA3 as a column beside a convolution's four axes.
    if (program, kind) == ("AUTOMATIC1111", "ia3") and isinstance(made.base, nn.Conv2d):
        with pytest.raises(RuntimeError, match=r"size of tensor|output with shape"):
            READERS[program](made.base.weight, made.base.bias, stored(made))
        return
    got = answers(made, x, READERS[program](made.base.weight, made.base.bias, stored(made)))
    trained, base = made(x), made.base(x)
    difference = (got - trained).norm() / (trained - base).norm()
    expected = OTHERWISE[program].get(kind, "")
    if expected == "none":
        assert torch.equal(got, base)
    elif expected:
        assert difference > 0.1
    else:
        assert difference < 1e-6


@pytest.mark.parametrize("program", READERS)
@pytest.mark.parametrize("base", [nn.LayerNorm(12), nn.GroupNorm(3, 12)], ids=["layer norm", "group norm"])
def test_a_trained_norm_is_added_to_weight_and_bias(program: str, base: Any) -> None:
    site = Site("unet", "norm", 12, 12, norm=True)
    made: Any = Norm(base.double(), Plan(site, shapes(Method(), site, 4), 4, 1.0)).double()
    generator = torch.Generator().manual_seed(1)
    for part in made.learned:
        made.get_parameter(part).data.normal_(generator=generator)
    x = inputs("pointwise" if isinstance(base, nn.GroupNorm) else "plain")
    weight, bias = READERS[program](base.weight, base.bias, stored(made))
    trained = made(x)
    base.weight.data, base.bias.data = weight, bias
    assert (base(x) - trained).abs().max() < 1e-6


def test_comfyui_is_near_where_a_little_was_learned() -> None:
    """The lengths that it divides out are the base's: those of the sum differ by as much as was learned, squared or so."""
    made: Any = adapter("plain", learned=False, algorithm="lora", weight_decompose=True)
    made.up.data.normal_(generator=torch.Generator().manual_seed(1)).mul_(0.01)
    x = inputs("plain")
    got = answers(made, x, comfyui(made.base.weight, None, stored(made)))
    assert 1e-4 < (got - made(x)).norm() / made(x).norm() < 0.02
