"""kohya sd-scripts' LoRA layout, which every Stable Diffusion program reads: `<prefix>_<module path>.<tensor>`.

A module path is the one diffusers or transformers shows, dots replaced by underscores. transformers 5.6 dropped the
`text_model` level from CLIPTextModel; the published names keep it, and readers other than diffusers insist on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from sdtui.formats import hashes, safetensors_file
from sdtui.formats.lowrank import LowRank

PRECISIONS = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
PREFIXES = {"unet": "lora_unet", "text_encoder": "lora_te"}
TEXT_ROOT = "text_model."


def key(component: str, path: str) -> str:
    """The name of an adapted module, without the tensor's own ending."""
    if component == "text_encoder" and not path.startswith(TEXT_ROOT):
        path = TEXT_ROOT + path
    return f"{PREFIXES[component]}_{path.replace('.', '_')}"


def tensors(learned: Sequence[LowRank], precision: str) -> dict[str, Tensor]:
    """For each module `lora_down.weight`, `lora_up.weight` and a 0-dim `alpha`, in `precision` fp16, bf16 or fp32."""
    dtype = PRECISIONS[precision]
    named: dict[str, Tensor] = {}
    for module in learned:
        name = key(module.component, module.path)
        named[f"{name}.lora_down.weight"] = module.down.to(dtype)
        named[f"{name}.lora_up.weight"] = module.up.to(dtype)
        named[f"{name}.alpha"] = torch.tensor(module.alpha, dtype=dtype)
    return named


def write(path: Path, learned: Sequence[LowRank], metadata: Mapping[str, str], precision: str) -> int:
    """Write the adapter with `metadata` and the two hashes computed from it; returns the file's size in bytes.

    Raises:
        SdtuiError: the disk is full or the folder cannot be written; what was at `path` is untouched.
    """
    named = tensors(learned, precision)
    return safetensors_file.write(path, named, {**metadata, **hashes.identity(named, metadata)})
