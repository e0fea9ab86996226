"""The tags a tagger knows, in its own order, and what kind of thing each names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

GENERAL, RATING, CHARACTER = "general", "rating", "character"
# Danbooru's numbers, and e621's above 5; 9 is what the WD taggers' lists call a rating.
CATEGORIES = {
    0: GENERAL,
    1: "artist",
    3: "copyright",
    4: CHARACTER,
    5: "meta",
    7: "meta",
    8: "lore",
    9: RATING,
}
# DeepDanbooru's lists mark ratings by name alone.
RATING_START = "rating:"


@dataclass(frozen=True)
class TagList:
    """Names as the tagger's author wrote them (underscores, brackets bare), each with its category."""

    names: tuple[str, ...]
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.categories):
            raise ValueError(f"{len(self.names)} tags and {len(self.categories)} categories")

    @classmethod
    def plain(cls, names: Iterable[str]) -> TagList:
        """Tags without known categories: `rating:…` are ratings, all others general."""
        listed = tuple(names)
        return cls(listed, tuple(RATING if name.startswith(RATING_START) else GENERAL for name in listed))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each tag stands, by its key; of tags that differ only in how they are written the first."""
        places: dict[str, int] = {}
        for place, name in enumerate(self.names):
            places.setdefault(key(name), place)
        return places

    def place(self, name: str) -> int | None:
        """Where a tag stands, however it is written; None when the tagger does not know it."""
        return self.places.get(key(name))


def rates(name: str, category: str) -> bool:
    """Whether a tag rates the image, by its category or its name."""
    return category == RATING or name.startswith(RATING_START)


def key(name: str) -> str:
    """A tag as it is compared: blanks and underscores are the same, those around it are none of it."""
    return name.strip().replace(" ", "_")


def keys(names: Sequence[str]) -> frozenset[str]:
    """The keys of several; entries of nothing but blanks are left out."""
    return frozenset(found for name in names if (found := key(name)))
