"""How the text beside an image becomes what the model reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section


class Captions(Section):
    """How the text beside an image becomes what the model reads."""

    extension: Annotated[
        str,
        Field(pattern=r"^(auto|\.[A-Za-z0-9_.-]+)$"),
        About(
            "Ending of the caption files; auto takes .txt, else .caption.",
            allowed="auto, or an ending such as .txt",
            aka=("caption_extension", "caption_ext"),
        ),
    ] = "auto"
    prefix: Annotated[str, About("Text put before every caption, as it stands.", aka=("caption_prefix",))] = ""
    suffix: Annotated[str, About("Text put after every caption, as it stands.", aka=("caption_suffix",))] = ""
    dropout: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Chance that a caption is replaced by the empty one in a step, which keeps classifier-free guidance working.",
            unit="share of 1",
            source="Ho & Salimans 2022 use 0.1–0.2",
            aka=("caption_dropout_rate",),
        ),
    ] = 0.0
    on_missing: Annotated[
        Literal["stop", "empty"],
        About(
            "What to do about an image with no caption file or an empty one: stop before training, or train it with empty text."
        ),
    ] = "stop"
    clip_skip: Annotated[
        int,
        Field(ge=1, le=12),
        About(
            "Which layer of the text encoder is read, counted from the last. Anime models often want 2.", unit="layers"
        ),
    ] = 1
