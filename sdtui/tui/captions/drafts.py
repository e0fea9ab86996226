"""Texts that were typed and are not saved yet, kept outside the dataset so that neither kill -9 nor a full disk loses them."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from sdtui import locks, paths
from sdtui.errors import SdtuiError
from sdtui.files import write_atomic


class Draft(NamedTuple):
    """A text, and the caption that its typing began with."""

    text: str
    base: str


class Drafts:
    """The drafts of one dataset by image; changed at once, written when told.

    One small file in the state folder, locked as long as its sdtui lives: another one on the same dataset has a file of its own,
    and leaves what is being typed here alone. The drafts of one that is no more, however it ended, are taken over.
    """

    def __init__(self, folder: Path) -> None:
        digest = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]
        self._start = paths.state_dir() / "drafts" / digest
        self._lock = threading.Lock()
        self._now: dict[str, Draft] = {}
        # The first is ours to write; the others were left by several that ended, and go once it holds theirs.
        self._files: list[_DraftFile] = []
        self._unsaved = self._closed = False
        for path in sorted(self._start.parent.glob(f"{digest}*.json")):
            if (left := _DraftFile.take(path)) is not None:
                self._files.append(left)
                self._now = {**_read(path), **self._now}

    def __len__(self) -> int:
        return len(self._now)

    def __iter__(self) -> Any:
        return iter(tuple(self._now))

    def get(self, relative: str) -> Draft | None:
        """The draft of the image with this path relative to the dataset."""
        return self._now.get(relative)

    def put(self, relative: str, draft: Draft | None) -> bool:
        """Keep a draft, or forget it; False where that changes nothing."""
        if self._now.get(relative) == draft:
            return False
        with self._lock:
            self._unsaved = True
            if draft is None:
                del self._now[relative]
            else:
                self._now[relative] = draft
        return True

    def save(self) -> bool:
        """Write what was changed; False where the state folder cannot be written."""
        with self._lock:
            if self._closed or not self._unsaved:
                return True
            try:
                self._write()
            except (OSError, SdtuiError):
                return False
            self._unsaved = False
        return True

    def close(self) -> None:
        """Write what was changed, and leave the drafts to who opens the dataset next."""
        self.save()
        with self._lock:
            self._closed = True
            for file in self._files:
                file.release()
            self._files.clear()

    def _write(self) -> None:
        if self._now:
            self._start.parent.mkdir(parents=True, exist_ok=True)
            if not self._files:
                self._files.append(self._new_file())
            write_atomic(self._files[0].path, json.dumps({name: list(draft) for name, draft in self._now.items()}))
        while len(self._files) > bool(self._now):
            self._files.pop().remove()

    def _new_file(self) -> _DraftFile:
        """The first that nobody has; one that was left meanwhile waits for the next opening."""
        for number in itertools.count():
            path = self._start.with_name(f"{self._start.name}-{number}.json" if number else f"{self._start.name}.json")
            if not path.exists() and (mine := _DraftFile.take(path)) is not None:
                return mine
        raise AssertionError("numbers do not end")


class _DraftFile(NamedTuple):
    """A file of drafts that this process holds, by the lock beside it."""

    path: Path
    handle: int | None

    @classmethod
    def take(cls, path: Path) -> _DraftFile | None:
        """Hold it; None while another process does, or where it went with one that has just ended."""
        lock = path.with_suffix(".lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return cls(path, None)  # the folder cannot be written: there is nobody who could
        try:
            # Removed between the two by one that held it: the lock of a file that is no more says nothing.
            if locks.try_take(handle) and os.path.samestat(os.fstat(handle), os.stat(lock)):
                return cls(path, handle)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                return cls(path, handle)  # a file system without locks
        os.close(handle)
        return None

    def release(self) -> None:
        """Others may take it."""
        if self.handle is not None:
            os.close(self.handle)

    def remove(self) -> None:
        """There are no drafts in it any more."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".lock").unlink(missing_ok=True)
        self.release()


def _read(path: Path) -> dict[str, Draft]:
    """The stored drafts; a missing, foreign or damaged file is the same as none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = values.items() if isinstance(values, dict) else ()
    return {name: Draft(*pair) for name, pair in found if _is_draft(pair)}


def _is_draft(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
