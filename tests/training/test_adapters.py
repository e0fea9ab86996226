"""Every adapter starts as its base, answers as the merged weight does, and learns in all its parts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sdtui.profile.factors import Site, shapes
from sdtui.profile.schema import Method
from sdtui.training.methods.adapters import ALGORITHMS, Adapter, Norm
from sdtui.training.methods.adapters.layer import Plan
from tests.support.layers import PATHS, SETTINGS, adapter, inputs


def merged(made: Adapter, settings: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
    """Weight and bias by the formulas that readers of the file use, from the file's tensors and alpha alone."""
    weight, bias = made.base.weight, made.base.bias
    held, alpha = made.tensors(), made.file_alpha()
    kind = settings["algorithm"]
    if kind == "ia3":
        scale = held["weight"]
        if held["on_input"]:
            return weight * (1 + scale), bias
        return (weight.transpose(0, 1) * (1 + scale)).transpose(0, 1), bias
    if kind == "full":
        return weight + held["diff"], None if bias is None else bias + held["diff_b"]
    if kind == "oft":
        return rotated_in_blocks(weight, held["oft_blocks"]), bias
    if kind == "boft":
        return rotated_in_butterflies(weight, held["oft_blocks"]), bias
    total = weight + difference(kind, held, alpha, weight.shape)
    if "dora_scale" in held:
        # One length for all that makes an output, or for all that is made of an input.
        rows = total if len(held["dora_scale"]) > 1 else total.transpose(0, 1)
        lengths = rows.flatten(1).norm(dim=1).view(-1, *[1] * (total.dim() - 1))
        scaled = rows / (lengths + torch.finfo(total.dtype).eps)
        total = (scaled if len(held["dora_scale"]) > 1 else scaled.transpose(0, 1)) * held["dora_scale"]
    return total, bias


def difference(kind: str, held: dict[str, Tensor], alpha: float | None, shape: torch.Size) -> Tensor:
    assert alpha is not None
    if kind == "lora":
        down, up = held["lora_down.weight"], held["lora_up.weight"]
        return (up.flatten(1) @ down.flatten(1)).view(shape) * (alpha / len(down))
    if kind == "loha":
        first, second = held["hada_w1_a"] @ held["hada_w1_b"], held["hada_w2_a"] @ held["hada_w2_b"]
        return (first * second).view(shape) * (alpha / len(held["hada_w1_b"]))
    rank = next((len(held[name]) for name in ("lokr_w1_b", "lokr_w2_b") if name in held), None)
    small = held["lokr_w1"] if "lokr_w1" in held else held["lokr_w1_a"] @ held["lokr_w1_b"]
    large = held["lokr_w2"] if "lokr_w2" in held else held["lokr_w2_a"] @ held["lokr_w2_b"]
    rows = torch.kron(small, large.flatten(1)) if len(shape) == 2 else by_hand(small, large, shape)
    whole: Tensor = rows.reshape(shape)
    return whole * (1.0 if rank is None else alpha / rank)


