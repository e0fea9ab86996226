"""Which images are held out for the validation loss: by the seed and their names, so that no run ever trains them.

An image that is added or removed moves no other across but the one at the border, and the order in which files are found
says nothing. The same file is on one side only, under whatever folders it is found.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple


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


def file_of(path: Path) -> Hashable:
    """What a file shares with itself under another name: a link to it is the same file. One that has gone is its path."""
    try:
        status = os.stat(path)
    except OSError:
        return path
    return status.st_dev, status.st_ino


def _count(images: int, share: float) -> int:
    if not share or images < 2:
        return 0
    return min(images - 1, max(1, round(share * images)))


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).digest()
