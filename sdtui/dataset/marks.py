"""Marks, star ratings and saved queries of a dataset: one small file beside its images, shared by every sdtui.

`marks.json` in `<dataset>/.sdtui/marks/` names images by their path relative to the dataset, so marks survive whatever
becomes of the captions, and images that are away for a while find theirs again. Each change reads the file anew under a
lock and replaces it whole: two screens never lose each other's marks, and a kill leaves the old file or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdtui.dataset import sidecar
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError
from sdtui.files import write_atomic

SCHEMA = 1
# Selections that an image may be in, several at once; the first is the one that `space` sets on the screen.
NUMBERS = range(1, 10)
STARS = range(6)


@dataclass
class Marked:
    """What the file holds: the images in each selection, stars (1–5) by image, saved queries by name."""

    selections: dict[int, set[str]] = field(default_factory=dict)
    stars: dict[str, int] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)


class Marks:
    """The marks of one dataset folder. Nothing is written before the first change."""

    def __init__(self, folder: Path) -> None:
        """Read what is there.

        Raises:
            SdtuiError: the file is damaged, or from a newer sdtui.
        """
        self.folder = folder
        self.home = sidecar.home(folder, "marks")
        self.now = self._read()

    def selected(self, number: int) -> frozenset[str]:
        """Relative paths of the images in one selection; raises UserError for a number that is none."""
        return frozenset(self.now.selections.get(_checked(number), ()))

    def mark(self, images: Iterable[str], number: int, *, on: bool = True) -> int:
        """Put images into a selection, or take them out; returns for how many that changed something."""
        names = set(images)
        _checked(number)

        def change(now: Marked) -> int:
            there = now.selections.setdefault(number, set())
            touched = names - there if on else names & there
            now.selections[number] = there | names if on else there - names
            return len(touched)

        return self._changed(change)

    def rate(self, images: Iterable[str], stars: int) -> int:
        """Give images 0 to 5 stars; returns for how many that changed something. Raises UserError for other numbers."""
        if stars not in STARS:
            raise UserError(f"{stars} stars are not possible", remedy="Give 0 to 5")
        names = set(images)

        def change(now: Marked) -> int:
            touched = [name for name in names if now.stars.get(name, 0) != stars]
            for name in touched:
                now.stars[name] = stars
            now.stars = {name: count for name, count in now.stars.items() if count}
            return len(touched)

        return self._changed(change)

    def save_query(self, name: str, text: str) -> None:
        """Keep a query under a name, in place of one that has it."""
        if not name.strip():
            raise UserError("a saved query needs a name")

        def change(now: Marked) -> int:
            now.queries[name] = text
            return 1

        self._changed(change)

    def forget_query(self, name: str) -> bool:
        """Delete a saved query; False when there is none of this name."""
        return bool(self._changed(lambda now: int(now.queries.pop(name, None) is not None)))

    def rename_query(self, name: str, new: str) -> None:
        """Give a saved query another name; raises UserError when there is none of the old, or one of the new."""
        if not new.strip():
            raise UserError("a saved query needs a name")

        def change(now: Marked) -> int:
            if name not in now.queries:
                raise UserError(f"no query is saved as {name!r}")
            if new in now.queries:
                raise UserError(f"another query is saved as {new!r}", remedy="Forget that one first")
            now.queries[new] = now.queries.pop(name)
            return 1

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
        self.now = self._read()

    def _changed(self, change: Callable[[Marked], int]) -> int:
        busy = SdtuiError(
            "another sdtui is changing the marks of this folder",
            where=printable(self.folder),
            remedy="Try again; nothing was changed",
        )
        with sidecar.locked(self.home, "the marks", busy):
            self.now = self._read()
            count = change(self.now)
            if count:
                write_atomic(self._file, json.dumps(_to_json(self.now)))
        return count

    @property
    def _file(self) -> Path:
        return self.home / "marks.json"

    def _read(self) -> Marked:
        try:
            raw = json.loads(self._file.read_bytes())
            if raw["schema"] == SCHEMA:
                return _from_json(raw)
        except FileNotFoundError:
            return Marked()
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise SdtuiError(
                f"cannot read the marks: {error}",
                where=printable(self._file),
                remedy="Move the file away to start without marks",
            ) from error
        raise SdtuiError(
            f"the marks have schema {raw['schema']}, this sdtui knows {SCHEMA}",
            where=printable(self._file),
            remedy="Use the newer sdtui that wrote them",
        )


def _checked(number: int) -> int:
    if number not in NUMBERS:
        raise UserError(f"there is no selection {number}", remedy="Selections are numbered 1 to 9")
    return number


def _to_json(now: Marked) -> dict[str, Any]:
    """Sorted, so that a file under version control changes only where the marks did."""
    return {
        "schema": SCHEMA,
        "selections": {str(number): sorted(names) for number, names in sorted(now.selections.items()) if names},
        "stars": dict(sorted(now.stars.items())),
        "queries": dict(sorted(now.queries.items())),
    }


def _from_json(raw: dict[str, Any]) -> Marked:
    selections = {int(number): {str(name) for name in names} for number, names in raw["selections"].items()}
    if unknown := selections.keys() - set(NUMBERS):
        raise ValueError(f"there is no selection {min(unknown)}")
    stars = {str(name): int(count) for name, count in raw["stars"].items()}
    if not all(count in STARS for count in stars.values()):
        raise ValueError("more than 5 stars")
    return Marked(selections, stars, {str(name): str(text) for name, text in raw["queries"].items()})
