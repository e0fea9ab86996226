"""The configuration of a single file's parts: the family's published one, with the sizes that the weights' shapes tell.

So a model that was made narrower or shallower than the published ones loads as it is, and one whose shapes do not hang
together is refused by what is missing.
"""

from __future__ import annotations

import re
from typing import Any

from sdtui.models.configs import read_config
from sdtui.models.families import Family, TextEncoder
from sdtui.models.original import UNET, VAE
from sdtui.models.weights import Contents

Config = dict[str, Any]


def file_configs(family: Family, contents: Contents) -> dict[str, Config]:
    """By part ("unet", "vae", "text_encoder", …) of the single file, in diffusers' and transformers' terms."""
    configs = {"unet": _unet(family, contents), "vae": vae_config(family, contents, VAE)}
    return configs | {encoder.component: _text_encoder(family, encoder, contents) for encoder in family.encoders}


def vae_config(family: Family, contents: Contents, prefix: str) -> Config:
    """Of the VAE behind `prefix`; the latents' scale is the family's, since no weight tells it."""
    published = read_config(family.name, "vae")
    down = rf"{re.escape(prefix)}encoder\.down(?:_blocks)?"
    blocks = _count(contents, rf"{down}\.(\d+)\.") or len(published["block_out_channels"])
    place = f"{prefix}encoder.down_blocks" if contents.has(f"{prefix}encoder.down_blocks.") else f"{prefix}encoder.down"
    inner = "resnets" if place.endswith("_blocks") else "block"
    widths = [contents.shape(f"{place}.{block}.{inner}.0.conv1.weight")[:1] for block in range(blocks)]
    if not all(widths):
        return published
    return {
        **published,
        "block_out_channels": [width[0] for width in widths],
        "down_block_types": ["DownEncoderBlock2D"] * blocks,
        "up_block_types": ["UpDecoderBlock2D"] * blocks,
        "layers_per_block": _count(contents, rf"{down}\.0\.{inner}\.(\d+)\."),
        "latent_channels": (contents.shape(f"{prefix}decoder.conv_in.weight") or (0, 4))[1],
    }


def _unet(family: Family, contents: Contents) -> Config:
    published = read_config(family.name, "unet")
    stride: int = published["layers_per_block"] + 1
    starts = range(1, _count(contents, rf"{re.escape(UNET)}input_blocks\.(\d+)\."), stride)
    widths = [contents.shape(f"{UNET}input_blocks.{start}.0.in_layers.2.weight")[:1] for start in starts]
    if not widths or not all(widths):
        return published
    channels = [width[0] for width in widths]
    depths = [
        _count(contents, rf"{re.escape(UNET)}input_blocks\.{start}\.1\.transformer_blocks\.(\d+)\.") for start in starts
    ]
    config = {
        **published,
        "block_out_channels": channels,
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths],
        "up_block_types": ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)],
        "attention_head_dim": family.heads(channels),
        "cross_attention_dim": _text_width(contents, published["cross_attention_dim"]),
    }
    if "transformer_layers_per_block" in published:
        config["transformer_layers_per_block"] = [depth or 1 for depth in depths]
    if pooled_and_sizes := contents.shape(f"{UNET}label_emb.0.0.weight"):
        config["projection_class_embeddings_input_dim"] = pooled_and_sizes[1]
    return config


def _text_width(contents: Contents, published: int) -> int:
    ending = ".attn2.to_k.weight"
    found = (weight for name, weight in contents.weights.items() if name.startswith(UNET) and name.endswith(ending))
    return next((weight.shape[1] for weight in found), published)


def _text_encoder(family: Family, encoder: TextEncoder, contents: Contents) -> Config:
    published = read_config(family.name, encoder.component)
    prefix = encoder.prefix
    if encoder.openclip:
        layers, inner = rf"{re.escape(prefix)}transformer\.resblocks\.(\d+)\.", "transformer.resblocks.0.mlp.c_fc.bias"
        table = "token_embedding.weight"
    else:
        prefix += "text_model." if contents.has(f"{prefix}text_model.") else ""
        layers, inner = rf"{re.escape(prefix)}encoder\.layers\.(\d+)\.", "encoder.layers.0.mlp.fc1.bias"
        table = "embeddings.token_embedding.weight"
    words, count = contents.shape(prefix + table), _count(contents, layers)
    if len(words) != 2 or count <= encoder.unread:
        return published
    return {
        **published,
        "vocab_size": words[0],
        "hidden_size": words[1],
        "intermediate_size": (contents.shape(prefix + inner) or (4 * words[1],))[0],
        "num_hidden_layers": count - encoder.unread,
        # Every CLIP text encoder that was published has heads of 64.
        "num_attention_heads": max(words[1] // 64, 1),
        "projection_dim": words[1] if encoder.projected else published["projection_dim"],
    }


def _count(contents: Contents, pattern: str) -> int:
    """One more than the largest number in the names that start with `pattern`."""
    numbered = re.compile(pattern)
    return max((int(found[1]) + 1 for name in contents.weights if (found := numbered.match(name))), default=0)
