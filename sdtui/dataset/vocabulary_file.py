"""Which lists of tags the user has, and what came of reading them, kept in the cache folder for the next time.

One file: a line of JSON that says where each array lies, then the arrays. It is mapped, not read, so that opening takes
milliseconds and programs share the memory. Lists that are others by path, size or time make another file.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdtui import paths
from sdtui.config import read_config
from sdtui.dataset.ranked_names import RankedNames
from sdtui.dataset.tag_csv import CATEGORIES, read_list
from sdtui.dataset.vocabulary import Arrays, Vocabulary, compiled
from sdtui.errors import SdtuiError, UserError
from sdtui.files import open_atomic

SCHEMA = 1
_ALIGNED = 8
_ENDINGS = (".csv", ".csv.gz", ".txt")
_NAMES = ("starts", "order", "letters", "pairs")


def folder() -> Path:
    """Where lists are found without being named in the settings."""
    return paths.data_dir() / "tags"


def sources() -> list[Path]:
    """The user's lists: those that `[captions] tags` of the settings names, then what lies in `folder()`.

    Raises:
        UserError: the settings cannot be read, or name something that is no path.
    """
    settings = paths.config_file()
    captions = read_config(settings).get("captions", {})
    named = captions.get("tags", []) if isinstance(captions, dict) else None
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not all(isinstance(path, str) for path in named):
        raise UserError("captions.tags is a path or a list of paths", where=str(settings))
    if unknown := sorted(set(captions) - {"tags"}):
        raise UserError(f"unknown key captions.{unknown[0]}", where=str(settings), remedy="Known: tags")
    chosen = [settings.parent / Path(path).expanduser() for path in named]
    try:
        found = sorted(path for path in folder().iterdir() if path.name.lower().endswith(_ENDINGS))
    except OSError:
        found = []
    return list(dict.fromkeys((*chosen, *found)))


def load(lists: Sequence[Path] | None = None) -> Vocabulary:
    """The vocabulary of these lists, by default of the user's; from the cache where it is there, else a second for a long list.

    Raises:
        UserError: a list cannot be read, or is none.
    """
    lists = sources() if lists is None else lists
    if not lists:
        return Vocabulary.empty()
    path = _kept_at(lists)
    if (kept := _open(path)) is not None:
        return kept
    vocabulary = compiled(read_list(one) for one in lists)
    try:
        _keep(path, vocabulary)
    except (OSError, SdtuiError):
        # A cache that the disk does not take costs a second the next time, and nothing else.
        return vocabulary
    return _open(path) or vocabulary


def _kept_at(lists: Sequence[Path]) -> Path:
    """The file for lists as they are now."""
    stamps: list[Any] = [SCHEMA, CATEGORIES]
    for path in lists:
        try:
            now = path.stat()
        except OSError as error:
            raise UserError(f"cannot read the list of tags: {error.strerror}", where=str(path)) from error
        stamps.append([os.fsdecode(os.path.realpath(path)), now.st_size, now.st_mtime_ns])
    key = hashlib.sha256(json.dumps(stamps).encode()).hexdigest()[:16]
    return paths.cache_dir() / "vocabulary" / f"{key}.tags"


def _keep(path: Path, vocabulary: Vocabulary) -> None:
    names = vocabulary.names
    arrays: dict[str, Any] = {"block": np.frombuffer(names.block, np.uint8)}
    arrays |= {name: getattr(names, name) for name in _NAMES}
    arrays |= {name: getattr(vocabulary.arrays, name) for name in Arrays.__dataclass_fields__}
    table, at = {}, 0
    for name, array in arrays.items():
        table[name] = [array.dtype.str, len(array), at]
        at += -(-array.nbytes // _ALIGNED) * _ALIGNED
    head = json.dumps({"schema": SCHEMA, "bytes": at, "arrays": table}).encode()
    head += b" " * (-(len(head) + 1) % _ALIGNED) + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    for older in path.parent.glob("*.tags"):
        # Whoever has it open goes on reading it.
        older.unlink(missing_ok=True)
    # Without a sync: a file that a power failure cut short is too short, and made again.
    with open_atomic(path, sync=False) as stream:
        stream.write(head)
        for array in arrays.values():
            stream.write(array.tobytes() + b"\0" * (-array.nbytes % _ALIGNED))


def _open(path: Path) -> Vocabulary | None:
    """What the file holds; None where there is none that can be used."""
    try:
        with path.open("rb") as stream:
            head = stream.readline(10_000)
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        stated = json.loads(head)
        if stated["schema"] != SCHEMA or len(head) + stated["bytes"] != len(mapped):
            return None
        arrays = {
            name: np.frombuffer(mapped, dtype, count, len(head) + at)
            for name, (dtype, count, at) in stated["arrays"].items()
        }
        block = arrays["block"].tobytes()
        names = RankedNames(block, *(arrays[name] for name in _NAMES))
        return Vocabulary(names, Arrays(**{name: arrays[name] for name in Arrays.__dataclass_fields__}))
    except (OSError, ValueError, LookupError, TypeError):
        return None
