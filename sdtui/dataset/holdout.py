"""Which images are held out for the validation loss: by the seed and their names, so that no run ever trains them.

An image that is added or removed moves no other across but the one at the border, and the order in which files are found
says nothing. The same file is on one side only, under whatever folders and names it or a copy is found.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.image import open_regular

END_BYTES = 64 << 10
"""How much of a file is compared with that of another."""


class Candidate(NamedTuple):
    """An image as a folder has it: its path below the folder, and what it shares with itself in another folder."""

    name: str
    file: Hashable


def hold_out(
    folders: Iterable[Sequence[Candidate]],
    share: float,
    seed: int,
    *,
    held: Iterable[Hashable] = (),
    kept: Iterable[Hashable] = (),
) -> frozenset[Hashable]:
    """The files that are never trained: round(share · n) of each folder's n, at least one of two, never all.

    Args:
        folders: the images of each folder that is to be divided.
        share: of each folder's images, 0…1; 0 divides none.
        seed: other images with another one.
        held: files that are held out in any case.
        kept: files that are trained in any case, unless they are `held`.
    """
    out = set(held)
    inside = set(kept) - out
    for folder in folders:
        files = {candidate.file: candidate.name for candidate in folder}
        free = sorted(files.keys() - out - inside, key=lambda file: _rank(files[file], seed))
        missing = max(0, _count(len(files), share) - len(files.keys() & out))
        out.update(free[:missing])
        inside.update(free[missing:])
    return frozenset(out)


def files_of(paths: Iterable[Path]) -> dict[Path, Hashable]:
    """What each file shares with itself under another name: a link and a copy are the same file.

    Only files of one size are read, and of them the end, in which no two compressed images are alike.
    """
    sizes = {path: _size(path) for path in paths}
    alike = Counter(sizes.values())
    return {path: _end(path, size) if alike[size] > 1 else path for path, size in sizes.items()}


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1  # it has gone since


def _end(path: Path, size: int) -> Hashable:
    try:
        with open_regular(path) as stream:
            stream.seek(max(0, size - END_BYTES))
            return size, hashlib.sha256(stream.read()).digest()
    except OSError:
        return path


def _count(images: int, share: float) -> int:
    if not share or images < 2:
        return 0
    return min(images - 1, max(1, round(share * images)))


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).digest()
