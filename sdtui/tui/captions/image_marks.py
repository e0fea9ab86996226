"""Selections, stars and saved queries of the dataset on the screen: changed at once, written in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Any

from sdtui.dataset.library import Library
from sdtui.dataset.marks import NUMBERS, STARS, Marks
from sdtui.errors import SdtuiError

# The selection that marks on the screen are.
MARKED = 1
# Hears, in another thread, how writing went.
Done = Callable[[Exception | None], None]


class ImageMarks:
    """The marks of one dataset by the images' positions.

    Args:
        library: the images.
        submit: runs something after all that was submitted before, in a thread.

    Attributes:
        store: the marks as the file has them.
        selections: positions in each of the nine selections; the first is what `space` sets.
        stars: 1 to 5 by position.
        queries: saved queries by name.
    """

    def __init__(self, library: Library, submit: Callable[..., Future[Any]]) -> None:
        self.store = Marks(library.folder)
        self._library = library
        self._submit = submit
        self._last: Future[Any] | None = None
        now = self.store.now
        places = positions_of(library, {*now.stars, *(name for names in now.selections.values() for name in names)})
        self.selections = {number: _there(places, now.selections.get(number, ())) for number in NUMBERS}
        self.stars = {places[name]: stars for name, stars in now.stars.items() if name in places}
        self.queries = dict(now.queries)

    def numbers(self, position: int) -> list[int]:
        """The selections the image is in, but for the marked ones."""
        return [number for number in NUMBERS if number != MARKED and position in self.selections[number]]

    def put(self, positions: Iterable[int], number: int, done: Done, *, on: bool) -> None:
        """Put images into a selection, or take them out."""
        touched = set(positions)
        now = self.selections[number]
        self.selections[number] = now | touched if on else now - touched
        self._write(done, self.store.mark, self._names(touched), number, on=on)

    def clear(self, number: int, done: Done) -> None:
        """Take all images out of a selection, also those that are away."""
        self.selections[number] = set()

        def clear() -> None:
            self.store.mark(self.store.selected(number), number, on=False)

        self._write(done, clear)

    def rate(self, position: int, by: int, done: Done) -> int:
        """Give an image `by` more stars, or fewer; returns how many it has then."""
        before = self.stars.get(position, 0)
        stars = min(max(before + by, STARS[0]), STARS[-1])
        if stars != before:
            self.stars[position] = stars
            self._write(done, self.store.rate, self._names([position]), stars)
        return stars

    def save_query(self, name: str, text: str, done: Done) -> None:
        """Keep a query under a name, in place of one that has it."""
        self.queries[name] = text
        self._write(done, self.store.save_query, name, text)

    def forget_query(self, name: str, done: Done) -> None:
        """Delete a saved query."""
        self.queries.pop(name, None)
        self._write(done, self.store.forget_query, name)

    def rename_query(self, name: str, new: str, done: Done) -> None:
        """Give a saved query another name."""
        self.queries[new] = self.queries.pop(name)
        self._write(done, self.store.rename_query, name, new)

    def settle(self) -> None:
        """Wait until what was changed is written, so that a query is answered from it."""
        if self._last is not None:
            wait([self._last])

    def _names(self, positions: Iterable[int]) -> Iterator[str]:
        """Made where they are written: of all images of a large dataset they take a tenth of a second."""
        return (self._library[at].relative for at in positions)

    def _write(self, done: Done, change: Callable[..., object], *args: object, **more: object) -> None:
        self._last = self._submit(change, *args, **more)
        self._last.add_done_callback(lambda finished: done(failure(finished)))


def positions_of(library: Library, relatives: Iterable[str]) -> dict[str, int]:
    """Position by path relative to the dataset, for those images that are still there."""
    wanted = set(relatives)
    if not wanted:
        return {}
    return {relative: at for at, relative in enumerate(library.relatives()) if relative in wanted}


def failure(finished: Future[Any]) -> Exception | None:
    """Why a background job failed; None when it did not."""
    error = finished.exception()
    if error is None or isinstance(error, Exception):
        return error
    return SdtuiError(str(error))


def _there(places: dict[str, int], names: Iterable[str]) -> set[int]:
    return {places[name] for name in names if name in places}
