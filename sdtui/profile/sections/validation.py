"""Images that are never trained, and when the loss is measured on them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import FromArray


class Validation(Section):
    """Images that are never trained, and when the loss is measured on them."""

    share: Annotated[
        float,
        Field(ge=0, lt=1),
        About(
            "This share of each folder's images is held out, at least one of each folder of two or more; 0: none. Whole "
            "folders are held out with validation = true in their table.",
            unit="share of 1",
            aka=("validation_split",),
        ),
    ] = 0.0
    seed: Annotated[
        int,
        Field(ge=0, le=2**32 - 1),
        About(
            "Which images are held out, and the noise they are measured with, follow from it.", aka=("validation_seed",)
        ),
    ] = 0
    every_steps: Annotated[
        int,
        Field(ge=0, le=100_000_000),
        About("Measure every so many steps; 0: off.", unit="steps", aka=("validate_every_n_steps",)),
    ] = 0
    every_epochs: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        About("Measure every so many epochs; 0: off.", unit="epochs", aka=("validate_every_n_epochs",)),
    ] = 1
    timesteps: Annotated[
        tuple[Annotated[int, Field(ge=0, le=999)], ...],
        FromArray,
        Field(min_length=1),
        About("The loss is measured at each of these timesteps.", source="kohya sd-scripts' default"),
    ] = (200, 400, 600, 800)
    most_images: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        About("Measure so many images of each folder at most; 0: all that are held out.", unit="images"),
    ] = 0
