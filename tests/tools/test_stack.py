"""Adapters in a model's weights answer as they did beside them in training, and come off without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.formats import FORMATS
from sdtui.models.family import Model, load_model
from sdtui.profile.schema import Method
from sdtui.tools.stack import Stack, Worn
from sdtui.training.methods import METHODS
from tests.support.adapters import stir
from tests.support.tiny import shallow_pipeline

TO_Q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
ALL = ["attention", "feed-forward", "projection", "convolution", "edges"]
SETTINGS: dict[str, dict[str, Any]] = {
    "lora with text encoder": {"text_encoder": True, "rank": 4, "alpha": 2.0},
    "locon": {"targets": ALL, "rank": 4, "conv_rank": 2},
    "dora": {"weight_decompose": True, "rank": 4},
    "loha": {"algorithm": "loha", "targets": ALL, "rank": 4},
    "lokr": {"algorithm": "lokr", "targets": ALL, "rank": 2},
    "lokr of whole factors": {"algorithm": "lokr", "full_matrix": True},
    "ia3": {"algorithm": "ia3", "targets": ALL},
    "oft": {"algorithm": "oft", "targets": ALL, "rank": 4},
    "boft": {"algorithm": "boft", "rank": 4},
    "full with norms": {"algorithm": "full", "norms": True},
}


def layer_of(module: nn.Module, ending: str) -> nn.Linear:
    """The first layer whose path ends so."""
    found = next(layer for path, layer in module.named_modules() if path.endswith(ending))
    assert isinstance(found, nn.Linear)
    return found


def fresh(tmp_path: Path) -> Model:
    return load_model(shallow_pipeline(tmp_path / "base"), None, torch.device("cpu"), torch.float32)


@torch.no_grad()
def answer(model: Model) -> Tensor:
    noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    return model.predict(noisy, torch.tensor([300]), model.encode_text(["a red cat"]))


def trained(tmp_path: Path, name: str = "adapter", **settings: Any) -> tuple[Path, Tensor]:
    """A file, and what the model answers with it beside its layers."""
    model = fresh(tmp_path)
    trainable = METHODS["lora"].prepare(model, Method.model_validate(settings), 0)
    stir(trainable, scale=0.1)
    file = tmp_path / f"{name}.safetensors"
    FORMATS["kohya"](file, trainable.results()[""], {}, "fp32")
    return file, answer(model)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_a_model_answers_as_in_training_and_without_as_before(tmp_path: Path, settings: dict[str, Any]) -> None:
    file, expected = trained(tmp_path, **settings)
    model = fresh(tmp_path)
    before = answer(model)
    stack = Stack(model)
    stack.wear([Worn(file)])
    assert torch.allclose(answer(model), expected, atol=2e-5)
    assert not torch.allclose(before, expected, atol=1e-3)
    stack.wear([])
    assert torch.equal(answer(model), before)


def test_strengths_lie_on_a_line_and_parts_have_their_own(tmp_path: Path) -> None:
    file, _ = trained(tmp_path, text_encoder=True, rank=4)
    model = fresh(tmp_path)
    layer, spoken = layer_of(model.unet, TO_Q), layer_of(model.components["text_encoder"], "0.self_attn.q_proj")
    base, said = layer.weight.detach().clone(), spoken.weight.detach().clone()
    stack = Stack(model)
    stack.wear([Worn(file)])
    whole, heard = layer.weight.detach().clone(), spoken.weight.detach().clone()
    stack.wear([Worn(file, unet=-0.5, text=0.0)])
    assert torch.allclose(layer.weight, base - 0.5 * (whole - base), atol=1e-6)
    assert torch.equal(spoken.weight, said)
    stack.wear([Worn(file, unet=0.0, text=2.0)])
    assert torch.equal(layer.weight, base)
    assert torch.allclose(spoken.weight, said + 2 * (heard - said), atol=1e-6)


def test_several_add_up(tmp_path: Path) -> None:
    first, _ = trained(tmp_path, "first", rank=4)
    second, _ = trained(tmp_path, "second", algorithm="loha", rank=2)
    model = fresh(tmp_path)
    layer = layer_of(model.unet, TO_Q)
    base = layer.weight.detach().clone()
    stack = Stack(model)
    changes = []
    for worn in ([Worn(first)], [Worn(second)], [Worn(first), Worn(second)]):
        stack.wear(worn)
        changes.append(layer.weight.detach() - base)
    assert torch.allclose(changes[2], changes[0] + changes[1], atol=1e-6)


def test_an_adapter_of_another_model_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    file, _ = trained(tmp_path, rank=4)
    model = fresh(tmp_path)
    before = answer(model)
    other = tmp_path / "other.safetensors"
    stem = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    save_file({f"{stem}.lora_down.weight": torch.ones(2, 7), f"{stem}.lora_up.weight": torch.ones(64, 2)}, other)
    stack = Stack(model)
    with pytest.raises(UserError, match=r"other\.safetensors: unet\.down_blocks\.0\..*to_q does not fit") as raised:
        stack.wear([Worn(file), Worn(other)])
    assert "one for another base model" in str(raised.value)
    assert torch.equal(answer(model), before)
    assert stack.worn == ()


@pytest.mark.parametrize("kind", ["strange", "broken", "gone"])
def test_a_file_that_cannot_be_worn_leaves_the_model_as_it_was(tmp_path: Path, kind: str) -> None:
    file, _ = trained(tmp_path, rank=4)
    model = fresh(tmp_path)
    before = answer(model)
    other = tmp_path / "other.safetensors"
    if kind == "strange":
        save_file({"lora_unet_no_such_layer.lora_down.weight": torch.ones(2, 7)}, other)
    elif kind == "broken":
        other.write_bytes(b"abc")
    with pytest.raises(UserError) as raised:
        Stack(model).wear([Worn(file), Worn(other)])
    assert str(raised.value).startswith(f"{other}: ")
    assert "[method]" not in str(raised.value)
    assert torch.equal(answer(model), before)


def test_files_that_are_taken_off_are_forgotten(tmp_path: Path) -> None:
    first, _ = trained(tmp_path, "first", rank=4)
    second, _ = trained(tmp_path, "second", rank=2)
    stack = Stack(fresh(tmp_path))
    for file in (first, second):
        stack.wear([Worn(file)])
    assert list(stack._read) == [second]
