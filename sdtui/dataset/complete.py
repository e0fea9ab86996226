"""What may become of a tag that is being typed: the dataset's own tags, then those of the user's lists, spelt as the dataset does."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sdtui.dataset import tag_spelling
from sdtui.dataset.ranked_names import FEW, RankedNames, Reach
from sdtui.dataset.tag_spelling import key_of
from sdtui.dataset.vocabulary import Entry, Vocabulary

# Own tags beyond these are too rare to be meant; a dataset captioned in sentences has hundreds of thousands.
OWN = 20_000


class Spelling(NamedTuple):
    """How a dataset writes its tags."""

    underscores: bool = False
    escapes: bool = False

    def spell(self, name: str) -> str:
        """A tag from a list, written so."""
        plain = tag_spelling.unescape(name)
        written = tag_spelling.underscores(plain) if self.underscores else tag_spelling.spaces(plain)
        return tag_spelling.escape(written) if self.escapes else written


@dataclass(frozen=True, slots=True)
class Offer:
    """A tag that may be meant.

    Attributes:
        tag: as it is to be written.
        own: in how many of the dataset's captions it stands; 0: in none.
        entry: what the lists say of it; None: nothing.
        via: the other name by which it was found.
    """

    tag: str
    own: int
    entry: Entry | None
    via: str = ""


class OwnTags:
    """A dataset's tags as they were counted, the most frequent first."""

    def __init__(self, counted: Iterable[tuple[str, int]] = ()) -> None:
        """Takes three microseconds a tag: for a thread."""
        kept = list(islice(counted, OWN))
        self.tags = [tag for tag, _count in kept]
        self.counts = [count for _tag, count in kept]
        self.names = RankedNames.of(self.tags)
        self.spelling = spelling_of(kept)

    def number(self, tag: str) -> int | None:
        """Which of them is this tag, in whatever spelling."""
        return self.names.number(tag)


def spelling_of(counted: Iterable[tuple[str, int]]) -> Spelling:
    """How most of these tags are written, each as often as it is used; blanks where nothing says so."""
    blanks = underscores = escaped = bare = 0
    for tag, count in counted:
        blanks += count * (" " in tag)
        underscores += count * ("_" in tag and tag_spelling.unescape(tag) not in tag_spelling.KAOMOJI)
        escaped += count * ("\\(" in tag)
        bare += count * ("(" in tag and "\\(" not in tag)
    return Spelling(underscores > blanks, escaped > bare)


class Completer:
    """Offers tags; `own` and `vocabulary` may be exchanged at any time.

    Attributes:
        recent: tags that were written since `own` was counted, the newest last.
    """

    def __init__(self, own: OwnTags | None = None, vocabulary: Vocabulary | None = None) -> None:
        self.own = own or OwnTags()
        self.vocabulary = vocabulary or Vocabulary.empty()
        self.recent: dict[str, None] = {}

    def offers(
        self, typed: str, limit: int, *, without: Collection[str] = (), reach: Reach = Reach.LIKE
    ) -> list[Offer]:
        """At most `limit` tags for what was typed so far, the dataset's own first of those that are as near to it.

        Args:
            typed: the beginning of a tag, or words of it.
            limit: how many at most.
            without: tags that need not be offered, in any spelling.
            reach: how far from what was typed they may be.
        """
        gone = {key_of(tag) for tag in without}
        found: dict[str, Offer] = {}
        more = limit + len(gone)
        for step in (each for each in Reach if each <= reach):
            for offer in (*self._own(typed, more, step), *self._listed(typed, more, step)):
                key = key_of(offer.tag)
                if key not in gone:
                    found.setdefault(key, offer)
            if len(found) >= (limit if step is Reach.WORDS else min(limit, FEW)):
                break
        return list(found.values())[:limit]

    def written(self, name: str) -> str:
        """A tag from a list as the dataset writes it, or would write it."""
        number = self.own.number(name)
        return self.own.spelling.spell(name) if number is None else self.own.tags[number]

    def _own(self, typed: str, limit: int, reach: Reach) -> list[Offer]:
        own = self.own
        start = key_of(typed)
        fresh = [tag for tag in reversed(self.recent) if start and key_of(tag).startswith(start)][:limit]
        numbers = own.names.find(typed, limit, reach)
        told = [Offer(own.tags[at], own.counts[at], self.vocabulary.entry(own.tags[at])) for at in numbers]
        new = [Offer(tag, 1, self.vocabulary.entry(tag)) for tag in fresh if own.number(tag) is None]
        return [*told, *new]

    def _listed(self, typed: str, limit: int, reach: Reach) -> list[Offer]:
        return [self._of_entry(entry) for entry in self.vocabulary.find(typed, limit, reach)]

    def _of_entry(self, entry: Entry) -> Offer:
        number = self.own.number(entry.name)
        return Offer(self.written(entry.name), 0 if number is None else self.own.counts[number], entry, entry.via_alias)
