"""Tiny random models of every family: as diffusers folders and as the single files that people have."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from sdtui.models import clip_tokenizer
from sdtui.models.configs import read_config
from sdtui.models.original import unet_naming, vae_naming
from tests.support.tiny import make_prompts_matter

FAMILIES = ("sd1", "sd2", "sdxl")
# Head sizes and norm groups are those of the published models, which no weight tells: widths go in steps of 64 or 32.
UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"block_out_channels": [32, 32, 64, 64], "cross_attention_dim": 64},
    "sd2": {"block_out_channels": [64, 64, 64, 128], "cross_attention_dim": 64, "attention_head_dim": [1, 1, 1, 2]},
    "sdxl": {
        "block_out_channels": [64, 64, 128],
        "attention_head_dim": [1, 1, 2],
        "transformer_layers_per_block": [1, 1, 2],
        "cross_attention_dim": 64 + 128,
        "projection_class_embeddings_input_dim": 128 + 6 * 256,
    },
}
TEXT = {"intermediate_size": 128, "num_hidden_layers": 3}
# Of different widths: diffusers tells the two encoders of a file apart by that.
WIDTHS = {"text_encoder": 64, "text_encoder_2": 128}
VAE = {"block_out_channels": [32, 32, 32, 32], "layers_per_block": 1, "sample_size": 64}
ENCODERS = {"sd1": ["text_encoder"], "sd2": ["text_encoder"], "sdxl": ["text_encoder", "text_encoder_2"]}
PIPELINES = {"sd1": "StableDiffusionPipeline", "sd2": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline"}


def tiny_folder(folder: Path, family: str) -> Path:
    """Fill `folder` with a diffusers pipeline of the family (built once per test process) and return it."""
    shutil.copytree(_built(family), folder, dirs_exist_ok=True)
    return folder


def tiny_file(path: Path, family: str, metadata: dict[str, str] | None = None) -> Path:
    """Write the same model as one `.safetensors` file, named as the programs that trained such models name weights."""
    save_file(original_weights(family), path, {"format": "pt", **(metadata or {})})
    return path


def original_weights(family: str) -> dict[str, Tensor]:
    """The weights of the tiny model by their names in a single file."""
    folder = _built(family)
    kinds = json.loads((folder / "unet/config.json").read_text())["up_block_types"]
    unet = unet_naming([kind.startswith("CrossAttn") for kind in kinds])
    weights = _renamed(folder / "unet/diffusion_pytorch_model.safetensors", lambda name: unet(name)[0].name)
    vae = vae_naming("first_stage_model.")
    weights |= _renamed(folder / "vae/diffusion_pytorch_model.safetensors", lambda name: vae(name)[0].name)
    for name, value in weights.items():
        # Files of the time have the VAE's attention as 1×1 convolutions.
        if name.startswith("first_stage_model.") and ".attn_1." in name and value.dim() == 2:
            weights[name] = value[:, :, None, None].contiguous()
    first, *second = (load_file(folder / part / "model.safetensors") for part in ENCODERS[family])
    if family == "sd1":
        return weights | clip_l(first, "cond_stage_model.transformer.")
    if family == "sd2":
        return weights | openclip(first, "cond_stage_model.model.", unread=1)
    return (
        weights
        | clip_l(first, "conditioner.embedders.0.transformer.")
        | openclip(second[0], "conditioner.embedders.1.model.", unread=0)
    )


def clip_l(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """CLIP-L as in published files: behind the level `text_model`, with its table of positions."""
    named = {f"{prefix}text_model.{name.removeprefix('text_model.')}": value for name, value in weights.items()}
    return named | {f"{prefix}text_model.embeddings.position_ids": torch.arange(77)[None]}


def openclip(weights: dict[str, Tensor], prefix: str, unread: int) -> dict[str, Tensor]:
    """A transformers text encoder as OpenCLIP names it, with `unread` layers more that nobody reads."""
    bare = {name.removeprefix("text_model."): value for name, value in weights.items()}
    layers = 1 + max(int(name.split(".")[2]) for name in bare if name.startswith("encoder.layers."))
    named = {
        "token_embedding.weight": bare["embeddings.token_embedding.weight"],
        "positional_embedding": bare["embeddings.position_embedding.weight"],
        "ln_final.weight": bare["final_layer_norm.weight"],
        "ln_final.bias": bare["final_layer_norm.bias"],
        "logit_scale": torch.tensor(4.6),
        "text_projection": bare.get("text_projection.weight", torch.eye(64)).t().contiguous(),
    }
    for index in range(layers + unread):
        theirs, ours = f"transformer.resblocks.{index}", f"encoder.layers.{min(index, layers - 1)}"
        for kind in ("weight", "bias"):
            thirds = [bare[f"{ours}.self_attn.{third}_proj.{kind}"] for third in "qkv"]
            named[f"{theirs}.attn.in_proj_{kind}"] = torch.cat(thirds)
            named[f"{theirs}.attn.out_proj.{kind}"] = bare[f"{ours}.self_attn.out_proj.{kind}"].clone()
            named[f"{theirs}.ln_1.{kind}"] = bare[f"{ours}.layer_norm1.{kind}"].clone()
            named[f"{theirs}.ln_2.{kind}"] = bare[f"{ours}.layer_norm2.{kind}"].clone()
            named[f"{theirs}.mlp.c_fc.{kind}"] = bare[f"{ours}.mlp.fc1.{kind}"].clone()
            named[f"{theirs}.mlp.c_proj.{kind}"] = bare[f"{ours}.mlp.fc2.{kind}"].clone()
    return {prefix + name: value for name, value in named.items()}


def _renamed(file: Path, name_of: Callable[[str], str]) -> dict[str, Tensor]:
    return {name_of(name): value for name, value in load_file(file).items()}


@functools.cache
def _built(family: str) -> Path:
    folder = Path(_scratch().name) / family
    with torch.random.fork_rng(devices=[]):  # the tests' own seeds stay as they are
        torch.manual_seed(2)
        _build(folder, family)
    return folder


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sdtui-families-")


def _build(folder: Path, family: str) -> None:
    unet = UNet2DConditionModel.from_config({**read_config(family, "unet"), **UNETS[family], "sample_size": 8})
    vae = AutoencoderKL.from_config({**read_config(family, "vae"), **VAE})
    encoders = {}
    for part in ENCODERS[family]:
        width = WIDTHS[part]
        sizes = {"hidden_size": width, "projection_dim": width, "num_attention_heads": width // 64}
        config = CLIPTextConfig(**{**read_config(family, part), **TEXT, **sizes})
        encoders[part] = (CLIPTextModelWithProjection if part.endswith("_2") else CLIPTextModel)(config)
    make_prompts_matter(unet, encoders.values())
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    for part, encoder in encoders.items():
        encoder.half().save_pretrained(folder / part)
        pad = "<|endoftext|>" if read_config(family, part)["pad_token_id"] else "!"
        _tokenizer(folder / part.replace("text_encoder", "tokenizer"), pad)
    (folder / "scheduler").mkdir()
    (folder / "scheduler/scheduler_config.json").write_text(json.dumps(read_config(family, "scheduler")))
    (folder / "model_index.json").write_text(json.dumps(_index(family)))


def _tokenizer(folder: Path, pad: str) -> None:
    folder.mkdir()
    for name in clip_tokenizer.FILES:
        shutil.copy(clip_tokenizer.FOLDER / name, folder / name)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | {"pad_token": pad}))


def _index(family: str) -> dict[str, Any]:
    parts: Iterable[tuple[str, list[Any]]] = [
        ("scheduler", ["diffusers", "DDIMScheduler"]),
        ("unet", ["diffusers", "UNet2DConditionModel"]),
        ("vae", ["diffusers", "AutoencoderKL"]),
        ("safety_checker", [None, None]),
        ("feature_extractor", [None, None]),
        *(
            (part, ["transformers", "CLIPTextModelWithProjection" if part.endswith("_2") else "CLIPTextModel"])
            for part in ENCODERS[family]
        ),
        *((part.replace("text_encoder", "tokenizer"), ["transformers", "CLIPTokenizer"]) for part in ENCODERS[family]),
    ]
    return {"_class_name": PIPELINES[family], "_diffusers_version": "0.42.1", **dict(parts)}
