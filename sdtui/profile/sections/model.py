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
            f"Folder of the base model in diffusers layout (it holds a model_index.json). {RELATIVE_PATH}",
            path="model",
            aka=("pretrained_model_name_or_path", "base_model", "checkpoint"),
        ),
    ]
    vae: Annotated[
        str,
        About(
            f"Folder of another VAE in diffusers layout; empty: the base model's own. {RELATIVE_PATH}", path="folder"
        ),
    ] = ""
