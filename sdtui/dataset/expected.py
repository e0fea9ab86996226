"""What files were when an edit was worked out, and whether they still are at the moment when they are replaced."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError

# The stamp of a file that is not there.
ABSENT = 0


class ChangedError(SdtuiError):
    """Another program wrote a file after it was looked at."""

    def __init__(self, path: str) -> None:
        super().__init__("changed on disk by another program in this moment", where=printable(path), remedy="Try again")


def stamp_of(status: os.stat_result) -> int:
    """What is another number once a file was written or replaced; without the inode, which FAT and FUSE make up anew."""
    return hash((status.st_size, status.st_mtime_ns)) or 1


class Expected:
    """What files looked like when their bytes were compared.

    Args:
        paths: the files.
        stamps: of each what `stamp_of` told, or `ABSENT`.
    """

    def __init__(self, paths: Callable[[], Iterable[str]], stamps: Sequence[int]) -> None:
        self.stamps = stamps
        self._paths = paths

    def check(self, path: str, stamp: int) -> None:
        """Raises ChangedError for a file that is another now, unless it is one of several names of the same."""
        try:
            now = stamp_of(os.stat(path))
        except OSError:
            now = ABSENT
        if now != stamp and self._names[os.path.realpath(path)] < 2:
            raise ChangedError(path)

    @cached_property
    def _names(self) -> Counter[str]:
        """How many of the paths lead to each file: what is written through a link is another under its own name, too."""
        return Counter(map(os.path.realpath, self._paths()))


def bytes_of(path: Path) -> bytes | None:
    """A file's bytes; None without one. Raises SdtuiError where it may not be read."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SdtuiError(f"cannot read: {error.strerror}", where=printable(path)) from error


def holds(path: Path, expected: bytes | None) -> bool:
    """Whether the file has exactly these bytes, or with None is not there."""
    return stamp_if_held(path, expected) is not None


def stamp_if_held(path: Path, expected: bytes | None) -> int | None:
    """The stamp of a file that has exactly these bytes, or with None is not there; a third of the cost of `bytes_of`."""
    if expected is None:
        return ABSENT if bytes_of(path) is None else None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(handle)
            same = status.st_size == len(expected) and os.read(handle, len(expected) + 1) == expected
            return stamp_of(status) if same else None
        finally:
            os.close(handle)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SdtuiError(f"cannot read: {error.strerror}", where=printable(path)) from error
