"""What was learned, free of any file format: beside a base model for each layer some tensors and a scale, a whole model, or a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

Content: TypeAlias = Mapping[str, Tensor] | bytes
"""What a file of a folder holds: tensors by name, or bytes as they are."""

_WITH_RANK_FIRST = ("lora_down.weight", "hada_w1_b", "lokr_w2_b", "lokr_w1_b")


@dataclass(frozen=True)
class Learned:
    """What was learned in one layer.

    Attributes:
        component: the part of the pipeline the layer is in: "unet", "text_encoder" or "text_encoder_2".
        path: the layer's dotted path there, as diffusers and transformers name it.
        tensors: by LyCORIS' names, which are kohya's for LoRA: "lora_down.weight" (r, in[, k, k]) and "lora_up.weight"
            (out, r[, 1, 1]); "hada_w1_a", "lokr_w2", "diff", "w_norm", "dora_scale" and so on.
        alpha: the scale's numerator, the denominator being the rank; None where nothing is scaled.
    """

    component: str
    path: str
    tensors: Mapping[str, Tensor]
    alpha: float | None = None

    @property
    def rank(self) -> int | None:
        """What alpha is divided by; None of what has no rank, such as a LoKr of two whole factors."""
        return next((len(self.tensors[name]) for name in _WITH_RANK_FIRST if name in self.tensors), None)

    @property
    def scale(self) -> float:
        """What readers multiply the change with; all take it as 1 where there is no rank."""
        return 1.0 if self.rank is None or self.alpha is None else self.alpha / self.rank


@dataclass(frozen=True)
class Adapter:
    """What was learned in all layers of a base model of `family`, "sd1", "sd2" or "sdxl"."""

    family: str
    layers: Sequence[Learned]
    words: Sequence[Embedding] = ()
    """Words that go with it into a bundle."""


@dataclass(frozen=True)
class Whole:
    """A whole model, told part by part when it is asked: most of it may be out of memory, and a copy may not fit.

    Attributes:
        single_file: its tensors in a type, by the names that a single file has for them.
        folder: the files of a diffusers folder, tensors in a type, by their paths in it.
    """

    single_file: Callable[[torch.dtype], Mapping[str, Tensor]]
    folder: Callable[[torch.dtype], Iterator[tuple[str, Content]]]


@dataclass(frozen=True)
class Embedding:
    """Vectors of one word.

    Args:
        name: what is written in a prompt.
        vectors: (n, D) by text encoder: "text_encoder", and with two "text_encoder_2"; the same n in both.
        step: how many steps it learned for.
        model: the base model's name; "" when it is not known.
        model_hash: its short hash as web UIs write it; "" when it is not known.
        cover: a picture of what it means, for the files that are pictures.
    """

    name: str
    vectors: Mapping[str, Tensor]
    step: int = 0
    model: str = ""
    model_hash: str = ""
    cover: Path | None = None

    @property
    def count(self) -> int:
        """How many places it takes in a prompt."""
        return len(next(iter(self.vectors.values())))


Result: TypeAlias = Adapter | Whole | Embedding
"""What a method has made, each kind with formats of its own."""
