"""Reading a finished adapter of kohya, LyCORIS, diffusers or PEFT for the layers of a model.

kohya's names have lost the difference between "." and "_", so a file can only be read beside the list of layers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import safetensors
from torch import Tensor

from sdtui.errors import UserError
from sdtui.formats.kohya import TEXT_ROOT, key
from sdtui.formats.learned import Adapter, Learned
from sdtui.formats.peft import SETTINGS

# Endings of diffusers and PEFT, the older ones too, and what they are called here.
_ENDINGS = {
    "lora_A.weight": "lora_down.weight",
    "lora_B.weight": "lora_up.weight",
    "lora.down.weight": "lora_down.weight",
    "lora.up.weight": "lora_up.weight",
    "lora_linear_layer.down.weight": "lora_down.weight",
    "lora_linear_layer.up.weight": "lora_up.weight",
    "lora_magnitude_vector.weight": "dora_scale",
    "lora_magnitude_vector": "dora_scale",
}
# A PEFT folder's file names no component.
_PEFT_ROOT = "base_model.model."


def read(path: Path, family: str, layers: Iterable[tuple[str, str]]) -> Adapter:
    """The adapter in the file at `path`, for those of `layers`, (component, path) each, that it has something for.

    A layer without an alpha has the rank for it, as all readers agree.

    Raises:
        UserError: it cannot be read, or holds a tensor for none of the layers.
    """
    tensors, header = _load(path)
    places = {stem: layer for layer in layers for stem in _stems(family, *layer)}
    found: dict[tuple[str, str], dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        stem, ending = _split(name)
        if stem not in places:
            raise UserError(f"{name} is for a layer that is not trained here", where=str(path))
        found.setdefault(places[stem], {})[_ENDINGS.get(ending, ending)] = tensor
    settings = json.loads(header.get(SETTINGS, "{}"))
    return Adapter(family, [_learned(*layer, held, settings) for layer, held in found.items()])


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safetensors.safe_open(path, "pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata() or {}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(
            f"the adapter cannot be read: {error}",
            where=str(path),
            remedy="It must be a .safetensors file of kohya, LyCORIS or diffusers",
        ) from error


def _stems(family: str, component: str, path: str) -> Iterator[str]:
    """All names that files have for a layer: kohya's with any way of telling encoders apart, diffusers', PEFT's."""
    paths = [path]
    yield key(family, component, path)
    if component == "unet":
        prefixes = ["lora_unet"]
        yield f"{_PEFT_ROOT}{path}"
    else:
        # Files of trainers under transformers 5.6 may lack the level that its CLIPTextModel lacks.
        bare = path.removeprefix(TEXT_ROOT)
        paths = [bare, TEXT_ROOT + bare]
        prefixes = ["lora_te2"] if component == "text_encoder_2" else ["lora_te", "lora_te1"]
    for name in paths:
        yield f"{component}.{name}"
        yield from (f"{prefix}_{name.replace('.', '_')}" for prefix in prefixes)


def _split(name: str) -> tuple[str, str]:
    """A tensor's name as its layer's and its own."""
    for ending in (*_ENDINGS, "alpha"):
        if name.endswith(f".{ending}"):
            return name[: -len(ending) - 1], ending
    stem, _, ending = name.partition(".")
    return stem, ending


def _learned(component: str, path: str, tensors: dict[str, Tensor], settings: dict[str, Any]) -> Learned:
    alpha = tensors.pop("alpha", None)
    if "dora_scale" in tensors:
        tensors["dora_scale"] = _lengths(tensors["dora_scale"], tensors)
    if alpha is not None:
        return Learned(component, path, tensors, float(alpha))
    return Learned(component, path, tensors, _told_alpha(component, path, tensors, settings))


def _told_alpha(component: str, path: str, tensors: dict[str, Tensor], settings: dict[str, Any]) -> float | None:
    """The alpha that PEFT's settings in the header say, or else the rank; None of what has no rank."""
    down = tensors.get("lora_down.weight")
    if down is None:
        return None
    common = settings.get(f"{component}.lora_alpha", len(down))
    own = settings.get(f"{component}.alpha_pattern", {})
    bare = path.removeprefix(TEXT_ROOT)
    return float(own.get(bare, own.get(TEXT_ROOT + bare, common)))


def _lengths(scale: Tensor, tensors: dict[str, Tensor]) -> Tensor:
    """PEFT's shapes of DoRA's lengths, (out,) and (1, out, 1, 1), as LyCORIS': (out, 1) and (out, 1, 1, 1)."""
    up = tensors.get("lora_up.weight")
    if up is None or scale.numel() != len(up):
        return scale
    return scale.reshape(-1, *[1] * (up.dim() - 1))
