"""Words that the base model cannot have, told without PyTorch and before anything is loaded."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
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


def webui(tensor: torch.Tensor) -> dict[str, Any]:
    return {"string_to_token": {"*": 265}, "string_to_param": {"*": tensor}, "name": "old", "step": 3}


def pictured(path: Path, text: str) -> None:
    chunks = PngInfo()
    chunks.add_text("sd-ti-embedding", base64.b64encode(text.encode()).decode())
    Image.new("RGB", (8, 8)).save(path, pnginfo=chunks)


@pytest.mark.parametrize("kind", ["legacy", "zip", "diffusers", "picture"])
@pytest.mark.parametrize(
    ("width", "message"),
    [
        (32, "has 2 vectors, and vectors is 3"),
        (48, "the vectors of 'my-cat' have 48 values, and the model's text encoder 32"),
    ],
)
def test_other_programs_files_to_go_on_from(base: Path, tmp_path: Path, kind: str, width: int, message: str) -> None:
    file = tmp_path / ("old.png" if kind == "picture" else "old.bin" if kind == "diffusers" else "old.pt")
    rows = torch.ones(2, width)
    if kind == "picture":
        held = {"string_to_param": {"*": {"TORCHTENSOR": rows.tolist()}}}
        pictured(file, json.dumps(held))
    else:
        zipped = kind != "legacy"
        torch.save({"<old>": rows} if kind == "diffusers" else webui(rows), file, _use_new_zipfile_serialization=zipped)
    ((code, key, told),) = found(base, {"name": "my-cat", "vectors": 3, "continue_from": str(file)})
    assert (code, key) == ("bad-embedding", "method.words[0].continue_from")
    assert message in told
    if width == 32:
        assert found(base, {"name": "my-cat", "vectors": 2, "continue_from": str(file)}) == []


def test_files_that_are_no_embedding(base: Path, tmp_path: Path) -> None:
    torn, odd, plain = tmp_path / "torn.pt", tmp_path / "odd.png", tmp_path / "plain.png"
    torn.write_bytes(b"\x80\x02}")
    pictured(odd, "{}")
    Image.new("RGB", (8, 8)).save(plain)
    for file, message in ((torn, "not a readable checkpoint"), (odd, "holds no embedding")):
        ((_, _, told),) = found(base, {"name": "my-cat", "continue_from": str(file)})
        assert message in told
    # Its pixels may hold one, which the trainer reads.
    assert found(base, {"name": "my-cat", "continue_from": str(plain)}) == []


def test_words_of_sdxl_have_no_web_ui_file(tmp_path: Path) -> None:
    base = tiny_folder(tmp_path, "sdxl")
    assert found(base, {"name": "my-cat"}) == []
    (finding,) = found(base, {"name": "my-cat"}, word_formats=["kohya", "webui"])
    assert finding[:2] == ("contradiction", "saving.word_formats")
