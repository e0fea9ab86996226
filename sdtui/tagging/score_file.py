"""One file of scores: a ScoreTable in safetensors, checked when it is opened, its arrays left on the disk until asked for."""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError
from sdtui.files import write_atomic
from sdtui.tagging.score_table import DIGEST_BYTES, ScoreTable, id_type
from sdtui.tagging.tag_list import TagList

SCHEMA = "1"
_KINDS: Mapping[str, Any] = {"U8": np.uint8, "U16": np.uint16, "U32": np.uint32, "I64": np.int64, "F16": np.float16}
# The bits of 1 as a half float.
_ONE = 0x3C00
_ARRAYS = ("digests", "pointers", "ids", "scores")
# A header of this size could name a million arrays.
_HEADER_BYTES = 1 << 20
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def write(path: Path, table: ScoreTable, replaces: int | None) -> None:
    """Write a file of scores in one step; `replaces`: the number of the first file that it stands for.

    Raises:
        SdtuiError: the disk does not take it.
    """
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(getattr(table, name)) for name in _ARRAYS}
    facts = {"schema": SCHEMA, "checksum": _checksum(arrays), "tags": tag_digest(table.tags)}
    if replaces is not None:
        facts["replaces"] = str(replaces)
    write_atomic(path, save(arrays, metadata=facts))


def read(path: Path, tags: TagList) -> ScoreTable:
    """The table in a file, mapped into memory.

    Raises:
        FileNotFoundError: it is gone.
        SdtuiError: it is damaged, of other tags, or from a newer sdtui.
    """
    try:
        facts, arrays = _mapped(path)
        table = ScoreTable(tags, *(arrays[name] for name in _ARRAYS))
        fits = facts["tags"] == tag_digest(tags) and _fits(table) and facts["checksum"] == _checksum(arrays)
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise damaged(path, str(error) or type(error).__name__) from error
    if not fits:
        raise damaged(path, "its contents are not what was written")
    return table


def replaced_from(path: Path) -> int | None:
    """The number of the first file that this one stands for, None where it stands for none; raises as `read`."""
    try:
        with path.open("rb") as stream:
            facts = _header(stream.read(8), stream.read)["__metadata__"]
            if facts["schema"] != SCHEMA:
                raise SdtuiError(
                    f"the scores have schema {facts['schema']}, this sdtui knows {SCHEMA}",
                    where=printable(path),
                    remedy="Use the newer sdtui that wrote them",
                )
            return int(facts["replaces"]) if "replaces" in facts else None
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise damaged(path, str(error) or type(error).__name__) from error


def damaged(path: Path, cause: str) -> SdtuiError:
    """The message for scores that cannot be used."""
    return SdtuiError(
        f"the scores are damaged: {cause}",
        where=printable(path),
        remedy="Delete the file; `sdtui tag` scores its images again",
    )


def tag_digest(tags: TagList) -> str:
    """What tells one list of tags from another."""
    return f"{zlib.crc32(json.dumps([tags.names, tags.categories]).encode()):08x}"


def _mapped(path: Path) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """Metadata and arrays of a safetensors file: 8 bytes with the header's length, the header as JSON, the data."""
    with path.open("rb") as stream:
        header = _header(stream.read(8), stream.read)
        start = stream.tell()
        raw = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    facts = header.pop("__metadata__")
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        kind = np.dtype(_KINDS[entry["dtype"]])
        if not 0 <= begin <= end <= len(raw) - start:
            raise ValueError("it is cut short")
        values = np.frombuffer(raw, kind, (end - begin) // kind.itemsize, start + begin)
        arrays[name] = values.reshape(entry["shape"])
    return facts, arrays


def _header(length: bytes, read: Any) -> dict[str, Any]:
    size = int.from_bytes(length, "little")
    if len(length) < 8 or size > _HEADER_BYTES:
        raise ValueError("it does not begin as a safetensors file")
    header: dict[str, Any] = json.loads(read(size))
    return header


def _fits(table: ScoreTable) -> bool:
    """Whether the arrays belong together: what follows relies on it, and the folder may be from anywhere."""
    pointers = table.pointers
    return (
        table.digests.dtype == np.uint8
        and table.digests.ndim == 2
        and table.digests.shape[1] == DIGEST_BYTES
        and pointers.dtype == np.int64
        and pointers.shape == (len(table) + 1,)
        and pointers[0] == 0
        and pointers[-1] == len(table.ids) == len(table.scores)
        and bool((np.diff(pointers) >= 0).all())
        and table.ids.dtype == id_type(table.tags)
        and table.scores.dtype == np.float16
        and (not len(table.ids) or int(table.ids.max()) < len(table.tags))
        # Of numbers from 0 to 1 and no others the bits are at most those of 1.
        and (not len(table.scores) or int(table.scores.view(np.uint16).max()) <= _ONE)
    )


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    value = 0
    for name in _ARRAYS:
        # As bytes: zlib takes no half floats.
        value = zlib.crc32(arrays[name].reshape(-1).view(np.uint8).data, value)
    return f"{value:08x}"
