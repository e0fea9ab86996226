"""What the model shall keep of what it knew: regularisation images, found or drawn, and its own answers from before training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.samplers import HINTS, SamplerName


class Prior(Section):
    """What the model shall keep of what it knew."""

    weight: Annotated[
        float,
        Field(ge=0, le=100),
        About(
            "Weight of the loss of regularisation images (folders with regularization = true).",
            source="Ruiz et al. 2022, DreamBooth",
            aka=("prior_loss_weight",),
        ),
    ] = 1.0
    target: Annotated[
        Literal["image", "frozen"],
        About(
            "What regularisation images teach: themselves (image, as in DreamBooth), or what the model predicted of them "
            "before training (frozen)."
        ),
    ] = "image"
    generate_negative: Annotated[
        str, About("What is kept out of the images that a folder's generate asks for: their negative prompt.")
    ] = ""
    generate_steps: Annotated[
        int,
        Field(ge=1, le=1000),
        About("Steps of the sampler for each of these images.", unit="steps", source="diffusers' DreamBooth example"),
    ] = 50
    generate_guidance: Annotated[
        float,
        Field(ge=0, le=100),
        About("How closely these images follow their prompt; 1 leaves the negative prompt out.", source="diffusers"),
    ] = 7.5
    generate_sampler: Annotated[SamplerName, About("How these images are drawn.", words=HINTS)] = "ddim"
    class_caption: Annotated[
        str,
        About(
            "Preserves a class without further images: each training image is also shown with this text in place of the "
            "trigger, and the model must answer as it did before training. Empty: off.",
            allowed='text such as "woman"',
            aka=("class_prompt", "diff_output_preservation_class"),
        ),
    ] = ""
    trigger: Annotated[
        str,
        About(
            "The words of a caption that class_caption stands in for; empty, or not in a caption: it stands in for the "
            "whole caption."
        ),
    ] = ""
    class_weight: Annotated[
        float,
        Field(ge=0, le=100),
        About("Weight of the loss that class_caption adds.", aka=("diff_output_preservation_multiplier",)),
    ] = 1.0

    @property
    def keeps_class(self) -> bool:
        """Whether each training image is also shown with its class caption."""
        return bool(self.class_caption and self.class_weight)
