"""What weights a file holds: names, types, shapes and where each lies, from its header alone and without PyTorch.

A header takes milliseconds whatever the file's size, so a family is recognised, and a damaged or foreign file named,
before anything is loaded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from sdtui.errors import UserError

# Types by safetensors' names, and bytes of a value of each.
BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
# The format allows no longer header (safetensors, `MAX_HEADER_SIZE`).
_LONGEST_HEADER = 100_000_000
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"


class Weight(NamedTuple):
    """One tensor in a file: its type, its shape, the byte it starts at, and strides in values if it is not contiguous."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stride: tuple[int, ...] | None = None

    @property
    def values(self) -> int:
        """How many values lie between its first and its last, both counted."""
        if self.stride is None or not prod(self.shape):
            return prod(self.shape)
        return 1 + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))

    @property
    def bytes(self) -> int:
        """Bytes of those."""
        return self.values * BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a weights file says of itself."""

    path: Path
    weights: Mapping[str, Weight]
    facts: Mapping[str, str]  # safetensors' metadata, or the numbers beside a pickle's state dict
    elsewhere: Mapping[str, Path] = field(default_factory=dict)  # the files of weights that lie in another

    def file(self, name: str) -> Path:
        """The file in which the weight `name` lies."""
        return self.elsewhere.get(name, self.path)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the weight `name`; () when there is none."""
        weight = self.weights.get(name)
        return weight.shape if weight else ()

    def has(self, prefix: str) -> bool:
        """Whether any weight's name starts with `prefix`."""
        return any(name.startswith(prefix) for name in self.weights)


def read_contents(path: Path, *, word: bool = False) -> Contents:
    """The weights of a `.safetensors`, `.ckpt` or `.pt` file, with `word` of an embedding; what it is, is told by its first bytes.

    Raises:
        UserError: it cannot be read, is cut short, is of no known kind, or is a pickle that wants to run something.
    """
    try:
        with path.open("rb") as stream:
            first = stream.read(9)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from error
    # The length that a safetensors file begins with may look like the beginning of either.
    has_header = first[8:] == b"{" and int.from_bytes(first[:8], "little") <= _LONGEST_HEADER
    if not has_header and first.startswith((_ZIP, _PICKLE)):
        from sdtui.models.unpickle import read_pickled

        return read_pickled(path, zipped=first.startswith(_ZIP), word=word)
    return _contents(path)


def read_together(files: Sequence[Path]) -> Contents:
    """The weights of a model that is kept in several files, as those of one; raises as `read_contents` does."""
    found = [read_contents(file) for file in files]
    if len(found) == 1:
        return found[0]
    weights = {name: weight for each in found for name, weight in each.weights.items()}
    return Contents(
        files[0].parent, weights, found[0].facts, {name: each.path for each in found for name in each.weights}
    )


def check_length(file: Path) -> None:
    """Compare a safetensors file's length, and where its tensors lie, with what its header says.

    Raises:
        UserError: it is truncated, too long, inconsistent, or no safetensors file.
    """
    _contents(file)


def broken(file: Path, message: str) -> UserError:
    """What to say of a damaged file."""
    return UserError(message, where=str(file), remedy="Copy or download it again")


def _contents(file: Path) -> Contents:
    """The tensors of a safetensors file, which must lie one behind the other from the header's end to the file's."""
    header, start = _header(file)
    facts = header.pop("__metadata__", {})
    try:
        weights = {name: _weight(entry, start) for name, entry in header.items()}
        ends = {name: start + entry["data_offsets"][1] for name, entry in header.items()}
        known = {str(key): str(value) for key, value in dict(facts).items()}
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise broken(file, f"not a readable safetensors file ({error})") from error
    size, told = file.stat().st_size, max(ends.values(), default=start)
    if size != told:
        cause = "cut short" if size < told else "too long"
        raise broken(file, f"the file is {cause}: it has {size} bytes, and its header tells of {told}")
    position = start
    for name, weight in sorted(weights.items(), key=lambda item: (item[1].start, ends[item[0]])):
        if weight.start != position or (weight.dtype in BYTES and weight.bytes != ends[name] - position):
            raise broken(
                file, f"not a readable safetensors file ({name} lies over its neighbour or is of another size)"
            )
        position = ends[name]
    return Contents(file, weights, known)


def _weight(entry: Mapping[str, Any], start: int) -> Weight:
    shape, offsets = tuple(entry["shape"]), entry["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, *offsets)):
        raise ValueError("a shape or a place is no whole number")
    return Weight(str(entry["dtype"]), shape, start + offsets[0])


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """A safetensors file's header and the byte behind it."""
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            length = int.from_bytes(stream.read(8), "little")
            whole = size >= 8 and length <= _LONGEST_HEADER and 8 + length <= size
            header = dict(json.loads(stream.read(length))) if whole else None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise broken(file, f"not a readable safetensors file ({error})") from error
    if header is None:
        _check_kind(file)
        raise broken(file, "not a readable safetensors file (its header is cut short or of another kind)")
    return header, 8 + length


def _check_kind(file: Path) -> None:
    """Name what is often saved in place of a file of weights.

    Raises:
        UserError: it is one of those.
    """
    with file.open("rb") as stream:
        start = stream.read(512).lstrip().lower()
    if not start:
        raise broken(file, "the file is empty")
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise UserError(
            "a web page, not a file of weights",
            where=str(file),
            remedy="Its publisher may ask for a login or a consent: download it in the browser, or with a token",
        )
    if start.startswith(b"version https://git-lfs"):
        raise UserError(
            "a pointer of Git LFS, not the file itself", where=str(file), remedy="Run git lfs pull where it was cloned"
        )
