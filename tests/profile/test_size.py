"""Counting what LoRA trains, against figures of real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.profile.schema import Profile
from sdtui.profile.size import Trained, trained

SD15_UNET = {
    "block_out_channels": [320, 640, 1280, 1280],
    "cross_attention_dim": 768,
    "layers_per_block": 2,
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
}
CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12}


def _trained(base: Path, **method: Any) -> Trained | None:
    return trained(Profile.model_validate({"model": {"base": str(base)}, "method": method}))


@pytest.fixture
def sd15(tmp_path: Path) -> Path:
    for name, config in (("unet", SD15_UNET), ("text_encoder", CLIP_L)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.mark.parametrize(
    ("method", "values", "modules"),
    [
        ({"rank": 16}, 6_782_976, 192),
        ({"rank": 16, "text_encoder": True}, 9_437_184, 264),
        ({"rank": 16, "targets": ["attention"]}, 3_188_736, 128),
        ({"rank": 16, "targets": ["feed-forward"]}, 2_795_520, 32),
        ({"rank": 16, "targets": ["projection"]}, 798_720, 32),
    ],
)
def test_stable_diffusion_15(sd15: Path, method: dict[str, Any], values: int, modules: int) -> None:
    assert _trained(sd15, **method) == Trained(values, modules)


def test_the_file_is_as_large_as_kohyas(sd15: Path) -> None:
    # The sizes everybody knows: rank 128 with text encoder is a 151 MB file in fp16.
    found = _trained(sd15, rank=128, text_encoder=True)
    assert found is not None
    assert round(found.adapter_bytes("fp16") / 1e6) == 151
    assert round(found.adapter_bytes("fp32") / 1e6) == 302


@pytest.mark.parametrize(
    "change",
    [
        {"down_block_types": ["SimpleCrossAttnDownBlock2D"] * 4},
        {"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"},
        {"layers_per_block": [1, 2, 2, 2]},
        {"cross_attention_dim": None},
    ],
)
def test_an_unknown_architecture_has_no_figure(sd15: Path, change: dict[str, Any]) -> None:
    (sd15 / "unet" / "config.json").write_text(json.dumps(SD15_UNET | change))
    assert _trained(sd15) is None


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_an_unreadable_config_has_no_figure(sd15: Path, content: str) -> None:
    (sd15 / "text_encoder" / "config.json").write_text(content)
    assert _trained(sd15, text_encoder=True) is None
    (sd15 / "unet" / "config.json").write_text(content)
    assert _trained(sd15) is None
