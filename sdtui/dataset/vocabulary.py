"""The tags that others use, from lists that the user supplies: what kind each is, how frequent, and what it is called today.

A list of 140 000 tags takes a second to read; `vocabulary_file` keeps what came of it, so that opening takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.ranked_names import RankedNames, Reach, Starts
from sdtui.dataset.tag_csv import CATEGORIES, TagList
from sdtui.dataset.tag_spelling import key_of

RATING = "rating:"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag.

    Attributes:
        name: as the list writes it, mostly with underscores.
        category: one of `tag_csv.CATEGORIES`.
        count: how many images the list says have it.
        via_alias: the other name by which it was found; empty where it was its own.
        deprecated: whether the site calls it something else by now. Models may know it all the same.
    """

    name: str
    category: str
    count: int
    via_alias: str = ""
    deprecated: bool = False


@dataclass(frozen=True)
class Arrays:
    """A vocabulary as flat arrays, names and aliases in one order: the most used first, a tag before its aliases.

    Attributes:
        spelt, spelt_starts: the names as the list writes them, one after the other, and where each begins and the last ends.
        target: the tag that a name stands for; a tag's own number.
        counts, categories, deprecated: of each name's tag.
        implying, implied: pairs of tags of which the first says the second as well, by the first.
    """

    spelt: NDArray[np.uint8]
    spelt_starts: Starts
    target: Starts
    counts: Starts
    categories: NDArray[np.uint8]
    deprecated: NDArray[np.uint8]
    implying: Starts
    implied: Starts


class Vocabulary:
    """Tags to find by what is typed, and to ask about; empty where the user has no list."""

    def __init__(self, names: RankedNames, arrays: Arrays) -> None:
        self.names = names
        self.arrays = arrays
        self._known: dict[str, Entry | None] = {}

    @classmethod
    def empty(cls) -> Vocabulary:
        """Of no list."""
        return compiled(())

    def __len__(self) -> int:
        """How many names it has, aliases among them."""
        return len(self.names)

    @cached_property
    def has_implications(self) -> bool:
        """Whether any list said which tag says another one as well."""
        return len(self.arrays.implying) > 0

    def find(self, text: str, limit: int, reach: Reach = Reach.LIKE) -> list[Entry]:
        """At most `limit` different tags for what was typed, best first; see `RankedNames.find`."""
        found: dict[int, Entry] = {}
        # An alias may lead to a tag that was found already.
        for number in self.names.find(text, 2 * limit, reach):
            found.setdefault(int(self.arrays.target[number]), self._entry(number))
        return list(found.values())[:limit]

    def entry(self, tag: str) -> Entry | None:
        """What is known of `tag`, in whatever spelling; None: no list has it."""
        if tag not in self._known:
            number = self.names.number(tag) if tag else None
            self._known[tag] = None if number is None else self._entry(number)
        return self._known[tag]

    def category_of(self, tag: str) -> str:
        """One of `tag_csv.CATEGORIES`; `unknown` where no list has the tag."""
        if key_of(tag).startswith(RATING):
            return "rating"
        entry = self.entry(tag)
        return entry.category if entry is not None else UNKNOWN

    def canonical(self, tag: str) -> str:
        """What the site calls `tag` today, as the list writes it; `tag` itself where no list says otherwise."""
        entry = self.entry(tag)
        return entry.name if entry is not None and entry.via_alias else tag

    def implied_by(self, tag: str) -> frozenset[str]:
        """Keys (`key_of`) of the tags that `tag` says as well, directly or through others, by the lists of implications."""
        number = self.names.number(tag) if self.has_implications and tag else None
        if number is None:
            return frozenset()
        start = int(self.arrays.target[number])
        seen, waiting = {start}, [start]
        while waiting:
            low, high = np.searchsorted(self.arrays.implying, [waiting[-1], waiting.pop() + 1])
            more = set(self.arrays.implied[low:high].tolist()) - seen
            seen |= more
            waiting += more
        return frozenset(key_of(self._spelt(number)) for number in seen - {start})

    def _entry(self, number: int) -> Entry:
        arrays = self.arrays
        target = int(arrays.target[number])
        via = self._spelt(number) if target != number else ""
        category = CATEGORIES[arrays.categories[target]]
        return Entry(self._spelt(target), category, int(arrays.counts[target]), via, bool(arrays.deprecated[target]))

    def _spelt(self, number: int) -> str:
        start, end = self.arrays.spelt_starts[number : number + 2].tolist()
        return self.arrays.spelt[start:end].tobytes().decode("utf-8", "surrogatepass")


