"""How many values a method trains, counted from the configs of the base model's parts; no weights and no PyTorch needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from sdtui.profile.factors import Site, shapes
from sdtui.profile.schema import Method, Profile
from sdtui.profile.sites import text_sites, text_tables, unet_sites
from sdtui.profile.targets import is_target, is_trained_norm, is_wanted, strength

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
# A safetensors header holds about this much for each tensor (name, type, shape, offsets) …
_HEADER_PER_TENSOR = 130
# … and this much metadata, the resolved profile among it.
METADATA = 8_000
_TEXT_ENCODERS = ("text_encoder", "text_encoder_2")


Parts = Mapping[str, Mapping[str, Any]]
"""The configs of a base model's parts ("unet", "text_encoder", …) in diffusers' and transformers' terms."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What is trained: the values of everything that learns, in how many tensors, in how many modules."""

    values: int
    modules: int
    tensors: int

    def adapter_bytes(self, precision: str) -> int:
        """Size of the finished file: tensors and alpha of each module, the header and metadata (these two about)."""
        header = (self.tensors + self.modules) * _HEADER_PER_TENSOR
        return (self.values + self.modules) * BYTES[precision] + header + METADATA

    def state_bytes(self, *, averaged: bool) -> int:
        """Size of what training goes on from: value, two AdamW moments and the average of everything trained, in fp32."""
        return (3 + averaged) * 4 * self.values


def trained(profile: Profile, parts: Parts | None = None) -> Trained | None:
    """What the profile's method trains in its base model; None when the configs cannot be read or are of another kind.

    `parts` are the base model's configs; a folder's are read when they are not given.
    """
    found = folder_parts(profile) if parts is None else parts
    sites, words = trainable(profile.method, found), word_values(profile.method, found)
    if not all(sites.values()) or words is None:
        return None
    layers = count(profile.method, [site for part in sites.values() for site in part])
    return Trained(layers.values + sum(words.values()), layers.modules, layers.tensors)


def word_values(method: Method, parts: Parts) -> dict[str, int] | None:
    """How many values each of the words has, by name; None when the configs of the text encoders cannot be read."""
    widths = [parts[name].get("hidden_size") for name in _TEXT_ENCODERS if name in parts]
    if method.words and not (widths and all(isinstance(width, int) for width in widths)):
        return None
    return {word.name: word.vectors * sum(width for width in widths if width) for word in method.words}


def trainable(method: Method, parts: Parts) -> dict[str, list[Site]]:
    """The layers of each part that the method may train something in; none of a part of another kind."""
    found = {"unet": unet_sites(dict(parts.get("unet", {})))}
    if method.text_encoder:
        for name in _TEXT_ENCODERS:
            if name == _TEXT_ENCODERS[0] or name in parts:
                config = dict(parts.get(name, {}))
                tables = text_tables(config, name) if method.kind == "full" else []
                found[name] = [*text_sites(config, name), *tables]
    return found


def is_chosen(method: Method, site: Site) -> bool:
    """Whether the method trains something in the layer, unless its rank is 0."""
    if method.kind == "textual-inversion":
        return False
    if method.kind == "full":
        return is_wanted(method, site.component, site.path)
    choose = is_trained_norm if site.norm else is_target
    return choose(method, site.component, site.path)


def count(method: Method, sites: list[Site]) -> Trained:
    """What is trained of `sites`."""
    if method.kind == "full":
        chosen = [site for site in sites if is_chosen(method, site)]
        return Trained(values_of(chosen), len(chosen), sum(1 + site.bias for site in chosen))
    found = [tensors for site in sites if (tensors := added(method, site))]
    values = sum(prod(shape) for tensors in found for shape in tensors.values())
    return Trained(values, len(found), sum(map(len, found)))


def unet_values(profile: Profile, parts: Parts | None = None) -> int | None:
    """Weights and biases of the base model's UNet; None when its config cannot be read or is of another kind."""
    found = folder_parts(profile) if parts is None else parts
    sites = unet_sites(dict(found.get("unet", {})))
    return values_of(sites) if sites else None


def values_of(sites: list[Site]) -> int:
    """Weights and biases of layers."""
    return sum(map(_values, sites))


def text_width(profile: Profile, parts: Parts | None = None) -> int | None:
    """Values of the state of one token; None when the base model's config cannot be read."""
    found = folder_parts(profile) if parts is None else parts
    width = found.get("unet", {}).get("cross_attention_dim")
    return width if isinstance(width, int) else None


def folder_parts(profile: Profile) -> Parts:
    """The configs of a base model in a diffusers folder, as far as they can be read."""
    base = Path(profile.model.base)
    return {name: config for name in ("unet", "vae", *_TEXT_ENCODERS) if (config := _config(base / name))}


def added(method: Method, site: Site) -> dict[str, tuple[int, ...]]:
    """The tensors that the method adds to a layer; none where it adds nothing."""
    if not is_chosen(method, site):
        return {}
    rank = strength(method, site.component, site.path, spatial=site.spatial).rank
    return shapes(method, site, rank) if rank else {}


def _values(site: Site) -> int:
    """Weight and bias of a layer; a normalisation has one of each for every channel."""
    weight = site.outputs if site.norm else site.outputs * site.inputs * prod(site.kernel)
    return weight + site.outputs * site.bias


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
