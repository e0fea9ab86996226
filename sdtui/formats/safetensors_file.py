"""Writing `.safetensors`: atomically, and the same bytes for the same content.

The safetensors library writes metadata in a new random order each time, so two equal adapters would differ as files.
Tensors are laid out in the library's order (widest type first, then by name), so hashes over them agree with its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from sdtui.files import open_atomic

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> int:
    """Write the file and return its size in bytes.

    Raises:
        SdtuiError: the disk is full or the folder cannot be written; what was at `path` is untouched.
    """
    with open_atomic(path) as stream:
        return sum(stream.write(chunk) for chunk in chunks(tensors, metadata))


def chunks(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Iterator[bytes]:
    """The file's bytes: the header with its length before it, then each tensor's data."""
    yield header(tensors, metadata)
    yield from data(tensors)


def header(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Eight bytes of length, then JSON padded with spaces to a multiple of eight."""
    entries: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    start = 0
    for name in layout(tensors):
        tensor = tensors[name]
        end = start + tensor.numel() * tensor.element_size()
        entries[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def data(tensors: Mapping[str, Tensor]) -> Iterator[bytes]:
    """The tensors' bytes in the order of `layout`."""
    for name in layout(tensors):
        yield tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def layout(tensors: Mapping[str, Tensor]) -> list[str]:
    """The order of tensors in the file: wide types first, so that each starts at a multiple of its size; then names."""
    return sorted(tensors, key=lambda name: (-tensors[name].element_size(), DTYPES[tensors[name].dtype], name))
