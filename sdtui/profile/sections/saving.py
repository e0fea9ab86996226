"""Checkpoints, and the finished file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import PRECISION_WORDS, FromArray, Precision

Format = Literal["kohya", "diffusers", "single-file", "folder"]
WordFormat = Literal["kohya", "webui", "webui-png", "webui-webp", "diffusers", "bundle"]


class Saving(Section):
    """Checkpoints to go on from, and the finished file."""

    every_steps: Annotated[
        int,
        Field(ge=0, le=100_000_000),
        About("Checkpoint every so many steps; 0: off.", unit="steps", aka=("save_every_n_steps",)),
    ] = 0
    every_epochs: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        About("Checkpoint every so many epochs; 0: off.", unit="epochs", aka=("save_every_n_epochs",)),
    ] = 0
    every_minutes: Annotated[
        float, Field(ge=0, le=100_000), About("Checkpoint every so many minutes; 0: off.", unit="minutes")
    ] = 0.0
    keep_last: Annotated[
        int,
        Field(ge=1, le=10_000),
        About("Older checkpoints beyond this many are removed.", unit="checkpoints", aka=("save_last_n_steps",)),
    ] = 2
    name: Annotated[
        str,
        Field(pattern=r"^[^/\\\x00]*$"),
        About(
            "Name of the finished file without ending; empty: the profile's name.",
            allowed="text without / and \\",
            aka=("output_name",),
        ),
    ] = ""
    formats: Annotated[
        tuple[Format, ...],
        FromArray,
        About(
            "Layouts of what is written at the end, one each; empty: kohya for adapters, single-file for whole models. kohya is "
            "read by every program, for LyCORIS' algorithms too; diffusers holds LoRA and DoRA only, and is the only one in "
            "which diffusers reads DoRA. A whole model is a single-file as web UIs have it, or a folder for diffusers.",
            aka=("save_model_as",),
        ),
    ] = ()
    word_formats: Annotated[
        tuple[WordFormat, ...],
        FromArray,
        About(
            "Layouts of the words of [[method.words]], a file each, named as the word; empty: kohya. kohya (SDXL: clip_l and clip_g) is "
            "a .safetensors that all programs read; webui A1111's .pt; webui-png and webui-webp a picture that is an embedding; "
            "diffusers its learned_embeds; bundle puts them into the adapter's own file.",
        ),
    ] = ()
    precision: Annotated[
        Precision, About("Number format of the finished file.", aka=("save_precision",), words=PRECISION_WORDS)
    ] = "fp16"
    trigger: Annotated[str, About("Word that calls what was learned; written into the file's metadata.")] = ""
    min_free_mib: Annotated[
        int, Field(ge=0, le=100_000_000), About("The run pauses when less disk space than this is free.", unit="MiB")
    ] = 512