def compiled(lists: Iterable[TagList]) -> Vocabulary:
    """One vocabulary of several lists; what an earlier list says of a tag counts."""
    lists = list(lists)
    entries = {key_of(name): entry for name, entry in _tags_of(lists)}
    entries.pop("", None)
    ranked = sorted(entries, key=lambda key: -entries[key].count)
    aliases = _aliases_of(lists, entries)
    names: list[str] = []
    target: list[int] = []
    owners: list[Entry] = []
    number_of: dict[str, int] = {}
    for key in ranked:
        number_of[key] = tag = len(names)
        names += (entries[key].name, *aliases.get(key, ()))
        target += [tag] * (len(names) - tag)
        owners += [entries[key]] * (len(names) - tag)
    pairs = {
        (number_of[one], number_of[other])
        for of in lists
        for one, other in ((key_of(one), key_of(other)) for one, other in of.implications)
        if one in number_of and other in number_of and one != other
    }
    return Vocabulary(RankedNames.of(names), _arrays(names, target, owners, sorted(pairs)))


def _tags_of(lists: Iterable[TagList]) -> Iterable[tuple[str, Entry]]:
    """The tags of all lists, the first list's last, so that it has the last word; at the very first those of pairs alone."""
    ordered = list(lists)[::-1]
    for of in ordered:
        for one, other in of.implications:
            yield from ((name, Entry(name, UNKNOWN, 0)) for name in (one, other))
        yield from ((name, Entry(name, UNKNOWN, 0)) for _alias, name in of.aliases)
    for of in ordered:
        # Of a tag that stands twice in one list the first row counts.
        for row in reversed(of.rows):
            yield row.name, Entry(row.name, row.category, row.count, "", row.deprecated)


def _aliases_of(lists: Iterable[TagList], entries: dict[str, Entry]) -> Mapping[str, list[str]]:
    """Other names by the tag's key. One that is a tag itself stays one, marked as deprecated where the other is used more."""
    aliases: dict[str, list[str]] = {}
    taken: set[str] = set()
    pairs = ((alias, row.name) for of in lists for row in of.rows for alias in row.aliases)
    for alias, name in (*pairs, *(pair for of in lists for pair in of.aliases)):
        key, tag = key_of(alias), key_of(name)
        if not key or key == tag or key in taken or tag not in entries:
            continue
        if (itself := entries.get(key)) is None:
            taken.add(key)
            aliases.setdefault(tag, []).append(alias)
        elif itself.count < entries[tag].count:
            entries[key] = replace(itself, deprecated=True)
    return aliases


def _arrays(names: list[str], target: list[int], owners: list[Entry], pairs: list[tuple[int, int]]) -> Arrays:
    spelt = [name.encode("utf-8", "surrogatepass") for name in names]
    starts = np.zeros(len(names) + 1, np.uint32)
    np.cumsum([len(name) for name in spelt], out=starts[1:])
    two = np.array(pairs, np.uint32).reshape(-1, 2)
    return Arrays(
        np.frombuffer(b"".join(spelt), np.uint8),
        starts,
        np.array(target, np.uint32),
        np.array([entry.count for entry in owners], np.uint32),
        np.array([CATEGORIES.index(entry.category) for entry in owners], np.uint8),
        np.array([entry.deprecated for entry in owners], np.uint8),
        two[:, 0].copy(),
        two[:, 1].copy(),
    )
