"""Stable Diffusion XL base: two text encoders side by side, a pooled vector of the second, and the image's sizes.

Podell et al. 2023: both encoders are read at the last layer but one without the final norm, and their states joined
(768 + 1280 values); the pooled projection and six numbers (original size, crop, target size) come in beside the timestep.
"""

from __future__ import annotations

from sdtui.models.families import EXCLAMATION, Family, Names, TextEncoder, heads_of_64

FAMILY = Family(
    name="sdxl",
    title="Stable Diffusion XL",
    pipelines=("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline"),
    encoders=(
        TextEncoder("text_encoder", "tokenizer", "conditioner.embedders.0.transformer."),
        TextEncoder(
            "text_encoder_2",
            "tokenizer_2",
            "conditioner.embedders.1.model.",
            openclip=True,
            projected=True,
            pad=EXCLAMATION,
        ),
    ),
    names={
        "epsilon": Names("sdxl_base_v1-0", "stable-diffusion-xl-v1-base"),
        "v_prediction": Names("sdxl_base_v1-0", "stable-diffusion-xl-v1-base"),
    },
    # The refiner has no first text encoder, and narrower states.
    owns=lambda unet: unet.get("addition_time_embed_dim") is not None and unet.get("in_channels") == 4,
    heads=heads_of_64,
    penultimate=True,
)
