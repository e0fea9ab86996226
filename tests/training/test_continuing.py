"""Going on from a finished file: the same answers at the start, whatever program wrote it, or a clear refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sdtui.errors import UserError
from sdtui.formats import FORMATS
from sdtui.models.family import Model, load_model
from sdtui.profile.schema import Method
from sdtui.training.methods.lora import Lora, prepare
from tests.support.adapters import stir
from tests.support.tiny import tiny_pipeline

BASE: dict[str, Any] = {"rank": 4, "alpha": 2.0}
K = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


def fresh(folder: Path) -> Model:
    return load_model(tiny_pipeline(folder), None, torch.device("cpu"), torch.float32)


@torch.no_grad()
def predict(model: Model) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    noisy, text = torch.randn(1, 4, 8, 8, generator=generator), model.encode_text(["a cat"])
    return model.predict(noisy, torch.tensor([3]), text)


def learned(folder: Path, settings: dict[str, Any], layout: str = "kohya") -> tuple[Path, torch.Tensor]:
    """A finished file, and what the model it was learned beside predicts."""
    model = fresh(folder)
    trainable = prepare(model, Method.model_validate(settings), 0)
    stir(trainable, scale=0.2)
    path = folder / "kept.safetensors"
    FORMATS[layout](path, trainable.export(), {}, "fp32")
    return path, predict(model)


def go_on(model: Model, path: Path, settings: dict[str, Any]) -> Lora:
    return prepare(model, Method.model_validate({**settings, "continue_from": str(path)}), 1)


@pytest.mark.parametrize("algorithm", ["lora", "loha", "lokr", "ia3", "oft", "boft", "full"])
def test_every_algorithm_goes_on_where_it_was(tmp_path: Path, algorithm: str) -> None:
    settings = {**BASE, "algorithm": algorithm, "norms": True, "targets": ["attention", "projection", "convolution"]}
    path, expected = learned(tmp_path, settings)
    model = fresh(tmp_path)
    go_on(model, path, settings)
    assert (predict(model) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
@pytest.mark.parametrize(
    "changes", [{}, {"alpha": 8.0}, {"rs_lora": True}, {"block_alphas": {"mid_block": 1.0}}, {"text_encoder": True}]
)
def test_the_strength_of_the_file_is_kept(tmp_path: Path, layout: str, changes: dict[str, Any]) -> None:
    path, expected = learned(tmp_path, {**BASE, "weight_decompose": True}, layout)
    model = fresh(tmp_path)
    trainable = go_on(model, path, {**BASE, "weight_decompose": True, **changes})
    assert (predict(model) - expected).abs().max() < 1e-5
    # What the file has nothing for starts at the base.
    text = [value for name, value in trainable.state().items() if name.startswith("text_") and name.endswith(".up")]
    assert len(text) == (12 if "text_encoder" in changes else 0)
    assert not any(value.any() for value in text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": 8}, rf"unet\.{K}: down is \[4, 32\] in the file, and \[8, 32\] by the profile"),
        ({"algorithm": "loha"}, "holds lora_down.weight, lora_up.weight in the file, and the profile trains hada_w1_a"),
        ({"weight_decompose": True}, "the profile trains dora_scale, lora_down.weight, lora_up.weight"),
        ({"targets": ["projection"]}, f"lora_unet_{K.replace('.', '_')}.* is for a layer that is not trained here"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_layers_name(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path, _ = learned(tmp_path, {**BASE, "include": [f"*{K}"]})
    with pytest.raises(UserError, match=message):
        go_on(fresh(tmp_path), path, {**BASE, **changes})


def test_a_limited_rotation_is_refused(tmp_path: Path) -> None:
    path, _ = learned(tmp_path, {**BASE, "algorithm": "oft", "include": [f"*{K}"]})
    tensors = {name: torch.tensor(0.01) if name.endswith("alpha") else value for name, value in load_file(path).items()}
    save_file(tensors, path)
    with pytest.raises(UserError, match="has its rotation limited"):
        go_on(fresh(tmp_path), path, {**BASE, "algorithm": "oft"})
