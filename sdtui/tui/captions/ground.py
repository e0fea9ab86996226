"""What schemes of colours may ask of an open dataset, put together from its index, the user's lists and the tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sdtui.dataset.typos import RARE, likely_meant
from sdtui.tui.captions.schemes import Entry, Ground

if TYPE_CHECKING:
    from sdtui.dataset.complete import Completer
    from sdtui.dataset.index import Index

# Of tags that were not looked at before, so many are looked up for one caption: half a millisecond each at most.
LOOKED_UP = 12
Borders = Callable[[str, Sequence[int]], list[int]]


class Asked:
    """The ground of one dataset.

    Attributes:
        borders: where parts that are read begin; no part does until the tokenizer is loaded.
        triggers: words of the profiles that use the dataset, once these were read.
    """

    def __init__(self, index: Index, completer: Completer) -> None:
        """`index` of its captions, which may be loading still; `completer` knows its tags and the user's lists."""
        self._index, self._completer = index, completer
        self._meant: dict[str, str] = {}
        self._meant_of: object = None
        self._left = LOOKED_UP
        self.borders: Borders = lambda _text, _limits: []
        self.triggers: Sequence[str] = ()

    def ground(self, *, looked_up: int = LOOKED_UP) -> Ground:
        """What may be asked now; cheap, as it is made for every caption that is drawn."""
        completer = self._completer
        spelling = completer.own.spelling
        self._left = looked_up
        return Ground(
            images=len(self._index.library),
            captions_with=self._captions_with,
            likely_meant=self._likely_meant,
            entry=self._entry,
            has_lists=len(completer.vocabulary) > 0,
            implied_by=completer.vocabulary.implied_by,
            underscores=spelling.underscores,
            escapes=spelling.escapes,
            borders=self.borders,
            triggers=self.triggers,
        )

    def _captions_with(self, tag: str) -> int | None:
        index = self._index
        number = index.captions_with(tag) if index.ready else None
        # An edit is shown before its file is written: the caption in hand has the tag in any case.
        return None if number is None else max(1, number)

    def _likely_meant(self, tag: str) -> str:
        completer = self._completer
        if self._meant_of is not completer.own:
            self._meant_of, self._meant = completer.own, {}
        if tag not in self._meant:
            if not self._left:
                return ""
            self._left -= 1
            number = self._captions_with(tag) or RARE + 1
            known = completer.vocabulary.entry
            self._meant[tag] = likely_meant(tag, number, completer.own, lambda tag: known(tag) is not None)
        return self._meant[tag]

    def _entry(self, tag: str) -> Entry:
        completer = self._completer
        category = completer.vocabulary.category_of(tag)
        entry = completer.vocabulary.entry(tag)
        if entry is None:
            return Entry(category)
        other = completer.written(entry.name) if entry.via_alias else ""
        return Entry(category, entry.count, other, entry.deprecated)
