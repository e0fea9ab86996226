"""Which tags of captions came from a tagger: those that an edit by scores or descriptions put in, and no edit since took out.

The journal of edits says so. What another program wrote, and what stood there before the first edit, is nobody's but the user's.
"""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Callable, Collection
from pathlib import Path

from sdtui.dataset.caption import plain_text, tag_words
from sdtui.dataset.edit import Journal
from sdtui.dataset.journal import Operation
from sdtui.tagging.applying import by_tagger, plain


class Origins:
    """The tags of one dataset's captions that came from a tagger.

    Args:
        folder: the dataset.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The newest edit that was taken in: its number and time, by which another one of that number is told.
        self._newest = (0, 0.0)
        # By caption, as numbers: 100 000 captions take 30 MB.
        self._tags: dict[str, array[int]] = {}
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._lock = threading.Lock()

    def read_slowly(self, stopped: Callable[[], bool]) -> bool:
        """Take in the edits since the last time; whether there were any. Raises SdtuiError for a damaged journal."""
        with self._lock:
            return self._read(stopped)

    def _read(self, stopped: Callable[[], bool]) -> bool:
        journal, before = Journal.look(self._folder), self._newest
        edits = _in_force(journal, before[0] or 1)
        if before[0] and (not edits or edits[0][::2] != before):
            # Edits were taken back, and perhaps others made instead.
            self._newest = (0, 0.0)
            self._tags.clear()
            edits = _in_force(journal, 1)
        for number, label, time in edits:
            if stopped():
                break
            if number > self._newest[0]:
                if self._tags or by_tagger(label):
                    self._take(journal.operation(number))
                self._newest = number, time
        return self._newest != before

    def of(self, caption: Path) -> Collection[str]:
        """The tags of a caption that came from a tagger, as `applying.plain` makes them."""
        return {self._names[number] for number in self._tags.get(os.path.abspath(caption), ())}

    def _take(self, operation: Operation) -> None:
        from_tagger = by_tagger(operation.label)
        for path, before, after in operation.changes:
            known = self._tags.get(name := os.fspath(path))
            if known is None and not from_tagger:
                continue
            now = self._keys(after)
            stay = now & set(known or ())
            found = stay | (now - self._keys(before)) if from_tagger else stay
            if found:
                self._tags[name] = array("I", found)
            else:
                self._tags.pop(name, None)

    def _keys(self, raw: bytes | None) -> set[int]:
        """The tags of a caption's bytes, as numbers; none where they are no text, as those that an edit replaced may be."""
        try:
            words = tag_words(plain_text(raw)) if raw else []
        except UnicodeDecodeError:
            words = []
        return {self._number(plain(word)) for word in words}

    def _number(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
        return number


def _in_force(journal: Journal, first: int) -> list[tuple[int, str, float]]:
    """Number, label and time of the edits in force from a number on."""
    newest = journal.history(1)
    rows = journal.history(newest[0].number - first + 1) if newest else []
    return [(row.number, row.label, row.time) for row in reversed(rows) if row.applied]
