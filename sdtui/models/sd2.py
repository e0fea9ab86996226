"""Stable Diffusion 2.x: OpenCLIP ViT-H in place of CLIP-L, read at its last layer but one; ε at 512 px, v at 768 px.

A folder holds 23 layers of the text encoder, so its last is the right one; a single file holds the 24th as well.
"""

from __future__ import annotations

from sdtui.models.families import EXCLAMATION, Family, Names, TextEncoder, heads_of_64

FAMILY = Family(
    name="sd2",
    title="Stable Diffusion 2.x",
    pipelines=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"),
    encoders=(
        TextEncoder("text_encoder", "tokenizer", "cond_stage_model.model.", openclip=True, unread=1, pad=EXCLAMATION),
    ),
    names={
        "epsilon": Names("sd_v2", "stable-diffusion-v2-512"),
        "v_prediction": Names("sd_v2_v", "stable-diffusion-v2-768-v"),
    },
    owns=lambda unet: (
        bool(unet.get("use_linear_projection")) and not unet.get("class_embed_type") and unet.get("in_channels") == 4
    ),
    heads=heads_of_64,
    ambiguous=True,
)
