"""Names in single files: literal ones of the published models, and all of them as diffusers' own converter reads them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from accelerate import init_empty_weights
from diffusers.loaders import single_file_utils
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from sdtui.models.configs import read_config
from sdtui.models.original import Naming, Place, clip_naming, openclip_naming, unet_naming, vae_naming

SD1 = unet_naming([False, True, True, True])
SDXL = unet_naming([True, True, False])
UNET = "model.diffusion_model."


def unet(family: str) -> tuple[Any, Naming]:
    config = read_config(family, "unet")
    with init_empty_weights():
        return UNet2DConditionModel.from_config(config), SD1 if family != "sdxl" else SDXL


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("conv_in.weight", "input_blocks.0.0.weight"),
        ("time_embedding.linear_2.bias", "time_embed.2.bias"),
        ("down_blocks.0.resnets.0.norm1.weight", "input_blocks.1.0.in_layers.0.weight"),
        ("down_blocks.1.resnets.0.conv_shortcut.weight", "input_blocks.4.0.skip_connection.weight"),
        ("down_blocks.2.attentions.1.proj_in.weight", "input_blocks.8.1.proj_in.weight"),
        (
            "down_blocks.0.attentions.1.transformer_blocks.0.attn2.to_out.0.bias",
            "input_blocks.2.1.transformer_blocks.0.attn2.to_out.0.bias",
        ),
        ("down_blocks.2.downsamplers.0.conv.weight", "input_blocks.9.0.op.weight"),
        ("down_blocks.3.resnets.1.time_emb_proj.weight", "input_blocks.11.0.emb_layers.1.weight"),
        ("mid_block.resnets.0.conv1.weight", "middle_block.0.in_layers.2.weight"),
        ("mid_block.attentions.0.norm.weight", "middle_block.1.norm.weight"),
        ("mid_block.resnets.1.conv2.bias", "middle_block.2.out_layers.3.bias"),
        ("up_blocks.0.upsamplers.0.conv.weight", "output_blocks.2.1.conv.weight"),
        ("up_blocks.1.upsamplers.0.conv.weight", "output_blocks.5.2.conv.weight"),
        ("up_blocks.3.resnets.2.norm2.weight", "output_blocks.11.0.out_layers.0.weight"),
        ("up_blocks.3.attentions.0.proj_out.weight", "output_blocks.9.1.proj_out.weight"),
        ("conv_norm_out.weight", "out.0.weight"),
        ("conv_out.bias", "out.2.bias"),
    ],
)
def test_stable_diffusion_1_s_unet(name: str, place: str) -> None:
    assert SD1(name) == (Place(UNET + place),)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (
            "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight",
            "input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight",
        ),
        (
            "mid_block.attentions.0.transformer_blocks.9.ff.net.0.proj.weight",
            "middle_block.1.transformer_blocks.9.ff.net.0.proj.weight",
        ),
        ("up_blocks.1.upsamplers.0.conv.weight", "output_blocks.5.2.conv.weight"),
        ("up_blocks.2.resnets.0.conv1.weight", "output_blocks.6.0.in_layers.2.weight"),
        ("add_embedding.linear_1.weight", "label_emb.0.0.weight"),
        ("add_embedding.linear_2.bias", "label_emb.0.2.bias"),
    ],
)
def test_sdxl_s_unet(name: str, place: str) -> None:
    assert SDXL(name) == (Place(UNET + place),)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("encoder.conv_in.weight", "encoder.conv_in.weight"),
        ("encoder.down_blocks.1.resnets.0.conv_shortcut.bias", "encoder.down.1.block.0.nin_shortcut.bias"),
        ("encoder.down_blocks.2.downsamplers.0.conv.weight", "encoder.down.2.downsample.conv.weight"),
        ("encoder.mid_block.attentions.0.to_q.weight", "encoder.mid.attn_1.q.weight"),
        ("decoder.mid_block.attentions.0.to_out.0.bias", "decoder.mid.attn_1.proj_out.bias"),
        ("decoder.mid_block.attentions.0.group_norm.weight", "decoder.mid.attn_1.norm.weight"),
        ("decoder.mid_block.resnets.1.norm2.weight", "decoder.mid.block_2.norm2.weight"),
        ("decoder.up_blocks.0.resnets.2.conv1.weight", "decoder.up.3.block.2.conv1.weight"),
        ("decoder.up_blocks.2.upsamplers.0.conv.bias", "decoder.up.1.upsample.conv.bias"),
        ("decoder.conv_norm_out.weight", "decoder.norm_out.weight"),
        ("post_quant_conv.bias", "post_quant_conv.bias"),
    ],
)
def test_vae(name: str, place: str) -> None:
    first, second, *_ = vae_naming("first_stage_model.")(name)
    assert (first, second) == (Place(f"first_stage_model.{place}"), Place(name))


def test_a_vae_s_older_names_come_last() -> None:
    name = "encoder.mid_block.attentions.0.to_out.0.weight"
    assert vae_naming("")(name)[2] == Place("encoder.mid_block.attentions.0.proj_attn.weight")


def test_clip_l_with_and_without_its_level() -> None:
    expected = tuple(
        Place(f"cond_stage_model.transformer.{level}encoder.layers.0.mlp.fc1.weight") for level in ("text_model.", "")
    )
    naming = clip_naming("cond_stage_model.transformer.")
    assert naming("encoder.layers.0.mlp.fc1.weight") == naming("text_model.encoder.layers.0.mlp.fc1.weight") == expected


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("embeddings.position_embedding.weight", Place("positional_embedding")),
        ("encoder.layers.22.layer_norm1.bias", Place("transformer.resblocks.22.ln_1.bias")),
        ("encoder.layers.0.self_attn.q_proj.weight", Place("transformer.resblocks.0.attn.in_proj_weight", "third-0")),
        ("encoder.layers.0.self_attn.k_proj.bias", Place("transformer.resblocks.0.attn.in_proj_bias", "third-1")),
        ("encoder.layers.0.self_attn.v_proj.bias", Place("transformer.resblocks.0.attn.in_proj_bias", "third-2")),
        ("text_model.encoder.layers.3.mlp.fc2.weight", Place("transformer.resblocks.3.mlp.c_proj.weight")),
        ("final_layer_norm.weight", Place("ln_final.weight")),
    ],
)
def test_openclip(name: str, place: Place) -> None:
    assert openclip_naming("cond_stage_model.model.")(name) == (
        Place(f"cond_stage_model.model.{place.name}", place.change),
    )


def test_openclip_s_projection_lies_one_way_or_the_other() -> None:
    assert openclip_naming("x.")("text_projection.weight") == (
        Place("x.text_projection", "transposed"),
        Place("x.text_projection.weight"),
    )


@pytest.mark.parametrize(("family", "count"), [("sd1", 686), ("sd2", 686), ("sdxl", 1680)])
def test_every_name_of_a_unet_is_the_one_diffusers_reads(family: str, count: int) -> None:
    module, naming = unet(family)
    names = {name: naming(name)[0].name for name in module.state_dict()}
    read = single_file_utils.convert_ldm_unet_checkpoint({name: name for name in names.values()}, dict(module.config))
    assert read == names
    assert len(names) == count


def test_every_name_of_a_vae_is_the_one_diffusers_reads() -> None:
    with init_empty_weights():
        module = AutoencoderKL.from_config(read_config("sd1", "vae"))
    naming = vae_naming("first_stage_model.")
    names = {name: naming(name)[0].name for name in module.state_dict()}
    # One number for each weight: it tells which one came out where.
    file = {place: torch.full((1, 1), float(index)) for index, place in enumerate(names.values())}
    read = single_file_utils.convert_ldm_vae_checkpoint(file, dict(module.config))
    assert {name: value.item() for name, value in read.items()} == dict(zip(names, map(float, range(248)), strict=True))


@pytest.mark.parametrize(
    ("family", "part", "prefix", "count"),
    [
        ("sd2", "text_encoder", "cond_stage_model.model.", 372),
        ("sdxl", "text_encoder_2", "conditioner.embedders.1.model.", 517),
    ],
)
def test_every_name_of_an_openclip_is_one_diffusers_reads(family: str, part: str, prefix: str, count: int) -> None:
    config = CLIPTextConfig(**read_config(family, part))
    with init_empty_weights():
        module = (CLIPTextModelWithProjection if part.endswith("_2") else CLIPTextModel)(config)
    naming = openclip_naming(prefix)
    names = set(module.state_dict())
    file = {naming(name)[0].name: torch.zeros(3 * config.hidden_size, 1) for name in names}
    read = single_file_utils.convert_open_clip_checkpoint(module, file, prefix=prefix)
    assert {name.removeprefix("text_model.") for name in read} == {name.removeprefix("text_model.") for name in names}
    assert len(names) == count
