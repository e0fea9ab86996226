"""How images are varied while training, so that a few of them teach more."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section


class Augment(Section):
    """How images are varied while training."""

    flip: Annotated[
        bool,
        About(
            "Show each image mirrored in half of the steps; wrong for text, logos and faces that are not symmetric.",
            aka=("flip_aug", "random_flip"),
        ),
    ] = False
    crop: Annotated[
        Literal["center", "random"],
        About(
            "Which part is kept of what stands out of the bucket: always the middle, or a drawn one.",
            aka=("random_crop",),
        ),
    ] = "center"
    brightness: Annotated[
        float,
        Field(ge=0, le=1),
        About("Change the brightness by up to this share, up and down; 0: off.", unit="share of 1"),
    ] = 0.0
    contrast: Annotated[
        float,
        Field(ge=0, le=1),
        About("Change the contrast by up to this share, up and down; 0: off.", unit="share of 1"),
    ] = 0.0
    saturation: Annotated[
        float,
        Field(ge=0, le=1),
        About("Change the saturation by up to this share, up and down; 0: off.", unit="share of 1"),
    ] = 0.0
    hue: Annotated[
        float,
        Field(ge=0, le=0.5),
        About(
            "Turn the colours by up to this share of the colour circle, both ways; 0: off.",
            unit="share of 1",
            limit="0.5 both ways is the whole circle",
        ),
    ] = 0.0
    variants: Annotated[
        int,
        Field(ge=1, le=1000),
        About(
            "In how many ways each image is cropped and coloured; all are encoded before training and kept on disk, and "
            "each step draws one. As many as an image is seen in the run are as good as new ones in every step.",
            unit="variants",
        ),
    ] = 8
