"""Stability's names for a UNet's layers, SDXL's above all, against pairs read off both programs' models."""

from __future__ import annotations

import pytest

from sdtui.errors import SdtuiError
from sdtui.profile.unet_names import SDXL, UnetNames


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("conv_in", "input_blocks.0.0"),
        ("down_blocks.0.resnets.0.conv1", "input_blocks.1.0.in_layers.2"),
        ("down_blocks.0.resnets.1.norm2", "input_blocks.2.0.out_layers.0"),
        ("down_blocks.0.downsamplers.0.conv", "input_blocks.3.0.op"),
        ("down_blocks.1.resnets.0.conv_shortcut", "input_blocks.4.0.skip_connection"),
        ("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", "input_blocks.4.1.transformer_blocks.0.attn1.to_q"),
        ("down_blocks.1.attentions.1.proj_in", "input_blocks.5.1.proj_in"),
        ("down_blocks.2.resnets.1.time_emb_proj", "input_blocks.8.0.emb_layers.1"),
        ("mid_block.resnets.0.conv2", "middle_block.0.out_layers.3"),
        ("mid_block.attentions.0.transformer_blocks.9.ff.net.0.proj", "middle_block.1.transformer_blocks.9.ff.net.0.proj"),
        ("mid_block.resnets.1.norm1", "middle_block.2.in_layers.0"),
        ("up_blocks.0.attentions.2.norm", "output_blocks.2.1.norm"),
        ("up_blocks.0.upsamplers.0.conv", "output_blocks.2.2.conv"),
        ("up_blocks.1.resnets.0.conv1", "output_blocks.3.0.in_layers.2"),
        ("up_blocks.1.upsamplers.0.conv", "output_blocks.5.2.conv"),
        ("up_blocks.2.resnets.2.conv_shortcut", "output_blocks.8.0.skip_connection"),
        ("time_embedding.linear_2", "time_embed.2"),
        ("conv_out", "out.2"),
    ],
)  # fmt: skip
def test_names(path: str, expected: str) -> None:
    assert SDXL(path) == expected


@pytest.mark.parametrize(
    "path", ["side_blocks.0.conv", "up_blocks.0.resnets.0.conv3", "up_blocks.3.upsamplers.0.conv", "conv"]
)
def test_a_layer_that_sdxl_does_not_have(path: str) -> None:
    with pytest.raises(SdtuiError, match=rf"no layer {path}".replace(".", r"\.")):
        SDXL(path)


def test_an_upsampler_moves_up_where_no_attention_is() -> None:
    """Stable Diffusion 1.x: the first block on the way up has none."""
    names = UnetNames((False, True, True, True))
    assert names("up_blocks.0.upsamplers.0.conv") == "output_blocks.2.1.conv"
    assert names("up_blocks.1.upsamplers.0.conv") == "output_blocks.5.2.conv"


def test_a_block_may_have_another_depth() -> None:
    assert UnetNames((True, True), layers=1)("up_blocks.1.resnets.1.conv1") == "output_blocks.3.0.in_layers.2"
