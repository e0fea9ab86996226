"""Which layers are trained and how strongly, by their paths."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.schema import Method
from sdtui.profile.targets import (
    LAYERS,
    NORMS,
    Strength,
    block_of,
    is_target,
    is_trained_norm,
    left_out,
    strength,
    whole_path,
)

Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "down_blocks.1.resnets.0.conv1"


def test_every_target_the_profile_offers_is_known() -> None:
    targets = {"attention", "feed-forward", "projection", "convolution", "edges"}
    assert set(LAYERS["unet"]) == set(LAYERS["text_encoder"]) == set(NORMS) == targets


@pytest.mark.parametrize(
    ("method", "component", "path", "expected"),
    [
        ({}, "unet", Q, True),
        ({}, "unet", CONV, False),
        ({"targets": ["convolution"]}, "unet", CONV, True),
        ({"targets": ["convolution"]}, "unet", "conv_in", False),
        ({"targets": ["edges"]}, "unet", "conv_in", True),
        ({"targets": ["attention"]}, "text_encoder_2", "text_model.encoder.layers.0.self_attn.q_proj", True),
        ({}, "text_encoder_2", "text_projection", False),
        ({"include": ["*.attn2.*"]}, "unet", Q, False),
        ({"include": ["unet.down_blocks.1.*"]}, "unet", Q, True),
        ({"include": ["down_blocks.?.*"], "exclude": ["*.to_q"]}, "unet", Q, False),
        ({"exclude": ["text_encoder.*"]}, "text_encoder", "encoder.layers.0.mlp.fc1", False),
    ],
)
def test_targets_and_patterns(method: dict[str, Any], component: str, path: str, expected: bool) -> None:
    assert is_target(Method.model_validate(method), component, path) is expected


@pytest.mark.parametrize(
    ("targets", "path", "expected"),
    [
        (["attention"], "mid_block.attentions.0.transformer_blocks.0.norm1", True),
        (["attention"], "mid_block.attentions.0.transformer_blocks.0.norm3", False),
        (["feed-forward"], "mid_block.attentions.0.transformer_blocks.0.norm3", True),
        (["projection"], "mid_block.attentions.0.norm", True),
        (["projection"], "mid_block.attentions.0.transformer_blocks.0.norm1", False),
        (["convolution"], "mid_block.resnets.0.norm2", True),
        (["edges"], "conv_norm_out", True),
    ],
)
def test_norms_go_with_the_layers_behind_them(targets: list[str], path: str, expected: bool) -> None:
    assert is_trained_norm(Method.model_validate({"targets": targets, "norms": True}), "unet", path) is expected
    assert not is_trained_norm(Method.model_validate({"targets": targets}), "unet", path)


@pytest.mark.parametrize(
    ("path", "spatial", "expected"),
    [
        (Q, False, Strength(2, 8.0)),
        (CONV, True, Strength(2, 8.0)),
        ("down_blocks.10.conv", True, Strength(6, 3.0)),
        ("mid_block.attentions.0.proj_in", False, Strength(0, 4.0)),
        ("up_blocks.1.attentions.0.proj_in", False, Strength(16, 4.0)),
        ("up_blocks.1.resnets.0.conv1", True, Strength(6, 3.0)),
    ],
)
def test_the_longest_block_that_fits_says_the_strength(path: str, spatial: bool, expected: Strength) -> None:
    method = Method(
        rank=16, alpha=4.0, conv_rank=6, conv_alpha=3.0,
        block_ranks={"down_blocks": 9, "unet.down_blocks.1": 2, "mid_block": 0, "down_blocks.10": 6},
        block_alphas={"down_blocks.1": 8.0},
    )  # fmt: skip
    assert strength(method, "unet", path, spatial=spatial) == expected


@pytest.mark.parametrize(
    ("include", "text_encoder", "expected"),
    [
        (["text_encoder.*"], True, {"unet", "text_encoder_2"}),
        (["text_encoder*.q_proj"], True, {"unet"}),
        (["text_encoder_2.*", "text_encoder.*"], True, {"unet"}),
        (["text_encoder.*"], False, set()),
        (["text_encoder.*", "*.attn2.*"], True, set()),
        (["text_encoder_3.*"], True, set()),
        (["unet.*"], True, set()),
        ([], True, set()),
    ],
)
def test_patterns_that_name_text_encoders_only(include: list[str], text_encoder: bool, expected: set[str]) -> None:
    method = Method(include=tuple(include), text_encoder=text_encoder)
    assert left_out(method, ["unet", "text_encoder", "text_encoder_2"]) == expected


def test_blocks_end_at_a_point() -> None:
    assert block_of("unet.down_blocks.10.conv", ["unet.down_blocks.1"]) == ""
    assert block_of("unet.down_blocks.1.conv", ["unet", "unet.down_blocks.1"]) == "unet.down_blocks.1"
    assert [whole_path(block) for block in ("mid_block", "unet.mid_block", "text_encoder_2")] == [
        "unet.mid_block", "unet.mid_block", "text_encoder_2",
    ]  # fmt: skip
