"""Words of the user's own: their places in a text, and what the text encoder makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.errors import UserError
from sdtui.models import clip_text
from sdtui.models.assemble import assemble
from sdtui.models.family import PLAINLY, Reading
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.models.words import Words, require_fitting
from tests.support.families import tiny_folder

START, END = 49406, 49407
A, CAT, DOG = 320, 2368, 1929
TOY = {"text_encoder": torch.ones(3, 4)}
RED = {"text_encoder": torch.zeros(1, 4)}


def ids_of(model: StableDiffusion, text: str, known: Mapping[str, Mapping[str, Tensor]], **how: Any) -> list[int]:
    made = clip_text.tokenize(model.encoders[0][1], [text], Reading(**how), Words.of(known)).ids
    ids: list[int] = made[0, 0].tolist()
    return ids[1 : ids.index(END)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat", [A, CAT]),
        ("a toy cat", [A, -1, -2, -3, CAT]),
        ("a TOY", [A, -1, -2, -3]),
        ("a (toy:1.3) cat", [A, -1, -2, -3, CAT]),
        ("a cat dog", [A, -5]),
        ("cat, dog", [CAT, 267, DOG]),
        ("red toy red", [-4, -1, -2, -3, -4]),
    ],
)
def test_names_become_places_longer_ones_first(model: StableDiffusion, text: str, expected: list[int]) -> None:
    known = {"toy": TOY, "red": RED, "cat dog": {"text_encoder": torch.ones(1, 4)}}
    assert ids_of(model, text, known, weighted=True) == expected


def test_a_weight_counts_for_all_places_of_a_word(model: StableDiffusion) -> None:
    tokens = clip_text.tokenize(
        model.encoders[0][1], ["a (toy:1.5) cat"], Reading(weighted=True), Words.of({"toy": TOY})
    )
    assert tokens.weights[0, :7].tolist() == [1, 1, 1.5, 1.5, 1.5, 1, 1]


def test_places_count_towards_the_length(model: StableDiffusion) -> None:
    assert model.length("a (toy:1.5) cat", weighted=True) == 3
    model.words = Words.of({"toy": TOY})
    try:
        assert model.length("a (toy:1.5) cat", weighted=True) == 5
        assert model.length("toy " * 100, weighted=False) == 300
    finally:
        model.words = Words()


@torch.no_grad()
@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_a_word_made_of_known_vectors_reads_as_they_do(tmp_path: Path, family: str) -> None:
    model = assemble(recognise(tiny_folder(tmp_path, family)), None, torch.device("cpu"), torch.float32)
    tokenizer = model.encoders[0][1]
    known = tokenizer("cat dog", add_special_tokens=False).input_ids
    vectors = {
        kind.component: encoder.get_input_embeddings().weight[known]
        for kind, (encoder, _) in zip(model.kind.encoders, model.encoders, strict=True)
    }
    expected = model.encode_text(["a cat dog here", "a toy"], PLAINLY)
    model.words = Words.of({"zzz": vectors})
    found = model.encode_text(["a zzz here", "a toy"], PLAINLY)
    assert torch.equal(found.states, expected.states)
    assert (found.pooled is None) == (expected.pooled is None)
    if found.pooled is not None and expected.pooled is not None:
        assert torch.equal(found.pooled, expected.pooled)


def test_gradients_reach_the_table_and_nothing_else(model: StableDiffusion) -> None:
    width = model.encoders[0][0].config.hidden_size
    table = torch.zeros(2, width, requires_grad=True)
    model.words = Words.of({"zzz": {"text_encoder": table}})
    try:
        loss: Any = model.encode_text(["a zzz"]).states.square().sum()
        loss.backward()
    finally:
        model.words = Words()
    assert table.grad is not None
    assert (table.grad.abs().sum(dim=1) > 0).all()
    assert all(weight.grad is None for weight in model.encoders[0][0].parameters())


def test_vectors_of_another_family_are_refused() -> None:
    require_fitting("toy", TOY, {"text_encoder": 4}, "toy.pt")
    with pytest.raises(
        UserError, match=r"toy\.pt: the vectors of 'toy' have 4 values, and the model's text encoder 1024"
    ):
        require_fitting("toy", TOY, {"text_encoder": 1024}, "toy.pt")
    with pytest.raises(UserError, match="768 and 1280"):
        require_fitting("toy", TOY, {"text_encoder": 4, "text_encoder_2": 1280}, "toy.pt")
