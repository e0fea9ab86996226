"""What Home cannot know at once of its profiles: their base models, machine and images, looked at in the background.

One profile after another, and only while somebody looks at Home.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sdtui.errors import SdtuiError
from sdtui.tui.daemon import GivenUpError
from sdtui.tui.workspace import ProfileRow, with_report

if TYPE_CHECKING:
    from sdtui.profile.problem import Finding
    from sdtui.profile.schema import Profile
    from sdtui.tui.looking import Datasets

Stamps = tuple[int, ...]


@dataclass(frozen=True)
class Looked:
    """A row with all its problems, and the folders (with the times of their change) that may make it another one."""

    row: ProfileRow
    places: tuple[Path, ...]
    stamps: Stamps


class Looker:
    """Looks at profiles in a thread of its own, which ends when there is nothing to do and never delays the app's end.

    Args:
        wanted: whether somebody still waits; a look is given up at the next image when not.
        done: called in that thread after each profile.
    """

    def __init__(self, wanted: Callable[[], bool], done: Callable[[], None]) -> None:
        self._wanted = wanted
        self._done = done
        self._lock = threading.Lock()
        self._waiting: list[ProfileRow] = []
        self._current: ProfileRow | None = None
        self._busy = False
        self._looked: dict[Path, Looked] = {}
        self._datasets: tuple[Stamps, Datasets] | None = None

    def last(self, row: ProfileRow) -> ProfileRow | None:
        """What the last look at this file, as it is now, came to."""
        found = self._looked.get(row.path)
        return found.row if found is not None and found.row.changed == row.changed else None

    def look_at(self, rows: Iterable[ProfileRow]) -> None:
        """Look at those of these rows that are sound in themselves and were not looked at as they are now."""
        due = sorted((row for row in rows if self._is_due(row)), key=lambda row: row.folders)
        with self._lock:
            self._waiting = [row for row in due if row != self._current]
            if self._busy or not self._waiting:
                return
            self._busy = True
        threading.Thread(target=self._run, name="looker", daemon=True).start()

    def _is_due(self, row: ProfileRow) -> bool:
        if not row.looked:
            return row.errors == 0
        found = self._looked[row.path]
        return _stamps(found.places) != found.stamps

    def _run(self) -> None:
        while (row := self._next()) is not None:
            try:
                looked = self._look(row)
            except GivenUpError:
                with self._lock:
                    self._waiting.insert(0, row)
                continue
            except Exception as error:  # noqa: BLE001  one profile's trouble is told at its row, and the others go on
                said = str(error) if isinstance(error, SdtuiError) else f"{type(error).__name__}: {error}"
                failed = replace(row, errors=1, first_problem=f"cannot be checked: {said}", looked=True)
                looked = Looked(failed, row.folders, _stamps(row.folders))
            self._looked[row.path] = looked
            self._current = None
            self._done()

    def _next(self) -> ProfileRow | None:
        with self._lock:
            self._current = self._waiting.pop(0) if self._waiting and self._wanted() else None
            if self._current is None:
                self._busy, self._datasets = False, None
            return self._current

    def _look(self, row: ProfileRow) -> Looked:
        from sdtui.models.preflight import JUDGES
        from sdtui.profile.check import check_file

        before = _stamps(row.folders)
        places = dict.fromkeys(row.folders)

        def dataset_judge(profile: Profile) -> Iterable[Finding]:
            from sdtui.dataset.findings import findings_of

            collection = self._datasets_at(before).of(profile, self._go_on)
            places.update(dict.fromkeys(part.path for layout in collection.layouts for part in layout.parts))
            return findings_of(profile, collection)

        report = check_file(row.path, judges=(*JUDGES, dataset_judge))
        stamps = before + _stamps(tuple(places)[len(before) :])
        return Looked(replace(with_report(row, report), looked=True), tuple(places), stamps)

    def _datasets_at(self, stamps: Stamps) -> Datasets:
        """Profiles on the same images share one look, as long as these stay as they are."""
        from sdtui.tui.looking import Datasets

        if self._datasets is None or self._datasets[0] != stamps:
            self._datasets = (stamps, Datasets())
        return self._datasets[1]

    def _go_on(self) -> None:
        if not self._wanted():
            raise GivenUpError


def _stamps(places: Iterable[Path]) -> Stamps:
    """When each was changed, in nanoseconds; 0 for what is not there."""
    found = []
    for place in places:
        try:
            found.append(os.stat(place).st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)
