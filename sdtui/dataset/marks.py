"""Marks, star ratings and saved queries of a dataset: small files beside its images, shared by every sdtui.

They lie in `<dataset>/.sdtui/marks/` and name images by their path relative to the dataset, so marks survive whatever becomes
of the captions, and images that are away for a while find theirs again. Each change reads under a lock what others wrote
since: two screens never lose each other's marks, and a kill leaves the marks before the change or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from sdtui.dataset import sidecar
from sdtui.dataset.marks_file import NUMBERS, STARS, Marked, MarksFile, Step
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError

__all__ = ["NUMBERS", "STARS", "Marks"]


class Marks:
    """The marks of one dataset folder. Nothing is written before the first change."""

    def __init__(self, folder: Path) -> None:
        """Read what is there.

        Raises:
            SdtuiError: the file is damaged, or from a newer sdtui.
        """
        self.folder = folder
        self.home = sidecar.home(folder, "marks")
        self._file = MarksFile(self.home)

    @property
    def now(self) -> Marked:
        """The marks as they were read or changed last."""
        return self._file.now

    def selected(self, number: int) -> frozenset[str]:
        """Relative paths of the images in one selection; raises UserError for a number that is none."""
        return self.now.selections.get(_checked(number), frozenset())

    def mark(self, images: Iterable[str], number: int, *, on: bool = True) -> int:
        """Put images into a selection, or take them out; returns for how many that changed something."""
        names = frozenset(images)
        _checked(number)

        def change(now: Marked) -> tuple[int, list[Step]]:
            there = now.selections.get(number, frozenset())
            touched = names - there if on else names & there
            return len(touched), [Step("select", (number, sorted(touched), on))]

        return self._changed(change)

    def rate(self, images: Iterable[str], stars: int) -> int:
        """Give images 0 to 5 stars; returns for how many that changed something. Raises UserError for other numbers."""
        if stars not in STARS:
            raise UserError(f"{stars} stars are not possible", remedy="Give 0 to 5")
        names = sorted(set(images))

        def change(now: Marked) -> tuple[int, list[Step]]:
            touched = [name for name in names if now.stars.get(name, 0) != stars]
            return len(touched), [Step("rate", (stars, touched))]

        return self._changed(change)

    def save_query(self, name: str, text: str) -> None:
        """Keep a query under a name, in place of one that has it."""
        if not name.strip():
            raise UserError("a saved query needs a name")
        self._changed(lambda _now: (1, [Step("query", (name, text))]))

    def forget_query(self, name: str) -> bool:
        """Delete a saved query; False when there is none of this name."""
        return bool(self._changed(lambda now: (int(name in now.queries), [Step("query", (name, None))])))

    def rename_query(self, name: str, new: str) -> None:
        """Give a saved query another name; raises UserError when there is none of the old, or one of the new."""
        if not new.strip():
            raise UserError("a saved query needs a name")

        def change(now: Marked) -> tuple[int, list[Step]]:
            if name not in now.queries:
                raise UserError(f"no query is saved as {name!r}")
            if new in now.queries:
                raise UserError(f"another query is saved as {new!r}", remedy="Forget that one first")
            return 1, [Step("query", (new, now.queries[name])), Step("query", (name, None))]

        if new != name:
            self._changed(change)

    def query(self, text: str) -> str:
        """The text of the saved query that `@NAME` names, or `text` itself; raises UserError where none has that name."""
        if not text.startswith("@"):
            return text
        name = text[1:]
        if name not in self.now.queries:
            known = ", ".join(sorted(self.now.queries)) or "none"
            raise UserError(f"no query is saved as {name!r}", remedy=f"Saved are: {known}")
        return self.now.queries[name]

    def look_again(self) -> None:
        """Read what another sdtui may have written since."""
        self._file.follow()

    def _changed(self, change: Callable[[Marked], tuple[int, list[Step]]]) -> int:
        """Write down what `change` makes of the marks as they are now, if it says that this is anything; how much it is."""
        busy = SdtuiError(
            "another sdtui is changing the marks of this folder",
            where=printable(self.folder),
            remedy="Try again; nothing was changed",
        )
        with sidecar.locked(self.home, "the marks", busy):
            self._file.follow()
            count, steps = change(self.now)
            if count:
                self._file.write(steps)
        return count


def _checked(number: int) -> int:
    if number not in NUMBERS:
        raise UserError(f"there is no selection {number}", remedy="Selections are numbered 1 to 9")
    return number
