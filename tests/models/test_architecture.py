"""Configs of single files: the published ones for published shapes, and the file's own sizes for others."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.models import sd1, sd2, sdxl
from sdtui.models.architecture import file_configs, vae_config
from sdtui.models.configs import read_config
from sdtui.models.families import Family
from tests.support.headers import SD15, SD21, SDXL, L, U, V, contents


@pytest.mark.parametrize(("family", "shapes"), [(sd1.FAMILY, SD15), (sd2.FAMILY, SD21), (sdxl.FAMILY, SDXL)])
def test_published_shapes_give_the_published_configs(family: Family, shapes: dict[str, tuple[int, ...]]) -> None:
    configs = file_configs(family, contents(shapes))
    assert configs == {part: read_config(family.name, part) for part in configs}
    assert list(configs) == ["unet", "vae", *(encoder.component for encoder in family.encoders)]


@pytest.mark.parametrize(
    ("family", "part", "expected"),
    [
        ("sd1", "unet", {"cross_attention_dim": 768, "attention_head_dim": 8, "use_linear_projection": False}),
        ("sd2", "unet", {"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20]}),
        ("sdxl", "unet", {"cross_attention_dim": 2048, "transformer_layers_per_block": [1, 2, 10]}),
        ("sd1", "vae", {"scaling_factor": 0.18215, "block_out_channels": [128, 256, 512, 512]}),
        ("sdxl", "vae", {"scaling_factor": 0.13025}),
        ("sd1", "text_encoder", {"hidden_size": 768, "num_hidden_layers": 12, "hidden_act": "quick_gelu"}),
        ("sd2", "text_encoder", {"hidden_size": 1024, "num_hidden_layers": 23, "hidden_act": "gelu"}),
        ("sdxl", "text_encoder_2", {"hidden_size": 1280, "num_hidden_layers": 32, "projection_dim": 1280}),
        ("sd1", "scheduler", {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}),
    ],
)
def test_published_figures(family: str, part: str, expected: dict[str, Any]) -> None:
    config = read_config(family, part)
    assert {key: config[key] for key in expected} == expected


def test_narrower_and_shallower_models_get_their_own_sizes() -> None:
    small = SDXL | {
        f"{U}input_blocks.4.0.in_layers.2.weight": (512, 320, 3, 3),
        f"{U}label_emb.0.0.weight": (1280, 2000),
    }
    del small[f"{U}input_blocks.7.1.transformer_blocks.9.attn2.to_k.weight"]
    small[f"{U}input_blocks.7.1.transformer_blocks.3.attn2.to_k.weight"] = (1280, 2048)
    unet = file_configs(sdxl.FAMILY, contents(small))["unet"]
    assert unet["block_out_channels"] == [320, 512, 1280]
    assert unet["attention_head_dim"] == [5, 8, 20]
    assert unet["transformer_layers_per_block"] == [1, 2, 4]
    assert unet["projection_class_embeddings_input_dim"] == 2000


def test_a_text_encoder_s_own_sizes() -> None:
    small = {
        name: (512,) * (len(shape) - 1) + (128,) if name.startswith(L) else shape for name, shape in SD15.items()
    } | {f"{L}embeddings.token_embedding.weight": (1000, 128)}
    text = file_configs(sd1.FAMILY, contents(small))["text_encoder"]
    assert (text["vocab_size"], text["hidden_size"], text["num_attention_heads"]) == (1000, 128, 2)


def test_a_vae_of_its_own_by_either_naming() -> None:
    own = {name.removeprefix(V): shape for name, shape in SD15.items() if name.startswith(V)}
    renamed = {
        name.replace("encoder.down.", "encoder.down_blocks.").replace(".block.", ".resnets."): shape
        for name, shape in own.items()
    }
    for shapes in (own, renamed):
        assert vae_config(sd1.FAMILY, contents(shapes), "") == read_config("sd1", "vae")