def by_hand(small: Tensor, large: Tensor, shape: torch.Size) -> Tensor:
    """Each value of the small factor times the whole large one, kernel and all, block by block."""
    large = large.reshape(shape[0] // small.shape[0], shape[1] // small.shape[1], *shape[2:])
    return torch.cat([torch.cat([value * large for value in row], dim=1) for row in small])


def cayley(block: Tensor) -> Tensor:
    skew = block - block.T
    identity = torch.eye(len(block), dtype=block.dtype)
    rotation: Tensor = (identity + skew) @ torch.linalg.inv(identity - skew)
    return rotation


def rotated_in_blocks(weight: Tensor, blocks: Tensor) -> Tensor:
    """Each run of rows mixed by its own rotation, transposed as in LyCORIS."""
    runs = weight.flatten(1).chunk(len(blocks))
    return torch.cat([cayley(block).T @ run for block, run in zip(blocks, runs, strict=True)]).view(weight.shape)


def rotated_in_butterflies(weight: Tensor, blocks: Tensor) -> Tensor:
    """Rows that are `apart` from each other meet in a block, twice as far apart at each level."""
    rows = weight.flatten(1)
    size = blocks.shape[-1]
    for level, rotations in enumerate(blocks):
        apart = size // 2 * 2**level
        order = torch.arange(len(rows)).view(-1, 2, apart).transpose(1, 2).flatten()
        mixed = torch.cat(
            [cayley(block) @ run for block, run in zip(rotations, rows[order].chunk(len(rotations)), strict=True)]
        )
        rows = torch.empty_like(rows)
        rows[order] = mixed
    return rows.view(weight.shape)


def answer(made: Adapter, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if isinstance(made.base, nn.Conv2d):
        return functional.conv2d(x, weight, bias, made.base.stride, made.base.padding)
    return functional.linear(x, weight, bias)


@pytest.mark.parametrize("layer", PATHS)
@pytest.mark.parametrize("kind", SETTINGS)
def test_an_adapter_answers_as_its_merged_weight(kind: str, layer: str) -> None:
    made = adapter(layer, **SETTINGS[kind])
    x = inputs(layer)
    weight, bias = merged(made, SETTINGS[kind])
    got = made(x)
    assert (got - answer(made, x, weight, bias)).abs().max() < 1e-11
    assert (got - made.base(x)).abs().max() > 1e-2


@pytest.mark.parametrize("layer", PATHS)
@pytest.mark.parametrize("kind", SETTINGS)
def test_an_adapter_starts_as_its_base_and_can_be_passed_by(kind: str, layer: str) -> None:
    x = inputs(layer)
    made = adapter(layer, learned=False, **SETTINGS[kind])
    assert (made(x) - made.base(x)).abs().max() < 1e-6
    made = adapter(layer, **SETTINGS[kind])
    made.active = False
    assert torch.equal(made(x), made.base(x))


@pytest.mark.parametrize("kind", SETTINGS)
def test_all_that_learns_has_a_gradient_and_the_base_has_none(kind: str) -> None:
    made = adapter("pointwise", **SETTINGS[kind])
    made(inputs("pointwise")).square().sum().backward()
    assert all(made.get_parameter(part).grad is not None for part in made.learned)
    assert all(weight.grad is None for weight in made.base.parameters())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 2.0),
        ({"rs_lora": True}, 4.0),
        ({"algorithm": "lokr", "full_matrix": True}, 4.0),
        ({"algorithm": "lokr", "full_matrix": True, "rs_lora": True}, 4.0),
        ({"algorithm": "oft"}, 0.0),
        ({"algorithm": "ia3"}, None),
        ({"algorithm": "full"}, None),
    ],
)
def test_the_alpha_in_the_file_is_what_readers_divide_by_the_rank(
    settings: dict[str, Any], expected: float | None
) -> None:
    """Rank 4 and alpha 2: rsLoRA's 2 / √4 is 4 / 4 to a reader, and what has no rank is taken as it is."""
    assert adapter("plain", **settings).file_alpha() == expected


@pytest.mark.parametrize(
    ("layer", "settings", "expected"),
    [
        ("strided", {}, {"down": (4, 12, 3, 3), "up": (24, 4, 1, 1)}),
        ("plain", {"weight_decompose": True}, {"down": (4, 12), "up": (24, 4), "dora_scale": (24, 1)}),
        ("plain", {"weight_decompose": True, "decompose_inputs": True}, {"down": (4, 12), "up": (24, 4), "dora_scale": (1, 12)}),
        ("strided", {"algorithm": "loha"}, {f"hada_w{n}_{s}": v for n in (1, 2) for s, v in (("a", (24, 4)), ("b", (4, 108)))}),
        ("strided", {"algorithm": "lokr", "rank": 2}, {"lokr_w1": (4, 3), "lokr_w2_a": (6, 2), "lokr_w2_b": (2, 36)}),
        ("strided", {"algorithm": "lokr", "full_matrix": True}, {"lokr_w1": (4, 3), "lokr_w2": (6, 4, 3, 3)}),
        ("plain", {"algorithm": "lokr", "factor": 2}, {"lokr_w1": (2, 2), "lokr_w2_a": (12, 4), "lokr_w2_b": (4, 6)}),
        ("strided", {"algorithm": "ia3"}, {"weight": (1, 24, 1, 1)}),
        ("second", {"algorithm": "ia3"}, {"weight": (12,)}),
        ("plain", {"algorithm": "oft"}, {"oft_blocks": (6, 4, 4)}),
        ("plain", {"algorithm": "boft"}, {"oft_blocks": (3, 4, 6, 6)}),
        ("strided", {"algorithm": "full"}, {"diff": (24, 12, 3, 3), "diff_b": (24,)}),
        ("plain", {"algorithm": "full"}, {"diff": (24, 12)}),
    ],
)  # fmt: skip
def test_shapes_are_lycoris(layer: str, settings: dict[str, Any], expected: dict[str, tuple[int, ...]]) -> None:
    made = adapter(layer, **settings)
    assert {part: tuple(made.get_parameter(part).shape) for part in made.learned} == expected


