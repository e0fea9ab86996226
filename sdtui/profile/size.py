"""How many values a method trains, counted from the base model's config.json files; no weights and no PyTorch needed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdtui.profile.schema import Method, Profile

_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
# A safetensors header holds about this much for each tensor (name, type, shape, offsets) …
_HEADER_PER_TENSOR = 130
# … and this much metadata, the resolved profile among it.
_METADATA = 8_000


@dataclass(frozen=True, slots=True)
class Trained:
    """What is trained: the values of all low-rank matrices, and how many modules have a pair of them."""

    values: int
    modules: int

    def __add__(self, other: Trained) -> Trained:
        return Trained(self.values + other.values, self.modules + other.modules)

    def __mul__(self, times: int) -> Trained:
        return Trained(self.values * times, self.modules * times)

    def adapter_bytes(self, precision: str) -> int:
        """Size of the finished file: down, up and alpha of each module, the header and metadata (these two about)."""
        return (self.values + self.modules) * _BYTES[precision] + 3 * self.modules * _HEADER_PER_TENSOR + _METADATA

    def checkpoint_bytes(self, precision: str) -> int:
        """Size of a checkpoint: the adapter, and value and two AdamW moments of everything trained, in fp32."""
        return self.adapter_bytes(precision) + 3 * 4 * self.values


def trained(profile: Profile) -> Trained | None:
    """What the profile's method trains in its base model; None when the configs cannot be read or are of another kind."""
    base = Path(profile.model.base)
    unet = _unet(_config(base / "unet"), profile.method)
    if not profile.method.text_encoder or unet is None:
        return unet
    encoder = _text_encoder(_config(base / "text_encoder"), profile.method)
    return None if encoder is None else unet + encoder


def text_width(profile: Profile) -> int | None:
    """Values of the state of one token; None when the base model's config cannot be read."""
    width = _config(Path(profile.model.base) / "unet").get("cross_attention_dim")
    return width if isinstance(width, int) else None


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _unet(config: dict[str, Any], method: Method) -> Trained | None:
    """UNet2DConditionModel of diffusers: transformers in the CrossAttn blocks and in the middle."""
    try:
        channels: list[int] = config["block_out_channels"]
        width: int = config["cross_attention_dim"]
        layers: int = config.get("layers_per_block", 2)
        depth: int = config.get("transformer_layers_per_block", 1)
        down: list[str] = config["down_block_types"]
        up: list[str] = config["up_block_types"]
        middle: str = config.get("mid_block_type", "UNetMidBlock2DCrossAttn")
    except KeyError:
        return None
    plain = {"DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D", "UNetMidBlock2DCrossAttn"}
    if (
        not isinstance(layers, int)
        or not isinstance(depth, int)
        or not isinstance(width, int)
        or not plain.issuperset([*down, *up, middle])
    ):
        return None
    total = _transformer(channels[-1], width, depth, method)
    for kind, size in zip(down, channels, strict=True):
        if kind.startswith("CrossAttn"):
            total += _transformer(size, width, depth, method) * layers
    for kind, size in zip(up, reversed(channels), strict=True):
        if kind.startswith("CrossAttn"):
            # Up blocks have one layer more: they take in the skip connection of the downsampler, too.
            total += _transformer(size, width, depth, method) * (layers + 1)
    return total


def _transformer(size: int, width: int, depth: int, method: Method) -> Trained:
    """One Transformer2DModel of `size` channels that attends to text of `width`: its pairs at the method's rank."""
    pairs: list[tuple[int, int]] = []
    if "attention" in method.targets:
        self_attention = [(size, size)] * 4
        cross_attention = [(size, size), (width, size), (width, size), (size, size)]
        pairs += (self_attention + cross_attention) * depth
    if "feed-forward" in method.targets:
        # GEGLU: the first layer makes 4 × size values and as many gates.
        pairs += [(size, 8 * size), (4 * size, size)] * depth
    if "projection" in method.targets:
        pairs += [(size, size)] * 2
    return _pairs(pairs, method.rank)


def _text_encoder(config: dict[str, Any], method: Method) -> Trained | None:
    """CLIPTextModel of transformers."""
    try:
        hidden: int = config["hidden_size"]
        inner: int = config["intermediate_size"]
        layers: int = config["num_hidden_layers"]
    except KeyError:
        return None
    pairs: list[tuple[int, int]] = []
    if "attention" in method.targets:
        pairs += [(hidden, hidden)] * 4
    if "feed-forward" in method.targets:
        pairs += [(hidden, inner), (inner, hidden)]
    return _pairs(pairs, method.rank) * layers


def _pairs(pairs: list[tuple[int, int]], rank: int) -> Trained:
    return Trained(sum((inputs + outputs) * rank for inputs, outputs in pairs), len(pairs))
