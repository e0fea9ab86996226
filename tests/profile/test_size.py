"""Counting what a method trains, against figures of real files and against models that were made ready for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.profile.schema import Profile
from sdtui.profile.size import Trained, trained
from tests.support.real_sizes import UNETS

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
        ({"rank": 16, "targets": ["attention", "feed-forward", "projection", "convolution"]}, 16_813_056, 278),
    ],
)
def test_stable_diffusion_15(sd15: Path, method: dict[str, Any], values: int, modules: int) -> None:
    assert _trained(sd15, **method) == Trained(values, modules, 2 * modules)


@pytest.mark.parametrize(
    ("targets", "values", "modules"),
    [
        (["attention", "feed-forward", "projection"], 42_557_440, 722),
        (["attention", "feed-forward", "projection", "convolution"], 49_187_840, 788),
    ],
)
def test_stable_diffusion_xl(tmp_path: Path, targets: list[str], values: int, modules: int) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps(UNETS["sdxl"]))
    assert _trained(tmp_path, rank=16, targets=targets) == Trained(values, modules, 2 * modules)


def test_both_text_encoders_count(sd15: Path) -> None:
    (sd15 / "text_encoder_2").mkdir()
    second = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32}
    (sd15 / "text_encoder_2" / "config.json").write_text(json.dumps(second))
    assert _trained(sd15, rank=16, text_encoder=True) == Trained(9_437_184 + 11_796_480, 264 + 192, 2 * 456)


@pytest.mark.parametrize(
    ("method", "values", "modules"),
    [
        ({"include": ["*.attn2.*"]}, 1_591_296, 64),
        ({"exclude": ["mid_block.*", "unet.up_blocks.*"]}, 2_441_216, 72),
        ({"block_ranks": {"down_blocks": 0, "mid_block": 0, "up_blocks": 32}}, 7_323_648, 108),
    ],
)
def test_patterns_and_block_ranks_count(sd15: Path, method: dict[str, Any], values: int, modules: int) -> None:
    found = _trained(sd15, rank=16, **method)
    assert found is not None
    assert (found.values, found.modules) == (values, modules)


@pytest.mark.parametrize(
    ("family", "algorithm"),
    [
        *(("sd1", name) for name in ("lora", "loha", "lokr", "ia3", "oft", "boft", "full")),
        ("sd2", "lora"),
        ("sdxl", "full"),
    ],
)
def test_the_count_is_that_of_the_trained_model(tmp_path: Path, family: str, algorithm: str) -> None:
    import torch

    from sdtui.models.family import load_model
    from sdtui.training.methods.lora import prepare
    from tests.support.families import tiny_folder

    base = tiny_folder(tmp_path, family)
    targets = ["attention", "feed-forward", "projection", "convolution", "edges"]
    method = {
        "algorithm": algorithm, "rank": 4, "conv_rank": 2, "targets": targets, "text_encoder": True, "norms": True,
        "factor": 4, "exclude": ["*.attn2.to_k"], "weight_decompose": algorithm in {"lora", "loha", "lokr"},
        "decompose_inputs": algorithm == "loha",
    }  # fmt: skip
    profile = Profile.model_validate({"model": {"base": str(base)}, "method": method})
    trainable = prepare(load_model(base, None, torch.device("cpu"), torch.float32), profile.method, 0)
    state = trainable.state()
    expected = Trained(sum(tensor.numel() for tensor in state.values()), len(trainable.layers), len(state))
    assert trained(profile) == expected


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize(
    "patterns",
    [{}, {"include": ["*.attn2.*", "*.layer_norm1", "*token_embedding"]}, {"exclude": ["*.conv?", "*.mlp.*"]}],
    ids=["all", "include", "exclude"],
)
def test_the_count_of_a_whole_model_is_that_of_the_trained_one(
    tmp_path: Path, family: str, patterns: dict[str, Any]
) -> None:
    import torch

    from sdtui.models.family import load_model
    from sdtui.training.methods.full import prepare
    from tests.support.families import tiny_folder

    base = tiny_folder(tmp_path, family)
    method = {"kind": "full", "text_encoder": True, **patterns}
    profile = Profile.model_validate({"model": {"base": str(base)}, "method": method})
    weights = prepare(load_model(base, None, torch.device("cpu"), torch.float32), profile.method, 0).weights
    layers = {name.rpartition(".")[0] for name in weights}
    assert trained(profile) == Trained(sum(each.numel() for each in weights.values()), len(layers), len(weights))


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
