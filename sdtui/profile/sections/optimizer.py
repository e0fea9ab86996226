"""How gradients become changes, and how the rate of change moves over a run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import FromArray


class Optimizer(Section):
    """How gradients become changes."""

    name: Annotated[Literal["adamw"], About("The update rule.", aka=("optimizer_type",))] = "adamw"
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        About(
            "Size of each change, at the top of the schedule. 1e-4 is usual for LoRA.",
            source="diffusers' LoRA example",
            aka=("lr", "unet_lr"),
        ),
    ] = 1e-4
    text_encoder_learning_rate: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Learning rate of the text encoder; 0: the same as learning_rate. Half of it or less is usual.",
            aka=("text_encoder_lr",),
        ),
    ] = 0.0
    weight_decay: Annotated[
        float, Field(ge=0, le=1), About("Pull of the trained values towards zero.", source="PyTorch AdamW's default")
    ] = 0.01
    betas: Annotated[
        tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]],
        FromArray,
        About("Memory of AdamW's two running averages.", source="PyTorch AdamW's default"),
    ] = (0.9, 0.999)
    eps: Annotated[
        float, Field(gt=0, le=0.1), About("Keeps AdamW's division away from zero.", source="PyTorch AdamW's default")
    ] = 1e-8


class Schedule(Section):
    """How the learning rate changes over the run."""

    name: Annotated[
        Literal["constant", "linear", "cosine"],
        About(
            "Shape after the warm-up: constant, or falling to zero in a line or a half cosine.", aka=("lr_scheduler",)
        ),
    ] = "constant"
    warmup: Annotated[
        Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)],
        About(
            "The learning rate rises from zero over this many steps (whole number), or over this share of all steps (below 1).",
            unit="steps or share of 1",
            aka=("lr_warmup_steps", "warmup_steps"),
        ),
    ] = 0
