"""The shipped base model, loaded as anyone would: plain diffusers, no sdtui."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from sdtui.starter import style
from sdtui.starter.build import trial
from sdtui.starter.demo import MODEL

SHIPPED = sorted(MODEL.rglob("*.safetensors"))


# A row of each style, the same emoji in both: pictures that the base model has learned.
KNOWN = Path(__file__).with_name("known.png")
KNOWN_STYLES = ("flat", "noto")
KNOWN_NAMES = (
    *("tulip", "sunflower", "broken heart", "blue heart", "green heart", "clown face"),
    *("winking face", "tiger face", "octopus", "pizza", "sailboat", "bicycle"),
)
PROMPTS = (("tulip", "flat"), ("broken heart", "flat"), ("clown face", "noto"), ("blue heart", "noto"))


@pytest.fixture(scope="module")
def pipeline() -> Any:
    torch.set_num_threads(1)
    return trial.plain_pipeline()


@pytest.fixture(scope="module")
def drawn(pipeline: Any) -> Tensor:
    """Four prompts, each from its own seed: (4, 3, 64, 64) in −1…1."""
    return trial.draw(pipeline, [f"{name}, {kind} style" for name, kind in PROMPTS], [1, 2, 3, 4])


def latents(pipeline: Any, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = pipeline.vae.encode(pixels).latent_dist.mean
    return found.flatten(1)  # (N, 256)


def test_it_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file()) <= 40 * 2**20


def test_it_is_the_model_that_the_report_is_about() -> None:
    assert len(SHIPPED) == 3
    together = hashlib.sha256(b"".join(path.read_bytes() for path in SHIPPED)).hexdigest()
    assert together == "7b769e5c3635e1c2374590b63560b0125105eff827ef4a7aa0ae6aecbef61d45"


def test_its_weights_are_halves_without_code() -> None:
    assert [path.relative_to(MODEL).as_posix() for path in SHIPPED] == [
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]
    for path in SHIPPED:
        with safe_open(path, framework="pt") as weights:
            assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {"F16"}  # noqa: SIM118


def test_its_text_encoder_has_the_names_other_programs_look_for() -> None:
    with safe_open(MODEL / "text_encoder" / "model.safetensors", framework="pt") as weights:
        assert weights.get_slice("text_model.embeddings.token_embedding.weight").get_shape() == [49408, 128]


def test_a_lora_on_it_adapts_as_many_unet_layers_as_one_on_stable_diffusion_1_5() -> None:
    # kohya's list for SD 1.5 has 192 UNet modules: 16 transformer blocks of 10 linear layers and 2 projections.
    with safe_open(MODEL / "unet" / "diffusion_pytorch_model.safetensors", framework="pt") as weights:
        adapted = [
            name
            for name in weights.keys()  # noqa: SIM118
            if "attentions" in name and name.endswith(".weight") and len(weights.get_slice(name).get_shape()) > 1
        ]
    assert len(adapted) == 192
    assert "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight" in adapted
    assert "up_blocks.3.attentions.2.proj_out.weight" in adapted


def test_its_noise_schedule_is_stable_diffusion_1s() -> None:
    schedule = json.loads((MODEL / "scheduler" / "scheduler_config.json").read_text())
    assert (schedule["beta_start"], schedule["beta_end"], schedule["beta_schedule"]) == (
        0.00085,
        0.012,
        "scaled_linear",
    )


def test_what_it_draws_is_nearest_to_what_was_asked_for(pipeline: Any, drawn: Tensor) -> None:
    sheet = torch.from_numpy(np.asarray(Image.open(KNOWN).convert("RGB")).copy()).float() / 127.5 - 1
    tiles = sheet.view(2, 64, 12, 64, 3).permute(0, 2, 4, 1, 3).reshape(24, 3, 64, 64)
    distance = torch.cdist(latents(pipeline, drawn), latents(pipeline, tiles))  # (4, 24)
    answers = [(KNOWN_NAMES[column % 12], KNOWN_STYLES[column // 12]) for column in distance.argmin(dim=1).tolist()]
    assert sum(answer == wanted for answer, wanted in zip(answers, PROMPTS, strict=True)) == 4


def test_it_draws_on_white(drawn: Tensor) -> None:
    assert drawn.shape == (4, 3, 64, 64)
    corners = drawn[:, :, [2, 2, -3, -3], [2, -3, 2, -3]]
    assert corners.mean() > 0.8


def test_the_blue_heart_is_blue(drawn: Tensor) -> None:
    red, _green, blue = drawn[3, :, 24:40, 24:40].mean(dim=(1, 2)).tolist()
    assert blue > red + 0.5


def test_the_word_of_the_new_style_is_not_known_yet(drawn: Tensor) -> None:
    assert "linocut" not in style.styles_of(style.load_classifier(), drawn)


def test_nothing_shipped_tells_where_it_was_made() -> None:
    told = [b"_name_or_path", b'File "', b"site-packages"]
    files = [path for folder in (MODEL, MODEL.parent / "tagger") for path in folder.rglob("*") if path.is_file()]
    texts = [path for path in files if path.suffix in {".json", ".onnx", ".csv"} and path.parent.name != "tokenizer"]
    assert len(texts) == 7
    assert [path.name for path in texts for word in told if word in path.read_bytes()] == []