@pytest.mark.parametrize("base", [nn.LayerNorm(12), nn.GroupNorm(3, 12)])
def test_a_norm_is_changed_in_weight_and_bias(base: nn.Module) -> None:
    site = Site("unet", "norm", 12, 12, norm=True)
    made = Norm(base.double(), Plan(site, shapes(Method(), site, 4), 4, 1.0)).double()
    x = inputs("pointwise" if isinstance(base, nn.GroupNorm) else "plain")
    assert torch.equal(made(x), base(x))
    made.w_norm.data.normal_(generator=torch.Generator().manual_seed(1))
    made.b_norm.data.normal_(generator=torch.Generator().manual_seed(2))
    got = made(x)
    whole: Any = base
    whole.weight.data += made.w_norm.data
    whole.bias.data += made.b_norm.data
    assert (got - whole(x)).abs().max() < 1e-12
    assert set(made.tensors()) == {"w_norm", "b_norm"}


@pytest.mark.parametrize("chance", ["dropout", "rank_dropout", "module_dropout"])
@pytest.mark.parametrize("kind", ["lora", "loha", "lokr", "full", "lora conv"])
def test_dropouts_act_in_training_only(kind: str, chance: str) -> None:
    layer = "strided" if kind == "lora conv" else "plain"
    settings: dict[str, Any] = {chance: 0.5}
    made = adapter(layer, algorithm=kind.partition(" ")[0], **settings)
    x = inputs(layer)
    made.eval()
    assert torch.equal(made(x), made(x))
    made.train()
    torch.manual_seed(1)
    answers = [made(x) for _ in range(20)]
    assert not all(torch.equal(answers[0], other) for other in answers)
    torch.manual_seed(1)
    assert torch.equal(made(x), answers[0])


def test_a_whole_module_is_left_out_half_of_the_time() -> None:
    made = adapter("plain", module_dropout=0.5).train()
    x = inputs("plain")
    torch.manual_seed(0)
    left_out = sum(torch.equal(made(x), made.base(x)) for _ in range(400))
    assert 160 < left_out < 240


def test_ranks_are_dropped_per_image_and_made_up_for() -> None:
    made = adapter("plain", rank_dropout=0.5).train()
    x = inputs("plain")[:1].expand(4000, 5, 12)
    torch.manual_seed(0)
    change = made(x) - made.base(x)
    assert not torch.equal(change[0], change[1])
    whole = made.eval()(x) - made.base(x)
    assert (change.mean(dim=0) - whole[0]).abs().max() < 0.1 * whole.abs().max()


def test_a_bf16_base_keeps_what_learns_in_fp32() -> None:
    made = adapter("pointwise").float()
    made.base.to(torch.bfloat16)
    out = made(inputs("pointwise").to(torch.bfloat16))
    assert out.dtype == torch.bfloat16
    out.float().square().sum().backward()
    assert {made.get_parameter(part).grad.dtype for part in made.learned} == {torch.float32}  # type: ignore[union-attr]


@pytest.mark.parametrize("layer", PATHS)
@pytest.mark.parametrize("scale", [{}, {"rs_lora": True}])
def test_merging_is_only_another_way_to_the_same_answer(layer: str, scale: dict[str, Any]) -> None:
    made: Any = adapter(layer, **scale)
    x = inputs(layer)
    found = []
    for merged_from in (0.0, float("inf")):
        made._merged_from = merged_from
        answer = made(x)
        answer.square().sum().backward()
        found.append((answer, made.down.grad, made.up.grad))
        made.zero_grad()
    assert all((one - other).abs().max() < 1e-10 for one, other in zip(*found, strict=True))


@pytest.mark.parametrize(
    ("sides", "rank", "expected"),
    [
        # 64 × 64 at rank 16: the sum takes 3 · 16 · 64 · 64 = 196 608, less than starting two operations.
        ((64, 64), 16, 0.0),
        # 320 × 320 at rank 128: (3 · 128 · 320² - 2¹⁸) / (3 · 128 · 640 - 320²) = 272.46 inputs of 320 values.
        ((320, 320), 128, pytest.approx(272.46 * 320, rel=1e-4)),
        # At rank 16 the sum's own gradient is more than the factors take, however many inputs there are.
        ((320, 320), 16, float("inf")),
    ],
)
def test_small_layers_and_high_ranks_are_merged(sides: tuple[int, int], rank: int, expected: Any) -> None:
    site = Site("unet", "to_q", *sides)
    made: Any = ALGORITHMS["lora"](nn.Linear(*sides), Plan(site, shapes(Method(), site, rank), rank, 1.0))
    assert made._merged_from == expected


def test_halves_are_never_merged() -> None:
    made: Any = adapter("plain").float()
    assert made._can_merge(inputs("plain").float(), made.down)
    made.base.to(torch.bfloat16)
    x = inputs("plain").to(torch.bfloat16)
    assert not made._can_merge(x, made.down)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not made._can_merge(x.float(), made.down)
