"""What tells one family of base models from another: parts, names and rules, as plain facts without PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

END = "<|endoftext|>"
"""CLIP-L pads texts with its end mark."""
EXCLAMATION = "!"
"""OpenCLIP pads texts with token 0, which stands for this."""


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """One text encoder of a family.

    Args:
        component: its name among the model's parts, and its folder in a pipeline.
        tokenizer: the folder of its tokenizer.
        prefix: what its weights' names start with in a single file.
        openclip: whether the file names them as OpenCLIP does.
        unread: layers at its end that the file holds and the family never reads.
        projected: whether it also sums the whole text up in one vector.
        pad: the token short texts are filled up with.
    """

    component: str
    tokenizer: str
    prefix: str
    openclip: bool = False
    unread: int = 0
    projected: bool = False
    pad: str = END


@dataclass(frozen=True, slots=True)
class Names:
    """What other programs call a model: kohya's `ss_base_model_version` and modelspec's architecture."""

    kohya: str
    modelspec: str


@dataclass(frozen=True, slots=True)
class Family:
    """A family of base models.

    Args:
        name: its name in code and messages to scripts.
        title: its name to people.
        pipelines: classes in a folder's model_index.json.
        encoders: its text encoders, in the order in which their states stand side by side.
        names: by what the model predicts, "epsilon" or "v_prediction".
        owns: whether a pipeline with this UNet config is of the family.
        heads: `attention_head_dim` of a UNet with these widths, which no weight's shape tells.
        penultimate: whether texts are read at the last layer but one, before the final norm.
        ambiguous: whether its single files predict one thing or the other and seldom say which.
    """

    name: str
    title: str
    pipelines: Sequence[str]
    encoders: Sequence[TextEncoder]
    names: Mapping[str, Names]
    owns: Callable[[Mapping[str, Any]], bool]
    heads: Callable[[Sequence[int]], int | list[int]]
    penultimate: bool = False
    ambiguous: bool = False


def heads_of_64(widths: Sequence[int]) -> list[int]:
    """As many heads as there are 64s in a block's width: SD 2.x and SDXL."""
    return [width // 64 for width in widths]
