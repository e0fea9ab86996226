"""A random pipeline with Stable Diffusion 1.x's block layout, small enough to train in a test."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sdtui.models import clip_tokenizer

if TYPE_CHECKING:
    from torch import nn

MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.1",
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


def tiny_pipeline(folder: Path) -> Path:
    """Fill `folder` with the pipeline (about 8 MB, built once per test process) and return it."""
    shutil.copytree(_built(), folder, dirs_exist_ok=True)
    return folder


def shallow_pipeline(folder: Path) -> Path:
    """Fill `folder` with one whose UNet has two levels in place of four; return it.

    It loads, learns and is saved in a third of the time: for whole runs, which do not ask how deep a model is.
    """
    shutil.copytree(_built(), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("unet"))
    shutil.copytree(_built_shallow(), folder / "unet", dirs_exist_ok=True)
    return folder


@functools.cache
def _built() -> Path:
    # The object is kept by the cache of `_scratch`, and removes its folder when the process ends.
    folder = Path(_scratch().name) / "pipeline"
    build(folder)
    return folder


@functools.cache
def _built_shallow() -> Path:
    import torch
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    folder = Path(_scratch().name) / "shallow"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=32,
            attention_head_dim=4,
            norm_num_groups=8,
        )
        make_prompts_matter(unet, [])
    unet.save_pretrained(folder)
    return folder


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sdtui-tiny-")


def build(folder: Path) -> None:
    """Make the random weights (always the same) and save them as a diffusers folder."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from transformers.models.clip.configuration_clip import CLIPTextConfig
    from transformers.models.clip.modeling_clip import CLIPTextModel

    with torch.random.fork_rng(devices=[]):  # the tests' own seeds stay as they are
        torch.manual_seed(1)
        unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(16, 32, 32, 32),
            layers_per_block=2,
            down_block_types=(*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"),
            up_block_types=("UpBlock2D", *["CrossAttnUpBlock2D"] * 3),
            cross_attention_dim=32,
            attention_head_dim=4,
            norm_num_groups=8,
        )
        vae = AutoencoderKL(
            block_out_channels=(8, 8, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=4,
            sample_size=64,
            scaling_factor=0.18215,
        )
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408,
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=77,
                projection_dim=32,
                bos_token_id=49406,
                eos_token_id=49407,
            )
        )
        make_prompts_matter(unet, [text_encoder])
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    # Half precision here and single there, as published folders mix them; the embedding table is most of the weight.
    text_encoder.half().save_pretrained(folder / "text_encoder")
    DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    ).save_pretrained(folder / "scheduler")
    (folder / "tokenizer").mkdir()
    for name in clip_tokenizer.FILES:
        shutil.copy(clip_tokenizer.FOLDER / name, folder / "tokenizer" / name)
    (folder / "model_index.json").write_text(json.dumps(MODEL_INDEX, indent=2))


def make_prompts_matter(unet: nn.Module, text_encoders: Iterable[nn.Module]) -> None:
    """Random weights hardly look at the text: widen the embeddings and turn cross-attention up."""
    import torch

    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if name.endswith("attn2.to_out.0.weight"):
                weight.mul_(20)
        for text_encoder in text_encoders:
            for name, weight in text_encoder.named_parameters():
                if name.endswith("token_embedding.weight"):
                    weight.mul_(10)
