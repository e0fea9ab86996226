"""A workspace in which a small profile has no problem: a model folder and a folder of images, both empty shells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

UNET = {
    "block_out_channels": [32, 64],
    "cross_attention_dim": 48,
    "layers_per_block": 1,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
}
TEXT_ENCODER = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3}

SOUND = """\
[model]
base = "model"

[[dataset.folders]]
path = "images"

[training]
steps = 100

[saving]
every_steps = 50
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with model/, images/ and sound.toml."""
    model = tmp_path / "model"
    for name, config in (("unet", UNET), ("text_encoder", TEXT_ENCODER)):
        (model / name).mkdir(parents=True)
        (model / name / "config.json").write_text(json.dumps(config))
    (model / "model_index.json").write_text("{}")
    (tmp_path / "images").mkdir()
    (tmp_path / "sound.toml").write_text(SOUND)
    return tmp_path
