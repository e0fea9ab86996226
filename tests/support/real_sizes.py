"""Base models in their real sizes and without weights: for names, shapes and counts."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

_CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
_OPEN_CLIP_H = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16}
_OPEN_CLIP_G = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20}
UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"cross_attention_dim": 768},
    "sd2": {"cross_attention_dim": 1024, "use_linear_projection": True, "attention_head_dim": (5, 10, 20, 20)},
    "sdxl": {
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "attention_head_dim": (5, 10, 20),
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10),
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}


@contextmanager
def lent(family: str) -> Iterator[Any]:
    """The model of `shapes_of`, in which a method may put adapters: its own layers are in their places again afterwards."""
    model = shapes_of(family)
    before = {name: dict(component.named_modules()) for name, component in model.components.items()}
    try:
        yield model
    finally:
        for name, component in model.components.items():
            now = dict(component.named_modules())
            for path, layer in before[name].items():
                if now.get(path) is not layer:
                    component.set_submodule(path, layer)


@functools.cache
def shapes_of(family: str) -> Any:
    """A model of "sd1", "sd2" or "sdxl" on the meta device, as far as a method looks at it; one for all, to be looked at."""
    import torch
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers.models.clip.configuration_clip import CLIPTextConfig
    from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

    with torch.device("meta"):
        components: dict[str, nn.Module] = {"unet": UNet2DConditionModel(**UNETS[family])}
        sizes = {"sd1": _CLIP_L, "sd2": _OPEN_CLIP_H, "sdxl": _CLIP_L}[family]
        components["text_encoder"] = CLIPTextModel(CLIPTextConfig(**sizes))
        if family == "sdxl":
            components["text_encoder_2"] = CLIPTextModelWithProjection(CLIPTextConfig(**_OPEN_CLIP_G))
    return SimpleNamespace(family=family, components=components, unet=components["unet"])
