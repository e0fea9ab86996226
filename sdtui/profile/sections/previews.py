"""Images made while training."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.samplers import HINTS, SamplerName
from sdtui.profile.sections.shared import FromArray


class Previews(Section):
    """Images made while training, to see where it goes."""

    every: Annotated[
        int,
        Field(ge=0, le=100_000_000),
        About("Make previews every so many steps; 0: off.", unit="steps", aka=("sample_every_n_steps",)),
    ] = 0
    every_epochs: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        About("Make previews every so many epochs; 0: off.", unit="epochs", aka=("sample_every_n_epochs",)),
    ] = 0
    at_start: Annotated[
        bool, About("Make one set before the first step, to compare with.", aka=("sample_at_first",))
    ] = True
    prompts: Annotated[
        tuple[str, ...],
        FromArray,
        About(
            "One prompt a line in kohya's syntax: text --w width --h height --s steps --l guidance --d seed --n negative prompt.",
            aka=("sample_prompts",),
        ),
    ] = ()
    sampler: Annotated[SamplerName, About("How previews are drawn.", aka=("sample_sampler",), words=HINTS)] = "ddim"
