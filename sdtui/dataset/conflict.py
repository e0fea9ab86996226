"""Files that another program changed since an edit was worked out: what became of each, and whose version it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from sdtui.dataset.caption import CaptionError, CaptionFile
from sdtui.dataset.changes import Change, Side
from sdtui.dataset.merge import merge
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError

Choice = Literal["mine", "theirs", "merge"]
"""mine: what the edit writes; theirs: what is there; merge: both together, where nobody needs to look at it."""

_SHOWN = 3


class Conflict(NamedTuple):
    """One file: what the edit was to find, what it would write, what is there; None where there is no file."""

    path: Path
    base: bytes | None
    mine: bytes | None
    theirs: bytes | None


Choose = Callable[[Conflict], Choice | None]
"""Whose version a file gets; None: nobody said, and nothing is written."""


class ConflictError(SdtuiError):
    """Files changed on disk since the edit was made, and nothing was written.

    Attributes:
        conflicts: all that nobody decided on, or that cannot be merged.
        paths: where these files are.
    """

    def __init__(self, conflicts: Sequence[Conflict], what: str) -> None:
        self.conflicts = tuple(conflicts)
        self.paths = tuple(conflict.path for conflict in conflicts)
        names = ", ".join(printable(path) for path in self.paths[:_SHOWN])
        more = f" and {len(conflicts) - _SHOWN} more" if len(conflicts) > _SHOWN else ""
        super().__init__(
            f"{what}: changed on disk by another program since: {names}{more}",
            remedy="Nothing was overwritten. Look at the files, then make the edit again, or choose whose version each gets",
        )


def settle(conflicts: Iterable[Conflict], side: Side, choose: Choose, what: str) -> list[Change]:
    """For each file the change from what is there to what was chosen.

    Args:
        conflicts: all of them.
        side: the side of the changes that is to be written; the other one is what is there.
        choose: whose version each gets. Files that keep what is there have no change.
        what: the edit, for the message.

    Raises:
        ConflictError: nobody decided on some, or they cannot be merged.
    """
    changes, open_ones = [], []
    for conflict in conflicts:
        try:
            wanted = _settled(conflict, choose(conflict))
        except _OpenError:
            open_ones.append(conflict)
            continue
        if wanted != conflict.theirs:
            sides = (conflict.theirs, wanted) if side == "after" else (wanted, conflict.theirs)
            changes.append(Change(conflict.path, *sides))
    if open_ones:
        raise ConflictError(open_ones, what)
    return changes


class _OpenError(Exception):
    """Nothing says what the file is to hold."""


def _settled(conflict: Conflict, choice: Choice | None) -> bytes | None:
    if choice is None:
        raise _OpenError
    if choice == "merge":
        return _merged(conflict)
    return conflict.mine if choice == "mine" else conflict.theirs


def _merged(conflict: Conflict) -> bytes | None:
    """Both changes in the bytes that are there; raises _OpenError where a person has to look."""
    try:
        base, mine, theirs = (CaptionFile.parse(conflict.path, raw or b"") for raw in conflict[1:])
    except CaptionError as error:
        raise _OpenError from error
    merged = merge(base.text, mine.text, theirs.text)
    if not merged.clean:
        raise _OpenError
    if not merged.text and conflict.mine is None:
        return None
    there = CaptionFile(conflict.path) if conflict.theirs is None else theirs
    return there.replaced(merged.text).to_bytes()
