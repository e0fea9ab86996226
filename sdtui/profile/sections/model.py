"""The base model that is trained on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import RELATIVE_PATH


class Model(Section):
    """The base model that is trained on."""

    base: Annotated[
        str,
        Field(min_length=1),
        About(
            "The base model: a single .safetensors, .ckpt or .pt file, a folder in diffusers layout (it holds a "
            f"model_index.json), or the name of one on the Hugging Face hub. {RELATIVE_PATH}",
            path="model",
            aka=("pretrained_model_name_or_path", "base_model", "checkpoint"),
        ),
    ]
    vae: Annotated[
        str,
        About(
            "Another VAE: a single .safetensors, .ckpt or .pt file, or a folder in diffusers layout; empty: the base "
            f"model's own. {RELATIVE_PATH}",
            path="vae",
        ),
    ] = ""
    download: Annotated[
        bool,
        About(
            "Whether a base model that is named as on the Hugging Face hub may be downloaded when it is not on this "
            "machine; several GB, kept in Hugging Face's own cache."
        ),
    ] = False
