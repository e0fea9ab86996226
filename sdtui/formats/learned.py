"""What was learned beside a base model, free of any file format: for each layer some tensors and a scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor


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


@dataclass(frozen=True)
class Adapter:
    """What was learned in all layers of a base model of `family`, "sd1", "sd2" or "sdxl"."""

    family: str
    layers: Sequence[Learned]
