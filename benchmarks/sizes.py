"""Stable Diffusion's block layout at three sizes with random weights, and images to train them on.

`tiny` and `small` are the sizes at which the peers were measured; `sd15` is the real one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.training_run import model as starter
from benchmarks.training_run import prepare
from sdtui.runs.layout import RunFolder

IMAGES = 16

Channels = tuple[int, int, int, int]


class Size(NamedTuple):
    """Channels of UNet and VAE, width and layers of the text encoder, heads (diffusers' `attention_head_dim`), and pixels."""

    unet: Channels
    vae: Channels
    text: int
    text_layers: int
    side: int
    heads: int = 8


SIZES = {
    "tiny": Size((32, 64, 64, 64), (32, 32, 64, 64), 32, 2, 128),  # UNet 3.2 M, VAE 1.4 M, CLIP 1.6 M
    "small": Size((64, 128, 256, 256), (32, 64, 128, 128), 256, 6, 256),  # 35.0 M, 5.3 M, 17.4 M
    "sd15": Size((320, 640, 1280, 1280), (128, 256, 512, 512), 768, 12, 256),  # 859.5 M, 83.7 M, 123.1 M
}


def make_model(folder: Path, name: str) -> Path:
    """Write the pipeline of that size as a diffusers folder; the weights are the libraries' own random start."""
    import torch

    from sdtui.models.imports import import_models

    import_models()
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers.models.clip.configuration_clip import CLIPTextConfig
    from transformers.models.clip.modeling_clip import CLIPTextModel

    size = SIZES[name]
    torch.manual_seed(0)
    UNet2DConditionModel(
        block_out_channels=size.unet,
        down_block_types=(*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *["CrossAttnUpBlock2D"] * 3),
        cross_attention_dim=size.text,
        attention_head_dim=size.heads,
    ).save_pretrained(folder / "unet")
    AutoencoderKL(
        block_out_channels=size.vae,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
    ).save_pretrained(folder / "vae")
    heads = max(4, size.text // 64)
    text = {"hidden_size": size.text, "intermediate_size": 4 * size.text, "projection_dim": size.text}
    layers = {"num_hidden_layers": size.text_layers, "num_attention_heads": heads}
    CLIPTextModel(CLIPTextConfig(vocab_size=49408, **text, **layers)).save_pretrained(folder / "text_encoder")
    for part in ("scheduler", "tokenizer"):
        shutil.copytree(starter() / part, folder / part)
    index = json.loads((starter() / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def make_images(folder: Path, count: int, side: int) -> Path:
    """Coloured noise over gradients, each with a caption; the numbers are the same every time."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    across, down = np.meshgrid(np.linspace(0, 200, side), np.linspace(0, 200, side))
    for number in range(count):
        pixels = np.stack([across, down, (across + down) / 2], axis=-1) + random.normal(25, 12, (side, side, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number:04d}.png", compress_level=1)
        (folder / f"{number:04d}.txt").write_text(f"a gradient, noise, picture {number}\n")
    return folder


@dataclass(frozen=True)
class Work:
    """Runs of one size that differ in little: a LoRA of rank 8 with kohya's 192 modules, batch 1, one thread.

    Args:
        folder: where model, images and runs are put.
        size: one of `SIZES`.
        steps: how many will be taken.
        side: of the images, px; the size's own if 0.
        changes: further settings, as for `--set`.
    """

    folder: Path
    size: str
    steps: int
    side: int = 0
    changes: Sequence[str] = ()

    def run(self, precision: str, *more: str) -> RunFolder:
        """A run of that precision with `more` settings, prepared; model and images are made for the first."""
        side = self.side or SIZES[self.size].side
        model, images = self.folder / "model", self.folder / "images"
        if not model.exists():
            make_model(model, self.size)
            make_images(images, IMAGES, side)
        common = (
            f"model.base={model}", "method.rank=8", "method.alpha=8", f"dataset.resolution={side}",
            f"dataset.bucket_min={side}", f"dataset.bucket_max={side}", "training.batch_size=1",
            "training.threads=1", f"training.precision={precision}", *self.changes, *more,
        )  # fmt: skip
        # One step more than is taken: the last would also save.
        return prepare(self.folder / " ".join((precision, *more)), self.steps + 1, images, common)
