"""What an edit does to files: one as a `Change`, many packed as `Changes`, which is also how the journal records them."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from sdtui.dataset.names import printable
from sdtui.errors import UserError

Side = Literal["before", "after"]

# Lines that are packed together, in bytes: about 200 captions.
_PART = 1 << 18


class Change(NamedTuple):
    """One file of an operation: its bytes before and after; None where the file does not exist."""

    path: Path
    before: bytes | None
    after: bytes | None

    def side(self, side: Side) -> bytes | None:
        """The bytes on one side of the operation."""
        return self.before if side == "before" else self.after


class Changes:
    """Changes of files below one folder in the order in which they were put: 50 000 captions are 60 MB plain, 7 MB so.

    A line of JSON each (path below `root`, bytes before, bytes after), some together as gzip.
    """

    def __init__(self, root: Path, changes: Iterable[Change] = ()) -> None:
        """Raises UserError for a file that is not below `root`."""
        self.root = os.path.abspath(root)
        self._parts: list[bytes] = []
        # What is not packed yet.
        self._lines: list[bytes] = []
        self._waiting = self._count = 0
        # Lines that come before the first change.
        self._head = 0
        self._below: dict[str, str] = {}
        for change in changes:
            self.put(change)

    @classmethod
    def recorded(cls, root: Path, raw: bytes, head: int) -> Changes:
        """The changes whose lines are in `raw` after `head` others.

        Raises:
            ValueError, TypeError, AttributeError, EOFError, OSError, zlib.error: they are none, or one is of a file that is
                not below `root`, as in a dataset that somebody else packed.
        """
        changes = cls(root)
        changes._parts, changes._head = [raw], head
        start = os.path.join(changes.root, "")
        for path, _before, _after in changes:
            plain = os.fspath(path)
            if "\0" in plain or os.path.normpath(plain) != plain or not plain.startswith(start):
                raise ValueError(f"it names a file outside the dataset: {printable(plain)}")
            changes._count += 1
        return changes

    def put(self, change: Change) -> None:
        """Append one; raises UserError when its file is not below `root`."""
        line = [self._name(change.path), _text(change.before), _text(change.after)]
        self._lines.append(json.dumps(line).encode() + b"\n")
        self._count += 1
        self._waiting += len(self._lines[-1])
        if self._waiting > _PART:
            self._pack()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Change]:
        for line in self._plain():
            name, before, after = json.loads(line)
            yield Change(Path(os.path.join(self.root, name)), _bytes(before), _bytes(after))

    def write(self, stream: BinaryIO) -> None:
        """Append them to a record, as gzip."""
        if self._head:
            Changes(Path(self.root), self).write(stream)
            return
        self._pack()
        stream.writelines(self._parts)

    def _plain(self) -> Iterator[bytes]:
        """The lines as they were put."""
        head = self._head
        for part in self._parts:
            with gzip.GzipFile(fileobj=io.BytesIO(part)) as lines:
                yield from itertools.islice(lines, head, None)
            head = 0
        yield from self._lines

    def _pack(self) -> None:
        if self._lines:
            # Level 1: the disk is the slower part.
            self._parts.append(gzip.compress(b"".join(self._lines), 1, mtime=0))
            self._lines, self._waiting = [], 0

    def _name(self, path: Path) -> str:
        """The path below `root`; each folder's is worked out once."""
        folder, name = os.path.split(path)
        below = self._below.get(folder)
        if below is None:
            relative = os.path.relpath(folder, self.root)
            below = self._below[folder] = "" if relative == os.curdir else relative
        if below.split(os.sep, 1)[0] == os.pardir or name in {"", os.curdir, os.pardir}:
            raise UserError(f"not inside the dataset {printable(self.root)}", where=printable(path))
        return os.path.join(below, name)


def _text(raw: bytes | None) -> str | None:
    """Any bytes as a JSON string and back: what is not UTF-8 travels as lone surrogates."""
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")
