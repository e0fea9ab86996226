"""Words that learn: what they start as, at which rates, what the model says meanwhile, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.errors import SdtuiError, UserError
from sdtui.formats.embedding import Embedding, write_webui
from sdtui.models.family import Model, load_model
from sdtui.profile.schema import Method, Profile
from sdtui.training.methods import METHODS
from sdtui.training.methods import prepare as prepare_all
from sdtui.training.methods.textual_inversion import Learning, init_vectors, prepare, require_starts
from sdtui.training.methods.together import Together
from tests.support.families import tiny_folder
from tests.support.tiny import shallow_pipeline

CAT, DOG = 2368, 1929


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(shallow_pipeline(tmp_path / "base"), None, torch.device("cpu"), torch.float32)


def method(*words: dict[str, Any], kind: str = "textual-inversion", **more: Any) -> Method:
    return Method.model_validate({"kind": kind, "words": words, **more})


def profile(settings: Method, **sections: Any) -> Profile:
    return Profile.model_validate({"model": {"base": "x"}, "method": settings.model_dump(), **sections})


def table(model: Model) -> Tensor:
    encoder: Any = model.components["text_encoder"]
    weight: Tensor = encoder.get_input_embeddings().weight
    return weight


def rows_of(trainable: Learning, name: str) -> Tensor:
    return trainable.vectors[name]["text_encoder"].detach()


@torch.no_grad()
def disturb(trainable: Learning) -> None:
    for vectors in trainable.vectors.values():
        for rows in vectors.values():
            rows.add_(1.0)


def said(model: Model) -> Tensor:
    with torch.no_grad():
        return model.encode_text(["a zzztoy and a cat"]).states


def test_it_is_among_the_methods() -> None:
    assert METHODS["textual-inversion"].prepare is prepare


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("cat", 3, [CAT, CAT, CAT]),
        ("cat dog", 3, [CAT, CAT, DOG]),
        ("cat dog", 4, [CAT, CAT, DOG, DOG]),
        ("cat dog cat", 2, [CAT, DOG]),
        ("*", 1, [265]),
    ],
)
def test_a_word_starts_with_the_tokens_of_a_text_cut_or_evenly_repeated(
    model: Model, text: str, count: int, expected: list[int]
) -> None:
    trainable = prepare(model, method({"name": "zzztoy", "vectors": count, "init": text}), 0)
    assert torch.equal(rows_of(trainable, "zzztoy"), table(model)[expected])


def test_without_a_text_it_starts_with_zeros(model: Model) -> None:
    assert torch.equal(rows_of(prepare(model, method({"name": "zzztoy", "init": ""}), 0), "zzztoy"), torch.zeros(1, 32))
    assert init_vectors(table(model), model.encoders[0][1], "  ", 2).tolist() == [[0.0] * 32] * 2  # type: ignore[attr-defined]


def test_a_word_reads_as_what_it_starts_with_and_then_as_what_it_has_learned(model: Model) -> None:
    with torch.no_grad():
        expected = model.encode_text(["a cat dog and a cat"]).states
    trainable = prepare(model, method({"name": "zzztoy", "vectors": 2, "init": "cat dog"}), 0)
    assert torch.equal(said(model), expected)
    disturb(trainable)
    assert not torch.equal(said(model), expected)


def test_nothing_but_its_vectors_learns(model: Model) -> None:
    trainable = prepare(model, method({"name": "zzztoy", "vectors": 2}), 0)
    loss: Any = model.encode_text(["a zzztoy"]).states.square().sum()
    loss.backward()
    assert not any(weight.requires_grad for part in model.components.values() for weight in part.parameters())
    (group,) = trainable.parameter_groups(profile(method({"name": "zzztoy"})))
    assert [rows.shape for rows in group["params"]] == [(2, 32)]
    assert all(rows.grad is not None and rows.grad.abs().sum() > 0 for rows in group["params"])
    assert trainable.trains_text_encoder


def test_each_word_has_a_rate_and_a_weight_decay_of_its_own(model: Model) -> None:
    settings = method({"name": "zzza", "learning_rate": 0.005, "weight_decay": 0.1}, {"name": "zzzb"})
    groups = prepare(model, settings, 0).parameter_groups(profile(settings, optimizer={"learning_rate": 2e-4}))
    told = [(group["name"], group["lr"], group["weight_decay"]) for group in groups]
    assert told == [("words.zzza", 0.005, 0.1), ("words.zzzb", 2e-4, 0.0)]


def test_frozen_is_before_training(model: Model) -> None:
    trainable = prepare(model, method({"name": "zzztoy", "init": "cat"}), 0)
    trainable.remember()
    before = said(model)
    disturb(trainable)
    after = said(model)
    with trainable.frozen():
        assert torch.equal(said(model), before)
    assert torch.equal(said(model), after)
    assert not torch.equal(after, before)


def test_the_state_goes_back(model: Model) -> None:
    settings = method({"name": "zzza", "vectors": 2}, {"name": "zzzb"})
    trainable = prepare(model, settings, 0)
    disturb(trainable)
    kept = trainable.state()
    assert {name: tuple(rows.shape) for name, rows in kept.items()} == {
        "words.zzza.text_encoder": (2, 32),
        "words.zzzb.text_encoder": (1, 32),
    }
    disturb(trainable)
    trainable.load_state(kept)
    assert all(torch.equal(rows, kept[name]) for name, rows in trainable.state().items())
    with pytest.raises(SdtuiError, match="another choice of words"):
        trainable.load_state({"words.other.text_encoder": torch.zeros(1, 32)})


def test_a_word_is_an_embedding_for_each_text_encoder(tmp_path: Path) -> None:
    model = load_model(tiny_folder(tmp_path, "sdxl"), None, torch.device("cpu"), torch.float32)
    widths = {name: part.config.hidden_size for name, part in model.components.items() if name != "unet"}  # type: ignore[union-attr]
    results = prepare(model, method({"name": "zzztoy", "vectors": 2}), 0).results()
    assert list(results) == ["zzztoy"]
    made = {name: tuple(rows.shape) for name, rows in results["zzztoy"].vectors.items()}
    assert made == {name: (2, width) for name, width in widths.items()}
    assert list(made) == ["text_encoder", "text_encoder_2"]


@pytest.mark.parametrize("name", ["cat", "Cat", "dog"])
def test_a_word_of_the_vocabulary_is_refused(model: Model, name: str) -> None:
    with pytest.raises(UserError, match="is a word of the text encoder already"):
        prepare(model, method({"name": name}), 0)


def test_it_goes_on_from_a_file(model: Model, tmp_path: Path) -> None:
    file = tmp_path / "old.pt"
    values = torch.randn(2, 32, generator=torch.Generator().manual_seed(1))
    write_webui(file, Embedding("other", {"text_encoder": values}))
    word = {"name": "zzztoy", "vectors": 2, "continue_from": str(file)}
    assert torch.equal(rows_of(prepare(model, method(word), 0), "zzztoy"), values)


@pytest.mark.parametrize(
    ("width", "vectors", "message"),
    [(48, 2, "have 48 values, and the model's text encoder 32"), (32, 3, "2 vectors")],
    ids=["another family", "another length"],
)
def test_a_file_that_does_not_fit_is_refused_before_anything_is_loaded(
    tmp_path: Path, width: int, vectors: int, message: str
) -> None:
    file = tmp_path / "old.pt"
    write_webui(file, Embedding("other", {"text_encoder": torch.ones(2, width)}))
    word = {"name": "zzztoy", "vectors": vectors, "continue_from": str(file)}
    base = shallow_pipeline(tmp_path / "base")
    asked = Profile.model_validate({"model": {"base": str(base)}, "method": method(word).model_dump()})
    with pytest.raises(UserError, match=message):
        require_starts(asked)


def test_words_go_together_with_an_adapter(model: Model) -> None:
    settings = method({"name": "zzztoy", "learning_rate": 5e-4}, kind="lora", rank=2)
    trainable = prepare_all(model, settings, 0)
    assert isinstance(trainable, Together)
    groups = trainable.parameter_groups(profile(settings, optimizer={"learning_rate": 1e-4}))
    assert [(group["name"], group["lr"]) for group in groups] == [("unet", 1e-4), ("words.zzztoy", 5e-4)]
    assert list(trainable.results()) == ["", "zzztoy"]
    assert trainable.format == "kohya"
    assert trainable.trains_text_encoder
    state = trainable.state()
    assert "words.zzztoy.text_encoder" in state
    trainable.load_state({name: rows + 1 for name, rows in state.items()})
    assert torch.equal(trainable.state()["words.zzztoy.text_encoder"], state["words.zzztoy.text_encoder"] + 1)
    with pytest.raises(SdtuiError, match="another method"):
        trainable.load_state({**state, "words.more.text_encoder": torch.zeros(1, 32)})


def test_all_that_goes_together_is_frozen_at_once(model: Model) -> None:
    trainable = prepare_all(model, method({"name": "zzztoy"}, kind="full"), 0)
    trainable.remember()
    noisy, text = torch.ones(1, 4, 8, 8), said(model)
    with torch.no_grad():
        before = model.unet(noisy, torch.tensor([3]), text).sample
        trainable.load_state({name: rows + 0.01 for name, rows in trainable.state().items()})
        with trainable.frozen():
            assert torch.equal(said(model), text)
            assert torch.equal(model.unet(noisy, torch.tensor([3]), text).sample, before)
        assert not torch.equal(said(model), text)
        assert not torch.equal(model.unet(noisy, torch.tensor([3]), text).sample, before)
