"""A whole base model as the files of a diffusers folder, wherever it was loaded from: the way back of `sdtui.models.folder`.

Text encoders' weights stand behind the level `text_model`, which transformers 5 no longer has and reads all the same, and
which older versions insist on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import torch
from torch import Tensor, nn

from sdtui.models.layout import TEXT_FILE, UNET_FILE, VAE_FILE
from sdtui.models.stable_diffusion import StableDiffusion

_ROOT = "text_model."
_TOKENIZER = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
_NAMES = {torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16"}


def folder_files(model: StableDiffusion, dtype: torch.dtype) -> Iterator[tuple[str, Mapping[str, Tensor] | bytes]]:
    """Each file's path in the folder, and its tensors in `dtype`, on the processor, or its bytes.

    The noise schedule is that of training. A safety checker is no part of it.
    """
    yield "model_index.json", _json(_index(model))
    yield "scheduler/scheduler_config.json", _json(model.scheduler_config)
    yield "unet/config.json", _config(model.unet)
    yield f"unet/{UNET_FILE}.safetensors", _tensors(model.unet, dtype)
    yield "vae/config.json", model.vae_part.ask(_config)
    yield f"vae/{VAE_FILE}.safetensors", model.vae_part.ask(partial(_tensors, dtype=dtype))
    for kind, (part, tokenizer) in zip(model.kind.encoders, model.text_parts, strict=True):
        yield f"{kind.component}/config.json", part.ask(partial(_text_config, dtype=dtype))
        yield f"{kind.component}/{TEXT_FILE}.safetensors", part.ask(partial(_text_tensors, dtype=dtype))
        yield from ((f"{kind.tokenizer}/{name}", content) for name, content in _tokenizer(tokenizer))


def _index(model: StableDiffusion) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "scheduler": ["diffusers", model.scheduler_config.get("_class_name", "DDIMScheduler")],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
    }
    for kind in model.kind.encoders:
        encoder = "CLIPTextModelWithProjection" if kind.projected else "CLIPTextModel"
        parts |= {kind.component: ["transformers", encoder], kind.tokenizer: ["transformers", "CLIPTokenizer"]}
    if len(model.kind.encoders) == 1:
        parts |= {"safety_checker": [None, None], "requires_safety_checker": False}
    return {"_class_name": model.kind.pipelines[0], "_diffusers_version": diffusers.__version__, **parts}


def _config(module: Any) -> bytes:
    """The settings of diffusers' module, without the place it came from."""
    return _json(_without_place(json.loads(module.to_json_string())))


def _text_config(encoder: Any, dtype: torch.dtype) -> bytes:
    settings = _without_place(encoder.config.to_dict())
    # The type by its old name, too: versions before 5 read that.
    kept = {"architectures": [type(encoder).__name__], "dtype": _NAMES[dtype], "torch_dtype": _NAMES[dtype]}
    return _json(settings | kept)


def _without_place(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "_name_or_path"}


def _tensors(module: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", dtype).contiguous() for name, value in module.state_dict().items()}


def _text_tensors(encoder: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    named = {name: tensor for name, tensor in _tensors(encoder, dtype).items() if not name.endswith("position_ids")}
    return {
        name if name.startswith((_ROOT, "text_projection.")) else _ROOT + name: tensor for name, tensor in named.items()
    }


def _tokenizer(tokenizer: Any) -> Iterator[tuple[str, bytes]]:
    """The files it was read from; what is padded with stands in two of them, and a single file's may be another."""
    place = Path(tokenizer.name_or_path)
    for name in _TOKENIZER:
        if not (place / name).is_file():
            continue
        content = (place / name).read_bytes()
        if name.endswith("_config.json") or name.startswith("special"):
            content = _json(json.loads(content) | {"pad_token": tokenizer.pad_token})
        yield name, content


def _json(settings: Mapping[str, Any]) -> bytes:
    return json.dumps(settings, indent=2, ensure_ascii=False).encode() + b"\n"
