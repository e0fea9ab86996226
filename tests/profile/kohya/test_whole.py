"""Files of train_db.py, fine_tune.py and sdxl_train.py: the whole model, and its text encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.profile.kohya.helpers import taken


def test_without_a_network_the_whole_model_is_trained(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, "resolution = 512\nlearning_rate = 5e-6\nmax_train_steps = 800")
    assert (profile.method.kind, profile.method.text_encoder) == ("full", True)
    assert profile.optimizer.learning_rate == 5e-6
    # Nothing of adapters is written, nor said to do nothing.
    assert not {key for key in draft.made if key.startswith("method.")} - {"method.kind", "method.text_encoder"}
    assert draft.warnings == []


def test_options_of_a_network_are_for_one(tmp_path: Path) -> None:
    for line in ("network_dim = 8", "unet_lr = 1e-4", "scale_weight_norms = 1"):
        assert taken(tmp_path, line)[1].method.kind == "lora"


@pytest.mark.parametrize(
    ("options", "learns"),
    [
        ("seed = 1", True),
        ("stop_text_encoder_training = -1", False),
        ("in_json = 'meta.json'", False),
        ("in_json = 'meta.json'\ntrain_text_encoder = true", True),
        ("sdxl = true", False),
        ("sdxl = true\ntrain_text_encoder = true", True),
    ],
    ids=["train_db", "never", "fine_tune", "fine_tune-with-it", "sdxl", "sdxl-with-it"],
)
def test_each_script_has_its_own_default_of_the_text_encoder(tmp_path: Path, options: str, learns: bool) -> None:
    assert taken(tmp_path, options)[1].method.text_encoder is learns


def test_the_text_encoder_s_rate_and_stop(tmp_path: Path) -> None:
    options = "learning_rate = 4e-6\nlearning_rate_te = 1e-6\nstop_text_encoder_training = 300\nmax_train_steps = 800"
    _, profile = taken(tmp_path, options)
    assert profile.optimizer.text_encoder_learning_rate == 1e-6
    assert profile.optimizer.stops == {"text_encoder": 300}


def test_a_form_s_stop_is_per_cent(tmp_path: Path) -> None:
    form = {"pretrained_model_name_or_path": "/m", "learning_rate": 1e-5, "stop_text_encoder_training": 40,
            "max_train_steps": 800, "train_data_dir": "/a"}  # fmt: skip
    _, profile = taken(tmp_path, json.dumps(form), "form.json")
    assert (profile.method.kind, profile.optimizer.stops) == ("full", {"text_encoder": 0.4})
    _, whole = taken(tmp_path, json.dumps({**form, "stop_text_encoder_training": 100}), "form.json")
    assert whole.optimizer.stops == {}


def test_two_encoders_with_two_rates_are_told(tmp_path: Path) -> None:
    options = (
        "resolution = 512\nsdxl = true\ntrain_text_encoder = true\nlearning_rate_te1 = 1e-6\nlearning_rate_te2 = 2e-6"
    )
    draft, profile = taken(tmp_path, options)
    assert profile.optimizer.text_encoder_learning_rate == 1e-6
    assert draft.warnings == ["learning_rate_te2: both text encoders learn at the rate of the first"]


def test_a_folder_for_diffusers_stays_one(tmp_path: Path) -> None:
    assert taken(tmp_path, "save_model_as = 'diffusers_safetensors'")[1].saving.formats == ("folder",)
    assert taken(tmp_path, "save_model_as = 'ckpt'")[1].saving.formats == ()
