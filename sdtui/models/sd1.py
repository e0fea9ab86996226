"""Stable Diffusion 1.x: a UNet conditioned on CLIP ViT-L text states, over a VAE that shrinks images eightfold."""

from __future__ import annotations

from sdtui.models.families import Family, Names, TextEncoder

FAMILY = Family(
    name="sd1",
    title="Stable Diffusion 1.x",
    pipelines=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"),
    encoders=(TextEncoder("text_encoder", "tokenizer", "cond_stage_model.transformer."),),
    names={
        "epsilon": Names("sd_v1", "stable-diffusion-v1"),
        "v_prediction": Names("sd_v1_v", "stable-diffusion-v1"),
    },
    # SD 2.x shares the pipeline's class.
    owns=lambda unet: not unet.get("use_linear_projection", False) and unet.get("in_channels", 4) == 4,
    heads=lambda _: 8,
)
