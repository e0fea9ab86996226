"""Which bytes a file holds, without reading them again: digests remembered by what the file system says of the file.

A file's digest is taken as known while its size, inode and both times are what they were. The time of the last change
(ctime) is among them, which no program can set: a file replaced by one of the same size and date is noticed. One file
in the cache folder holds the digests of one dataset folder; deleted or damaged, the images are read again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from sdtui.dataset.image import content_digest
from sdtui.errors import SdtuiError
from sdtui.files import write_atomic
from sdtui.paths import cache_dir

SETTLED_NS = 2_000_000_000
"""A file changed less than this before it was read may change again without any time showing it: file systems' clocks
go in steps of up to two seconds (FAT)."""

Stat = list[int]
"""Size, modification and change time in nanoseconds, inode."""


class Digests:
    """The digests of the files of one folder.

    Args:
        root: the folder; files elsewhere are remembered for it, too.
        folder: where digests are remembered; the user's cache folder if not given.
    """

    def __init__(self, root: Path, folder: Path | None = None) -> None:
        name = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:32]
        self._file = (folder or cache_dir() / "digests") / f"{name}.json"
        self._known: dict[str, tuple[Stat, str]] = _read(self._file)
        self._seen: set[str] = set()
        self._changed = False

    def of(self, path: Path) -> str:
        """SHA-256 of the file's bytes in hex, as `content_digest`.

        Raises:
            UnreadableImage: it cannot be read.
        """
        name, before = str(path.absolute()), _stat(path)
        self._seen.add(name)
        known = self._known.get(name)
        if known is not None and known[0] == before:
            return known[1]
        began = time.time_ns()
        digest = content_digest(path)
        self._changed = True
        self._known.pop(name, None)
        if before and max(before[1], before[2]) + SETTLED_NS < began and _stat(path) == before:
            self._known[name] = (before, digest)
        return digest

    def save(self) -> None:
        """Remember what was read since; of files that other runs have looked at, those that are still there."""
        if not self._changed:
            return
        others = {name: found for name, found in _read(self._file).items() if name not in self._seen}
        kept = {name: found for name, found in others.items() if os.path.lexists(name)}
        mine = {name: found for name, found in self._known.items() if name in self._seen}
        body = json.dumps(kept | mine, separators=(",", ":"))
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._file, f"{_checksum(body)}\n{body}\n", sync=False)
        except (OSError, SdtuiError):
            return  # the images are read again by the next run, which costs time and nothing else
        self._changed = False


def _stat(path: Path) -> Stat | None:
    try:
        found = os.stat(path)
    except OSError:
        return None  # whoever reads the file says what is wrong
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _read(file: Path) -> dict[str, tuple[Stat, str]]:
    try:
        checksum, _, body = file.read_text("utf-8").partition("\n")
    except (OSError, UnicodeError):
        return {}
    if checksum != _checksum(body.removesuffix("\n")):
        return {}
    return {name: (stat, digest) for name, (stat, digest) in json.loads(body).items()}


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
