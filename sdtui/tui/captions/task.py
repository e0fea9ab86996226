"""An edit of many captions that is under way: how far it is, and the wish to call it off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from sdtui.dataset.edit import StoppedError
from sdtui.tui.numbers import grouped

_LOOK_EVERY = 64
# One that has ended by then was none to wait for.
SOON_SECONDS = 0.3


class Task:
    """Told of its progress in one thread and asked about it in another.

    Attributes:
        label: what is being done.
        words: how far it is.
        may_stop: whether calling it off still does anything.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.words = "waiting"
        self.may_stop = True
        self._unwanted = threading.Event()
        self._begun = time.monotonic()

    @property
    def just_begun(self) -> bool:
        """Whether it may be over in a moment, as one undo is."""
        return time.monotonic() - self._begun < SOON_SECONDS

    def stop(self) -> None:
        """Call it off: what it wrote is put back."""
        self._unwanted.set()

    @property
    def stopped(self) -> bool:
        """Whether it was called off."""
        return self._unwanted.is_set()

    def reading(self, positions: Sequence[int]) -> Iterator[int]:
        """The positions one by one as their captions are read; raises StoppedError once called off."""
        for number, position in enumerate(positions):
            if number % _LOOK_EVERY == 0:
                self._look()
                self.words = f"reading {grouped(number)} of {grouped(len(positions))}"
            yield position
        self._look()

    def writing(self, share: float) -> None:
        """So much is written, 0 to 1; raises StoppedError once called off."""
        self._look()
        self.may_stop = True
        self.words = f"writing {share:.0%}"

    def written(self) -> None:
        """Everything is on the disk; what is shown follows."""
        self.may_stop = False
        self.words = "written, looking at it again"

    def _look(self) -> None:
        if self.stopped:
            raise StoppedError(f"called off: {self.label}; the captions are as they were")
