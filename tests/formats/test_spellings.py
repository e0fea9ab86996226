"""The same change in another spelling: each file's own formula against the tensors that come out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sdtui.formats.learned import Learned
from sdtui.formats.spellings import usual

OUT, IN, RANK = 6, 10, 4


def random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def tucker(core: Tensor, outputs: Tensor, inputs: Tensor) -> Tensor:
    """W[p, n] = Σ core[i, j] · outputs[i, p] · inputs[j, n] at each place of the kernel, value by value."""
    found = torch.zeros(outputs.shape[1], inputs.shape[1], 3, 3, dtype=torch.float64)
    for i in range(len(outputs)):
        for j in range(len(inputs)):
            found += core[i, j] * torch.outer(outputs[i], inputs[j])[:, :, None, None]
    return found


def test_a_locon_s_core_becomes_part_of_down() -> None:
    down, mid, up = random(RANK, IN, 1, 1), random(RANK, RANK, 3, 3), random(OUT, RANK, 1, 1)
    held, _ = usual({"lora_down.weight": down, "lora_mid.weight": mid, "lora_up.weight": up}, 1.0)
    assert sorted(held) == ["lora_down.weight", "lora_up.weight"]
    assert held["lora_down.weight"].shape == (RANK, IN, 3, 3)
    expected = tucker(mid, up.flatten(1).t(), down.flatten(1))
    got = torch.einsum("or,rikl->oikl", held["lora_up.weight"].flatten(1), held["lora_down.weight"])
    assert torch.allclose(got, expected)


@pytest.mark.parametrize("half", ["1", "2"])
def test_a_loha_s_cores_become_part_of_its_b(half: str) -> None:
    core, outputs, inputs = random(RANK, RANK, 3, 3), random(RANK, OUT), random(RANK, IN)
    held, _ = usual({f"hada_t{half}": core, f"hada_w{half}_a": outputs, f"hada_w{half}_b": inputs}, 1.0)
    assert {name: tuple(value.shape) for name, value in held.items()} == {
        f"hada_w{half}_a": (OUT, RANK),
        f"hada_w{half}_b": (RANK, IN * 9),
    }
    got = (held[f"hada_w{half}_a"] @ held[f"hada_w{half}_b"]).view(OUT, IN, 3, 3)
    assert torch.allclose(got, tucker(core, outputs, inputs))


def test_a_lokr_s_core_becomes_part_of_its_b() -> None:
    core, outputs, inputs = random(RANK, RANK, 3, 3), random(RANK, OUT), random(RANK, IN)
    held, _ = usual({"lokr_w1": random(2, 2), "lokr_t2": core, "lokr_w2_a": outputs, "lokr_w2_b": inputs}, 1.0)
    got = (held["lokr_w2_a"] @ held["lokr_w2_b"]).view(OUT, IN, 3, 3)
    assert torch.allclose(got, tucker(core, outputs, inputs))


@pytest.mark.parametrize(
    ("names", "scaled"),
    [
        (["lora_up.weight", "lora_down.weight"], "lora_up.weight"),
        (["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"], "hada_w1_a"),
        (["lokr_w1", "lokr_w2"], "lokr_w1"),
        (["lokr_w1_a", "lokr_w1_b", "lokr_w2"], "lokr_w1_a"),
    ],
)
def test_a_trained_scale_is_multiplied_into_one_factor(names: list[str], scaled: str) -> None:
    held, _ = usual({**dict.fromkeys(names, torch.ones(2, 2)), "scalar": torch.tensor(3.0)}, 1.0)
    assert {name: float(value[0, 0]) for name, value in held.items()} == {
        name: 3.0 if name == scaled else 1.0 for name in names
    }


def cayley(blocks: Tensor) -> Tensor:
    skew = blocks - blocks.mT
    identity = torch.eye(blocks.shape[-1], dtype=blocks.dtype)
    rotations: Tensor = (identity + skew) @ torch.linalg.inv(identity - skew)
    return rotations


def test_rotations_become_the_blocks_that_make_them() -> None:
    rotations = cayley(random(3, 4, 4)).float()
    held, alpha = usual({"oft_diag": rotations}, None)
    assert alpha == 0.0
    assert torch.allclose(cayley(held["oft_blocks"]), rotations, atol=1e-5)


def test_stretched_rotations_are_refused() -> None:
    with pytest.raises(ValueError, match="stretched"):
        usual({"oft_diag": 1.5 * cayley(random(3, 4, 4)).float()}, None)


@pytest.mark.parametrize(("alpha", "length"), [(0.0, 4.0), (1.0, 4.0), (0.5, 3.0), (None, 4.0)])
def test_a_limited_rotation_is_as_its_limit_leaves_it(alpha: float | None, length: float) -> None:
    """Three blocks of two: alpha 0.5 limits ‖Q‖ to 0.5 · 6 outputs."""
    blocks = torch.zeros(3, 2, 2)
    blocks[0, 0, 1] = 4 / 2**0.5
    held, kept = usual({"oft_blocks": blocks}, alpha)
    assert (held["oft_blocks"] - held["oft_blocks"].mT).norm() == pytest.approx(length)
    assert kept == 0.0


@pytest.mark.parametrize(
    ("names", "rank", "scale"),
    [
        (["lora_down.weight", "lora_up.weight"], 4, 0.5),
        (["hada_w1_b", "hada_w1_a"], 4, 0.5),
        (["lokr_w1", "lokr_w2_b"], 4, 0.5),
        (["lokr_w1_b", "lokr_w2"], 4, 0.5),
        (["lokr_w1", "lokr_w2"], None, 1.0),
        (["diff"], None, 1.0),
    ],
)
def test_rank_and_scale(names: list[str], rank: int | None, scale: float) -> None:
    learned = Learned("unet", "x", dict.fromkeys(names, torch.ones(4, 4)), 2.0)
    assert (learned.rank, learned.scale) == (rank, scale)


def test_a_glora_is_refused_by_name() -> None:
    held = {name: torch.ones(2, 2) for name in ("a1.weight", "a2.weight", "b1.weight", "b2.weight")}
    with pytest.raises(ValueError, match="it is a GLoRA, which is neither trained nor worn here"):
        usual(held, 2.0)


def test_a_rotation_that_is_stretched_is_refused_and_one_that_is_not_loses_the_factor() -> None:
    blocks = torch.zeros(2, 4, 4)
    with pytest.raises(ValueError, match="its rotations are stretched"):
        usual({"oft_blocks": blocks, "rescale": torch.full((8, 1), 1.1)}, 0.0)
    tensors, alpha = usual({"oft_blocks": blocks, "rescale": torch.ones(8, 1)}, 0.0)
    assert list(tensors) == ["oft_blocks"]
    assert alpha == 0.0
