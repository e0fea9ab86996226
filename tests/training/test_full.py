"""Full fine-tuning: which weights learn, at which rates, what the model says meanwhile, and what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.errors import SdtuiError, UserError
from sdtui.formats.learned import Whole
from sdtui.models.family import Model, load_model
from sdtui.profile.schema import Method, Profile
from sdtui.training.methods import METHODS
from sdtui.training.methods.full import Full, prepare
from tests.support.tiny import tiny_pipeline

BOTH = Method(kind="full", text_encoder=True)
Q = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(tiny_pipeline(tmp_path), None, torch.device("cpu"), torch.float32)


def answer(model: Model) -> Tensor:
    noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return model.predict(noisy, torch.tensor([3, 700]), model.encode_text(["a cat", "a dog"]))


@torch.no_grad()
def disturb(trainable: Full) -> None:
    for weight in trainable.weights.values():
        weight.add_(0.01)


def profile(**optimizer: Any) -> Profile:
    return Profile.model_validate({"model": {"base": "x"}, "method": {"kind": "full"}, "optimizer": optimizer})


def test_it_is_among_the_methods() -> None:
    assert METHODS["full"].prepare is prepare


def test_all_of_the_unet_learns_and_nothing_else(model: Model) -> None:
    trainable = prepare(model, Method(kind="full"), 0)
    assert list(trainable.weights) == [f"unet.{name}" for name, _ in model.unet.named_parameters()]
    assert all(weight.requires_grad for weight in model.unet.parameters())
    assert not any(weight.requires_grad for weight in model.components["text_encoder"].parameters())
    assert not trainable.trains_text_encoder


def test_the_text_encoder_learns_if_asked(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    assert trainable.trains_text_encoder
    assert all(weight.requires_grad for weight in model.components["text_encoder"].parameters())
    assert "text_encoder.embeddings.token_embedding.weight" in trainable.weights


def test_patterns_choose_layers_and_the_rest_stays_frozen(model: Model) -> None:
    settings = Method(kind="full", include=("*.attn2.to_k", "*.attn2.to_v"), exclude=("mid_block.*",))
    weights = prepare(model, settings, 0).weights
    assert len(weights) == 30  # two in each of 15 blocks; Stable Diffusion has 16, one of them in the middle
    assert {name.rpartition(".attn2.")[2] for name in weights} == {"to_k.weight", "to_v.weight"}
    learning = {f"unet.{name}" for name, weight in model.unet.named_parameters() if weight.requires_grad}
    assert learning == weights.keys()


def test_patterns_that_leave_nothing_are_refused(model: Model) -> None:
    with pytest.raises(UserError, match="leave no layer of the text encoder") as caught:
        prepare(model, Method(kind="full", text_encoder=True, include=("*.attn2.*",)), 0)
    assert caught.value.where == "method.include"


def test_a_text_encoder_that_alone_is_named_learns_by_itself(model: Model) -> None:
    trainable = prepare(model, Method(kind="full", text_encoder=True, include=("text_encoder.*",)), 0)
    assert {name.partition(".")[0] for name in trainable.weights} == {"text_encoder"}
    assert not any(weight.requires_grad for weight in model.unet.parameters())
    (group,) = trainable.parameter_groups(profile(learning_rate=1e-5, text_encoder_learning_rate=1e-6))
    assert (group["name"], group["lr"]) == ("text_encoder", 1e-6)


def test_rates_by_component_and_block(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    settings = profile(
        learning_rate=1e-5, text_encoder_learning_rate=1e-6, block_rates={"mid_block": 0.5, "up_blocks": 0.0}
    )
    groups = trainable.parameter_groups(settings)
    assert {group["name"]: group["lr"] for group in groups} == {
        "unet": 1e-5,
        "unet.mid_block": 5e-6,
        "text_encoder": 1e-6,
    }
    frozen = {name for name, weight in trainable.weights.items() if not weight.requires_grad}
    assert frozen == {name for name in trainable.weights if name.startswith("unet.up_blocks.")}


def test_a_block_that_is_none_is_refused(model: Model) -> None:
    with pytest.raises(UserError, match=r"unet\.mid_blok") as caught:
        prepare(model, BOTH, 0).parameter_groups(profile(block_rates={"mid_blok": 0.5}))
    assert caught.value.where == "optimizer.block_rates"


def test_while_frozen_it_answers_as_before_and_then_as_it_has_learned(model: Model) -> None:
    before = answer(model)
    trainable = prepare(model, BOTH, 0)
    trainable.remember()
    disturb(trainable)
    learned = answer(model)
    assert not torch.equal(learned, before)
    with trainable.frozen():
        assert torch.equal(answer(model), before)
    assert torch.equal(answer(model), learned)


def test_an_error_while_frozen_brings_the_weights_back(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    trainable.remember()
    disturb(trainable)
    learned = answer(model)
    with pytest.raises(ZeroDivisionError), trainable.frozen():
        raise ZeroDivisionError
    assert torch.equal(answer(model), learned)


def test_the_state_is_no_copy_and_comes_back(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    state = trainable.state()
    assert state[Q].data_ptr() == trainable.weights[Q].data_ptr()
    assert not state[Q].requires_grad
    kept = {name: tensor.clone() for name, tensor in state.items()}
    before = answer(model)
    disturb(trainable)
    trainable.load_state(kept)
    assert torch.equal(answer(model), before)


def test_a_checkpoint_of_other_layers_is_refused(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    state = {name: tensor for name, tensor in trainable.state().items() if name != Q}
    with pytest.raises(SdtuiError, match=f"another choice of layers: {Q}"):
        trainable.load_state(state)
    with pytest.raises(SdtuiError, match=r"is \[1\], not \[32, 32\]"):
        trainable.load_state({**state, Q: torch.zeros(1)})


def test_the_result_is_one_whole_model_with_what_was_learned(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    disturb(trainable)
    (name, whole), *others = trainable.results().items()
    assert (name, others, trainable.format) == ("", [], None)
    assert isinstance(whole, Whole)
    tensors = whole.single_file(torch.float32)
    middle = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    assert torch.equal(tensors[middle], trainable.weights[Q].detach())
