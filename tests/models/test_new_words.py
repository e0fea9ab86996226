"""Words that the base model cannot have, told without PyTorch and before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sdtui.models.preflight import model_findings
from sdtui.profile.schema import Profile
from tests.support.families import tiny_folder
from tests.support.tiny import shallow_pipeline


def found(base: Path, word: dict[str, Any], **saving: Any) -> list[tuple[str, str, str]]:
    method = {"kind": "textual-inversion", "words": [word]}
    profile = Profile.model_validate({"model": {"base": str(base)}, "method": method, "saving": saving})
    return [(each.code, each.key, each.message) for each in model_findings(profile)]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return shallow_pipeline(tmp_path / "base")


def test_a_new_word_is_fine(base: Path) -> None:
    assert found(base, {"name": "my-cat"}) == []


@pytest.mark.parametrize("name", ["cat", "CAT", "sks"])
def test_a_name_that_is_a_word_of_the_vocabulary(base: Path, name: str) -> None:
    key = "method.words[0].name"
    assert found(base, {"name": name}) == [
        ("known-word", key, f'{key}: "{name}" is a word of the text encoder already')
    ]


@pytest.mark.parametrize(
    ("tensors", "vectors", "message"),
    [
        ({"emb_params": torch.ones(2, 32)}, 2, ""),
        ({"my-cat": torch.ones(32)}, 1, ""),
        (
            {"emb_params": torch.ones(2, 48)},
            2,
            "the vectors of 'my-cat' have 48 values, and the model's text encoder 32",
        ),
        (
            {"clip_l": torch.ones(2, 32), "clip_g": torch.ones(2, 48)},
            2,
            "the vectors of 'my-cat' have 32 and 48 values, and the model's text encoder 32",
        ),
        ({"emb_params": torch.ones(2, 32)}, 3, "old.safetensors has 2 vectors, and vectors is 3"),
        ({"weight": torch.ones(2, 3, 4)}, 2, "old.safetensors holds no embedding"),
    ],
    ids=["fits", "one vector", "width", "family", "count", "something else"],
)
def test_a_file_to_go_on_from(
    base: Path, tmp_path: Path, tensors: dict[str, torch.Tensor], vectors: int, message: str
) -> None:
    file = tmp_path / "old.safetensors"
    save_file(tensors, file)
    key = "method.words[0].continue_from"
    expected = [("bad-embedding", key, f"{key}: {message}")] if message else []
    assert found(base, {"name": "my-cat", "vectors": vectors, "continue_from": str(file)}) == expected


def test_words_of_sdxl_have_no_web_ui_file(tmp_path: Path) -> None:
    base = tiny_folder(tmp_path, "sdxl")
    assert found(base, {"name": "my-cat"}) == []
    (finding,) = found(base, {"name": "my-cat"}, word_formats=["kohya", "webui"])
    assert finding[:2] == ("contradiction", "saving.word_formats")
