"""The layout of kohya's sd-scripts and of LyCORIS, which every Stable Diffusion program reads: `<prefix>_<path>.<tensor>`.

What stands before the tensor's own name is `sdtui.profile.layer_names`' matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from sdtui.formats import hashes, safetensors_file
from sdtui.formats.learned import Adapter, Embedding
from sdtui.profile.layer_names import BUNDLE, key

PRECISIONS = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
# What follows a word's name in an adapter's file (A1111's `networks.py`).
BUNDLED = "string_to_param.*"
BUNDLED_XL = {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}


def tensors(adapter: Adapter, precision: str) -> dict[str, Tensor]:
    """Each layer's tensors and, where it is scaled, a 0-dim `alpha`, in `precision` fp16, bf16 or fp32."""
    dtype = PRECISIONS[precision]
    named: dict[str, Tensor] = {}
    for layer in adapter.layers:
        name = key(adapter.family, layer.component, layer.path)
        for ending, tensor in layer.tensors.items():
            named[f"{name}.{ending}"] = tensor.to(dtype) if tensor.is_floating_point() else tensor
        if layer.alpha is not None:
            named[f"{name}.alpha"] = torch.tensor(layer.alpha, dtype=dtype)
    return named


def write(path: Path, adapter: Adapter, metadata: Mapping[str, str], precision: str) -> int:
    """Write the adapter with `metadata` and the two hashes computed from it; returns the file's size in bytes.

    Raises:
        SdtuiError: the disk is full or the folder cannot be written; what was at `path` is untouched.
    """
    named = tensors(adapter, precision)
    return safetensors_file.write(path, named, {**metadata, **hashes.identity(named, metadata)})


def write_bundle(path: Path, adapter: Adapter, metadata: Mapping[str, str], precision: str) -> int:
    """The same with the adapter's words in it, as A1111 and its kin read them: `bundle_emb.<word>.string_to_param.*`.

    Of Stable Diffusion XL a word is `bundle_emb.<word>.clip_l` and `.clip_g`. Words are in fp32.

    Raises:
        SdtuiError: as `write`.
    """
    named = tensors(adapter, precision) | {
        f"{BUNDLE}{word.name}.{key}": rows.detach().cpu().contiguous()
        for word in adapter.words
        for key, rows in _bundled(word)
    }
    return safetensors_file.write(path, named, {**metadata, **hashes.identity(named, metadata)})


def _bundled(word: Embedding) -> Iterator[tuple[str, Tensor]]:
    for part, rows in word.vectors.items():
        yield (BUNDLED if len(word.vectors) == 1 else BUNDLED_XL[part]), rows
