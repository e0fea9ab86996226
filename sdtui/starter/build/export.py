"""Stage `export`: the trained parts as one diffusers folder in fp16, small enough to ship."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL
from safetensors.torch import save_file

from sdtui.files import write_atomic
from sdtui.models import clip_tokenizer
from sdtui.starter.build.denoiser import BaseModel, make_base_model, restore

LIMIT_BYTES = 40 * 2**20
TOKENIZER_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": diffusers.__version__,
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def export(work: Path, target: Path) -> int:
    """Write the pipeline folder `target` from `<work>/vae` and `<work>/unet.pt`; returns its size in bytes."""
    model = make_base_model()
    restore(model, work / "unet.pt")
    return write_pipeline(model, AutoencoderKL.from_pretrained(work / "vae"), target)


def write_pipeline(model: BaseModel, vae: Any, target: Path) -> int:
    """Write the parts as StableDiffusionPipeline reads them; returns the size in bytes.

    Raises:
        ValueError: it came out larger than what may be shipped.
    """
    for name, part in (("vae", vae), ("unet", model.unet)):
        part.save_config(target / name)
        _forget_origin(target / name / "config.json")
        _save_weights(part.state_dict(), target / name / "diffusion_pytorch_model.safetensors")
    _save_text_encoder(model.text_encoder, target / "text_encoder")
    model.scheduler.save_config(target / "scheduler")
    (target / "tokenizer").mkdir(exist_ok=True)
    for name in TOKENIZER_FILES:
        shutil.copyfile(Path(clip_tokenizer.__file__).with_name(name), target / "tokenizer" / name)
    write_atomic(target / "model_index.json", json.dumps(INDEX, indent=2) + "\n")
    size = folder_bytes(target)
    if size > LIMIT_BYTES:
        raise ValueError(f"{target} holds {size} bytes, more than {LIMIT_BYTES}")
    return size


def folder_bytes(folder: Path) -> int:
    """What all files in it take, byte-code left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sum(path.stat().st_size for path in files)


def _forget_origin(path: Path) -> None:
    """Leave out of a configuration the folder that the part was once loaded from."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    write_atomic(path, json.dumps(config, indent=2, sort_keys=True) + "\n")


def _save_text_encoder(text_encoder: Any, folder: Path) -> None:
    # transformers 5.6 dropped the `text_model.` level; older releases and other programs still look for it.
    weights = {
        f"text_model.{name.removeprefix('text_model.')}": value for name, value in text_encoder.state_dict().items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    config = {**text_encoder.config.to_diff_dict(), "architectures": ["CLIPTextModel"]}
    # Without a dtype, transformers would load the halves as they are beside a UNet that diffusers loads in fp32.
    config |= {"transformers_version": transformers.__version__, "dtype": "float32"}
    write_atomic(folder / "config.json", json.dumps(config, indent=2) + "\n")
    _save_weights(weights, folder / "model.safetensors")


def _save_weights(weights: dict[str, Any], path: Path) -> None:
    half = {name: value.to(torch.float16).contiguous() for name, value in weights.items() if value.is_floating_point()}
    save_file(half, path, metadata={"format": "pt"})
