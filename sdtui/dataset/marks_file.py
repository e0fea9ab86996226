"""The marks of a dataset on disk: `marks.json` has them all, `changes.jsonl` what was changed since it was written.

Of a hundred thousand marked images the first takes a tenth of a second to write, one line of the second no time. So a
change is a line, until these are as long as `marks.json`; while that is small, and has none, it is written at once. Each line
says what something becomes, not how it differs: reading lines twice does no harm, and a kill at any moment loses nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError
from sdtui.files import sync_folder, write_atomic, write_failure

SCHEMA = 1
# Selections that an image may be in, several at once; the first is the one that `space` sets on the screen.
NUMBERS = range(1, 10)
STARS = range(6)
# Up to so many bytes all marks are written anew at once.
SMALL = 64 * 1024

# The stamp of a file that was never read; None is that of one that is not there.
_NEVER = (0, 0, 0)


@dataclass(frozen=True)
class Marked:
    """The images in each selection, stars (1–5) by image, saved queries by name.

    Never changed but replaced: a thread that looks at it goes on with what it has.
    """

    selections: dict[int, frozenset[str]] = field(default_factory=dict)
    stars: dict[str, int] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)

    def select(self, number: int, names: Iterable[str], on: bool) -> Marked:
        """With images put into a selection, or taken out of it."""
        there = self.selections.get(number, frozenset())
        become = there.union(names) if on else there.difference(names)
        return replace(self, selections={**self.selections, number: become})

    def rate(self, stars: int, names: Iterable[str]) -> Marked:
        """With stars given to images; 0 takes them away."""
        rated = {**self.stars, **dict.fromkeys(names, stars)}
        return replace(self, stars=rated if stars else {name: count for name, count in rated.items() if count})

    def keep_query(self, name: str, text: str | None) -> Marked:
        """With a query kept under a name; None forgets it."""
        queries = {**self.queries, name: text}
        return replace(self, queries={each: kept for each, kept in queries.items() if kept is not None})


class Step(NamedTuple):
    """One thing that becomes another: the method of `Marked` that makes it so, and what it is given."""

    what: str
    given: tuple[Any, ...]


_STEPS: dict[str, Callable[..., Marked]] = {
    "select": Marked.select,
    "rate": Marked.rate,
    "query": Marked.keep_query,
}


class MarksFile:
    """Both files, read as far as they go.

    Attributes:
        now: what they say.
    """

    def __init__(self, home: Path) -> None:
        """Read what is in the folder `home`; raises SdtuiError when it is damaged or from a newer sdtui."""
        self.now = Marked()
        self._base, self._log = home / "marks.json", home / "changes.jsonl"
        self._stamp: tuple[int, int, int] | None = _NEVER
        self._taken = 0  # bytes of whole lines of the log that `now` has
        self.follow()

    def follow(self) -> None:
        """Take in what another sdtui wrote since; raises as reading does."""
        stamp = _stamp(self._base)
        if stamp != self._stamp or _size(self._log) < self._taken:
            self.now, self._stamp, self._taken = self._read_base(), stamp, 0
        self._take_lines()
        if _stamp(self._base) != self._stamp:
            # Written anew by another process in between, with the lines that are gone now.
            self.follow()

    def write(self, steps: Iterable[Step]) -> None:
        """Do the steps and write them down; the caller holds the lock and has followed.

        Raises:
            SdtuiError: the disk does not take them; nothing was changed.
        """
        steps = list(steps)
        size = _size(self._base)
        if self._taken or size > SMALL:
            self._append(steps)
        for step in steps:
            self.now = _STEPS[step.what](self.now, *step.given)
        if size <= SMALL or self._taken > size:
            self._write_base()

    def _write_base(self) -> None:
        try:
            write_atomic(self._base, json.dumps(_to_json(self.now)))
        except SdtuiError:
            if self._taken:
                return  # the lines say it all
            self._stamp = _NEVER
            self.follow()
            raise
        self._stamp = _stamp(self._base)
        self._log.unlink(missing_ok=True)
        self._taken = 0

    def _append(self, steps: Iterable[Step]) -> None:
        """Behind the last whole line; what a kill left of another is cut off."""
        lines = b"".join(json.dumps([step.what, *step.given]).encode() + b"\n" for step in steps)
        new = not self._log.exists()
        try:
            handle = os.open(self._log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                _write_at(handle, self._taken, lines)
            finally:
                os.close(handle)
        except OSError as error:
            raise write_failure(self._log, error) from error
        if new:
            sync_folder(self._log.parent)
        self._taken += len(lines)

    def _take_lines(self) -> None:
        try:
            with self._log.open("rb") as stream:
                stream.seek(self._taken)
                lines = stream.read()
            whole = lines[: lines.rfind(b"\n") + 1]
            for line in whole.splitlines():
                what, *given = json.loads(line)
                self.now = _STEPS[what](self.now, *given)
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise _unreadable(self._log, error) from error
        self._taken += len(whole)

    def _read_base(self) -> Marked:
        try:
            raw = json.loads(self._base.read_bytes())
            if raw["schema"] == SCHEMA:
                return _from_json(raw)
        except FileNotFoundError:
            return Marked()
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise _unreadable(self._base, error) from error
        raise SdtuiError(
            f"the marks have schema {raw['schema']}, this sdtui knows {SCHEMA}",
            where=printable(self._base),
            remedy="Use the newer sdtui that wrote them",
        )


def _write_at(handle: int, place: int, data: bytes) -> None:
    """All of `data`, durably, or nothing of it."""
    os.ftruncate(handle, place)
    rest, at = memoryview(data), place
    try:
        while rest:
            written = os.pwrite(handle, rest, at)
            rest, at = rest[written:], at + written
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, place)
        raise


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _size(path: Path) -> int:
    stamp = _stamp(path)
    return stamp[2] if stamp else 0


def _unreadable(path: Path, error: Exception) -> SdtuiError:
    return SdtuiError(
        f"cannot read the marks: {error}", where=printable(path), remedy="Move the file away to start without it"
    )


def _to_json(now: Marked) -> dict[str, Any]:
    """Sorted, so that a file under version control changes only where the marks did."""
    return {
        "schema": SCHEMA,
        "selections": {str(number): sorted(names) for number, names in sorted(now.selections.items()) if names},
        "stars": dict(sorted(now.stars.items())),
        "queries": dict(sorted(now.queries.items())),
    }


def _from_json(raw: dict[str, Any]) -> Marked:
    selections = {int(number): frozenset(map(str, names)) for number, names in raw["selections"].items()}
    if unknown := selections.keys() - set(NUMBERS):
        raise ValueError(f"there is no selection {min(unknown)}")
    stars = {str(name): int(count) for name, count in raw["stars"].items()}
    if not all(count in STARS for count in stars.values()):
        raise ValueError("more than 5 stars")
    return Marked(selections, stars, {str(name): str(text) for name, text in raw["queries"].items()})
