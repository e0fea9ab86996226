"""Whole models and words as the options of kohya's scripts for them, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdtui.profile.kohya.giving import give
from tests.profile.kohya.helpers import FILES
from tests.profile.kohya.test_giving import SD_SCRIPTS, made, there_and_back

OTHERS = set((FILES / "options_other_scripts.txt").read_text(encoding="utf-8").split())
WORD = {"name": "my-cat", "vectors": 4, "init": "cat"}


def given(folder: Path, **values: Any) -> dict[str, Any]:
    files = give(made({key.replace("__", "."): value for key, value in values.items()}), folder)
    assert set(files.config) <= SD_SCRIPTS | OTHERS
    return files.config


def test_a_whole_model(tmp_path: Path) -> None:
    files = give(
        made(
            {
                "method.kind": "full",
                "method.text_encoder": True,
                "optimizer.learning_rate": 4e-6,
                "optimizer.text_encoder_learning_rate": 1e-6,
                "optimizer.stops": {"text_encoder": 0.25},
                "saving.formats": ["folder"],
            }
        ),
        tmp_path,
    )
    assert files.script == "train_db.py"
    assert files.lacking == []
    expected = {
        "learning_rate": 4e-6,
        "learning_rate_te": 1e-6,
        "learning_rate_te1": 1e-6,
        "learning_rate_te2": 1e-6,
        "train_text_encoder": True,
        "stop_text_encoder_training": 25,
        "save_model_as": "diffusers_safetensors",
    }
    assert {name: files.config.get(name) for name in expected} == expected
    assert not {name for name in files.config if name.startswith(("network", "text_encoder", "unet"))}


def test_a_text_encoder_that_does_not_learn(tmp_path: Path) -> None:
    config = given(tmp_path, method__kind="full")
    assert (config["stop_text_encoder_training"], config["save_model_as"]) == (-1, "safetensors")
    assert "train_text_encoder" not in config


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"method.include": ["*.attn2.*"]}, "method.include"),
        ({"optimizer.block_rates": {"mid_block": 0.5}}, "optimizer.block_rates"),
        ({"optimizer.stops": {"mid_block": 10}}, "optimizer.stops"),
        ({"saving.formats": ["single-file", "folder"]}, "saving.formats"),
        ({"method.words": [WORD]}, "method.words[0].name"),
    ],
)
def test_what_the_scripts_for_models_do_not_have(values: dict[str, Any], key: str, tmp_path: Path) -> None:
    assert [lack.key for lack in give(made({"method.kind": "full", **values}), tmp_path).lacking] == [key]


def test_a_word(tmp_path: Path) -> None:
    files = give(
        made(
            {
                "method.kind": "textual-inversion",
                "method.words": [{**WORD, "learning_rate": 5e-4, "weight_decay": 0.01, "continue_from": "/old.pt"}],
                "captions.template": "style",
                "saving.word_formats": ["webui"],
            }
        ),
        tmp_path,
    )
    assert files.script == "train_textual_inversion.py"
    assert files.lacking == []
    expected = {
        "token_string": "my-cat",
        "num_vectors_per_token": 4,
        "init_word": "cat",
        "weights": "/old.pt",
        "learning_rate": 5e-4,
        "optimizer_args": ["weight_decay=0.01"],
        "use_style_template": True,
        "save_model_as": "pt",
    }
    assert {name: files.config.get(name) for name in expected} == expected
    assert not {name for name in files.config if name.startswith("network")}


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"method.words": [WORD, {"name": "my-dog"}]}, "method.words[1].name"),
        ({"method.words": [{**WORD, "norm": 0.4}]}, "method.words[0].norm"),
        ({"method.words": [{**WORD, "stop": 0.5}]}, "method.words[0].stop"),
        ({"captions.template": "subject_filewords"}, "captions.template"),
        ({"saving.word_formats": ["webui-png"]}, "saving.word_formats"),
    ],
)
def test_what_the_script_for_words_does_not_have(values: dict[str, Any], key: str, tmp_path: Path) -> None:
    profile = made({"method.kind": "textual-inversion", "method.words": [WORD], **values})
    assert [lack.key for lack in give(profile, tmp_path).lacking] == [key]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"captions.template": "subject", "method.words": [WORD]}, "captions.template"),
        ({"method.text_encoder": True, "optimizer.stops": {"text_encoder": 5}}, "optimizer.stops"),
    ],
)
def test_what_only_the_other_scripts_have_is_told_of_a_lora(values: dict[str, Any], key: str, tmp_path: Path) -> None:
    assert key in [lack.key for lack in give(made(values), tmp_path).lacking]


@pytest.mark.parametrize(
    "values",
    [
        {"method.kind": "full", "method.text_encoder": True, "optimizer.stops": {"text_encoder": 30}},
        {"method.kind": "full", "saving.formats": ["folder"], "training.fused_backward": True, "training.clip_norm": 0.0},
        {"method.kind": "textual-inversion", "captions.template": "subject", "saving.word_formats": ["kohya"],
         "method.words": [{**WORD, "weight_decay": 0.0}]},
    ],
    ids=["model", "folder", "word"],
)  # fmt: skip
def test_what_kohya_can_say_comes_back(values: dict[str, Any], tmp_path: Path) -> None:
    profile = made(values)
    back = there_and_back(profile, tmp_path, SD_SCRIPTS | OTHERS)
    for section in ("method", "optimizer", "captions"):
        assert getattr(back, section) == getattr(profile, section)
    assert back.saving.formats == profile.saving.formats
    assert back.saving.word_formats == profile.saving.word_formats
    assert back.training.fused_backward == profile.training.fused_backward
