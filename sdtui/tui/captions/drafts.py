"""Texts that were typed and are not saved yet, kept outside the dataset so that neither kill -9 nor a full disk loses them."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from sdtui import paths
from sdtui.errors import SdtuiError
from sdtui.files import write_atomic


class Draft(NamedTuple):
    """A text, and the caption that its typing began with."""

    text: str
    base: str


class Drafts:
    """The drafts of one dataset by image; changed at once, written when told.

    One small file in the state folder. Another sdtui on the same dataset writes its own images' into it.
    """

    def __init__(self, folder: Path) -> None:
        digest = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]
        self._path = paths.state_dir() / "drafts" / f"{digest}.json"
        self._lock = threading.Lock()
        self._changed: dict[str, Draft | None] = {}
        self._now = _read(self._path)

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
            self._changed[relative] = draft
            if draft is None:
                del self._now[relative]
            else:
                self._now[relative] = draft
        return True

    def save(self) -> bool:
        """Write what was changed; False where the state folder cannot be written."""
        with self._lock:
            if not self._changed:
                return True
            there = {**_read(self._path), **self._changed}
            kept = {name: list(draft) for name, draft in there.items() if draft is not None}
            try:
                if kept:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    write_atomic(self._path, json.dumps(kept))
                else:
                    self._path.unlink(missing_ok=True)
            except (OSError, SdtuiError):
                return False
            self._changed.clear()
        return True


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
