"""What is trained in the base model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import KOHYA, FromArray

Target = Literal["attention", "feed-forward", "projection"]


class Method(Section):
    """What is trained, and how large it is."""

    kind: Annotated[
        Literal["lora"],
        About(
            "What is trained: lora adds a small pair of matrices to each chosen layer.", aka=("network_module", "type")
        ),
    ] = "lora"
    rank: Annotated[
        int,
        Field(ge=1, le=1024),
        About(
            "Size of the low-rank matrices; file size and capacity grow with it. Guides: 16–32 for one subject, 64–128 for several.",
            source="Hu et al. 2021, LoRA, §4.1",
            aka=("network_dim", "dim", "lora_rank"),
        ),
    ] = 16
    alpha: Annotated[
        float,
        Field(gt=0, le=4096),
        About(
            "Strength of the learned change: it is scaled by alpha / rank, so alpha = rank means 1.",
            source="Hu et al. 2021, LoRA, §4.1",
            aka=("network_alpha", "lora_alpha"),
        ),
    ] = 16.0
    dropout: Annotated[
        float,
        Field(ge=0, lt=1),
        About(
            "Chance that an input of the low-rank matrices is zeroed in a step.",
            unit="share of 1",
            aka=("network_dropout",),
        ),
    ] = 0.0
    targets: Annotated[
        tuple[Target, ...],
        Field(min_length=1),
        FromArray,
        About(
            "UNet layers that get matrices: attention (to_q, to_k, to_v, to_out), feed-forward, projection (proj_in, proj_out). "
            "All three together are what kohya trains.",
            source=KOHYA,
            aka=("target_modules",),
        ),
    ] = ("attention", "feed-forward", "projection")
    text_encoder: Annotated[
        bool,
        About(
            "Train the text encoder too. Helps a new word to mean the subject; costs time and memory.",
            aka=("train_text_encoder",),
        ),
    ] = False
