"""Files of train_textual_inversion.py: one word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.profile.kohya.helpers import taken

BASE = "resolution = 512\ntrain_data_dir = 'a'\nuse_object_template = true\n"


def test_a_word_with_its_start(tmp_path: Path) -> None:
    options = (
        BASE + "token_string = 'my-cat'\nnum_vectors_per_token = 4\ninit_word = 'cat'\nlearning_rate = 5e-4\n"
        "weights = '/old.safetensors'\nsave_model_as = 'safetensors'"
    )
    draft, profile = taken(tmp_path, options)
    (word,) = profile.method.words
    assert profile.method.kind == "textual-inversion"
    assert (word.name, word.vectors, word.init, word.continue_from) == ("my-cat", 4, "cat", "/old.safetensors")
    assert profile.optimizer.learning_rate == 5e-4
    assert profile.saving.word_formats == ("kohya",)
    # Nothing of adapters is written.
    assert {key for key in draft.made if key.startswith("method.")} == {
        "method.kind",
        *(f"method.words[0].{name}" for name in ("name", "vectors", "init", "continue_from", "weight_decay")),
    }
    assert draft.warnings == []


@pytest.mark.parametrize(
    ("options", "layout"),
    [("", "webui"), ("save_model_as = 'pt'", "webui"), ("sdxl = true", "kohya")],
    ids=["silent", "pt", "xl"],
)
def test_a_file_for_web_uis_unless_told_otherwise(tmp_path: Path, options: str, layout: str) -> None:
    assert taken(tmp_path, f"{BASE}token_string = 'my-cat'\n{options}")[1].saving.word_formats == (layout,)


@pytest.mark.parametrize(
    ("options", "decay"),
    [
        ("", 0.01),
        ("optimizer_type = 'Lion'", 0.0),
        ("optimizer_args = ['weight_decay=0.1']", 0.1),
        ("optimizer_args = ['weight_decay=0']", 0.0),
    ],
    ids=["silent", "lion", "given", "none"],
)
def test_the_optimizers_decay_is_the_words(tmp_path: Path, options: str, decay: float) -> None:
    _, profile = taken(tmp_path, f"{BASE}token_string = 'my-cat'\n{options}")
    assert profile.method.words[0].weight_decay == decay
    assert profile.optimizer.weight_decay is None


@pytest.mark.parametrize(
    ("form", "template"),
    [({"template": "object template"}, "subject"), ({"template": "style template"}, "style"), ({}, "")],
    ids=["object", "style", "captions"],
)
def test_a_form_s_templates(tmp_path: Path, form: dict[str, Any], template: str) -> None:
    given = {"pretrained_model_name_or_path": "/m", "train_data_dir": "/a", "max_train_steps": 800,
             "token_string": "my-cat", "init_word": "cat", "num_vectors_per_token": 2, **form}  # fmt: skip
    from sdtui.profile.kohya.source import read_source
    from sdtui.profile.kohya.taking import take

    (tmp_path / "form.json").write_text(json.dumps(given), "utf-8")
    made = take(read_source(tmp_path / "form.json"), tmp_path).made
    assert made["method.kind"].value == "textual-inversion"
    assert ("captions.template" in made, made["captions.template"].value if template else "") == (
        bool(template), template,
    )  # fmt: skip


def test_a_name_that_none_can_have_here(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, f"{BASE}token_string = '<my cat>'")
    assert profile.method.words[0].name == "mycat"
    assert draft.warnings == ['the word "<my cat>" is called "mycat" here: write that in captions and prompts']


def test_a_word_without_a_name_is_to_be_filled_in(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, BASE)
    assert profile.method.words[0].name == "my-word"
    assert "fill in" in draft.made["method.words[0].name"].origin


def test_a_network_goes_before(tmp_path: Path) -> None:
    assert taken(tmp_path, "network_module = 'networks.lora'\ntoken_string = 'x'")[1].method.kind == "lora"
