"""What is done once in the server that trainers are forked from: libraries loaded, CLIP's vocabulary built."""

from __future__ import annotations

from importlib import import_module

from sdtui.models.loading import bundled_tokenizer
from tests.support.shared import share

for library in (
    "sdtui.training.run",
    "diffusers.models.unets.unet_2d_condition",
    "diffusers.models.autoencoders.autoencoder_kl",
    "transformers.models.clip.modeling_clip",
):
    import_module(library)
share()
bundled_tokenizer("!")
