"""Tensors on disk under the digest of what they were made from: shared between runs, verified when read.

An entry is one safetensors file, written atomically, with the SHA-256 of its tensors in the header. A file that is
damaged or cut short counts as absent and is made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from sdtui.errors import SdtuiError
from sdtui.files import write_atomic

MEMORY_BYTES = 64 << 20
"""What a store keeps in memory at most: latents of 500 images at 512 px. Beyond it entries are read when used, each in
a fifth of a millisecond while the system has their files in memory, so that a run's own memory does not grow with its images."""

_ENTRY_BYTES = 12 << 10
"""What an entry takes in memory beside its numbers, as measured."""


def key_of(*parts: object) -> str:
    """The key of an entry made from `parts`, in hex."""
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()


class TensorStore:
    """A folder of entries, each a few named tensors; what the disk refuses is kept in memory.

    Args:
        folder: where entries live; made when the first is written.
        memory_bytes: how much is kept in memory.
    """

    def __init__(self, folder: Path, memory_bytes: int = MEMORY_BYTES) -> None:
        self._folder = folder
        self._room = memory_bytes
        self._memory: dict[str, dict[str, Tensor]] = {}
        self.failure: SdtuiError | None = None
        """Why entries could not be written, if they could not: they will be made again by the next run."""

    def has(self, key: str) -> bool:
        """Whether there is something under `key`; whether it is undamaged shows when it is read."""
        return key in self._memory or self._path(key).exists()

    def find(self, key: str) -> dict[str, Tensor] | None:
        """The tensors under `key` on the CPU, or None if there are none or they are damaged."""
        if key in self._memory:
            return self._memory[key]
        tensors = _read(self._path(key))
        if tensors is not None:
            self._keep(key, tensors)
        return tensors

    def get(self, key: str) -> dict[str, Tensor]:
        """The tensors under `key`, which was found or put before.

        Raises:
            SdtuiError: the entry has vanished or was damaged since.
        """
        tensors = self.find(key)
        if tensors is None:
            raise SdtuiError(
                "a cached tensor was deleted or damaged while the run was using it",
                where=str(self._path(key)),
                remedy="Resume the run: what is missing is made again",
            )
        return tensors

    def put(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        """Keep `tensors` under `key`; when they cannot be written they stay in memory and `failure` says why."""
        held = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not synced: after a crash a torn file fails its digest and is made again.
            write_atomic(path, safetensors.torch.save(held, {"sha256": _digest(held)}), sync=False)
        except (OSError, SdtuiError) as error:
            self.failure = error if isinstance(error, SdtuiError) else SdtuiError(str(error), where=str(path))
            self._memory[key] = held
        else:
            self._keep(key, held)

    def _keep(self, key: str, tensors: dict[str, Tensor]) -> None:
        size = _ENTRY_BYTES + sum(tensor.nbytes for tensor in tensors.values())
        if size <= self._room:
            self._room -= size
            self._memory[key] = tensors

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.safetensors"


def _read(path: Path) -> dict[str, Tensor] | None:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            expected = (file.metadata() or {}).get("sha256")
    except (OSError, SafetensorError):
        return None
    return tensors if expected == _digest(tensors) else None


def _digest(tensors: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode() + tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
