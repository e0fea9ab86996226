"""The layout of diffusers and PEFT: `<component>.<path>.lora_A.weight` and `lora_B`, with PEFT's settings in the header.

The alphas stand in the header only; a reader without it takes each for the rank. LoRA, LoCon and DoRA have a place here
and nothing else: diffusers refuses other tensors.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from sdtui.errors import UserError
from sdtui.formats import hashes, safetensors_file
from sdtui.formats.kohya import PRECISIONS
from sdtui.formats.learned import Adapter, Learned
from sdtui.profile.layer_names import TEXT_ROOT

SETTINGS = "lora_adapter_metadata"
_NAMES = {
    "lora_down.weight": "lora_A.weight",
    "lora_up.weight": "lora_B.weight",
    "dora_scale": "lora_magnitude_vector.weight",
}


def tensors(adapter: Adapter, precision: str) -> dict[str, Tensor]:
    """Each layer's `lora_A.weight` and `lora_B.weight`, for DoRA `lora_magnitude_vector.weight`.

    Raises:
        UserError: a layer holds what the format has no place for.
    """
    dtype = PRECISIONS[precision]
    named: dict[str, Tensor] = {}
    for layer in adapter.layers:
        for ending, tensor in layer.tensors.items():
            # PEFT's lengths are those of outputs.
            by_input = ending == "dora_scale" and len(tensor) == 1
            if ending not in _NAMES or by_input:
                raise UserError(
                    f"diffusers has no place for {ending}{' by input' if by_input else ''} of {layer.component}.{layer.path}",
                    where="saving.formats",
                    remedy='Leave "diffusers" out of saving.formats',
                )
            stored = _magnitude(tensor) if ending == "dora_scale" else tensor
            named[f"{layer.component}.{_path(layer)}.{_NAMES[ending]}"] = stored.to(dtype)
    return named


def write(path: Path, adapter: Adapter, metadata: Mapping[str, str], precision: str) -> int:
    """Write the adapter with `metadata`, its hashes and PEFT's settings; returns the file's size in bytes.

    Raises:
        UserError: as `tensors`.
        SdtuiError: the disk is full or the folder cannot be written; what was at `path` is untouched.
    """
    named = tensors(adapter, precision)
    told = {**metadata, "format": "pt", SETTINGS: json.dumps(settings(adapter), sort_keys=True)}
    return safetensors_file.write(path, named, {**told, **hashes.identity(named, metadata)})


def settings(adapter: Adapter) -> dict[str, Any]:
    """PEFT's LoraConfig of each component, as diffusers spells it: "unet.r", "unet.rank_pattern" and so on."""
    told: dict[str, Any] = {}
    for component in dict.fromkeys(layer.component for layer in adapter.layers):
        layers = [layer for layer in adapter.layers if layer.component == component]
        told |= {f"{component}.{name}": value for name, value in _config(layers).items()}
    return told


def _config(layers: Sequence[Learned]) -> dict[str, Any]:
    # PEFT takes the end of a path for the whole: without the level that transformers 5.6 dropped these fit any version.
    paths = [layer.path.removeprefix(TEXT_ROOT) for layer in layers]
    ranks = {path: layer.tensors["lora_down.weight"].shape[0] for path, layer in zip(paths, layers, strict=True)}
    alphas = {path: layer.alpha for path, layer in zip(paths, layers, strict=True)}
    rank, alpha = (Counter(values.values()).most_common(1)[0][0] for values in (ranks, alphas))
    return {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": alpha,
        "rank_pattern": {path: value for path, value in ranks.items() if value != rank},
        "alpha_pattern": {path: value for path, value in alphas.items() if value != alpha},
        "target_modules": sorted(ranks),
        "use_dora": "dora_scale" in layers[0].tensors,
        "lora_bias": False,
        "bias": "none",
    }


def _path(layer: Learned) -> str:
    """The path that published text encoders have, whatever the installed transformers shows."""
    if layer.component == "unet" or layer.path.startswith(TEXT_ROOT):
        return layer.path
    return TEXT_ROOT + layer.path


def _magnitude(scale: Tensor) -> Tensor:
    """PEFT's shape of DoRA's lengths: (out,) for a Linear, (1, out, 1, 1) for a convolution."""
    return scale.flatten() if scale.dim() == 2 else scale.transpose(0, 1)
