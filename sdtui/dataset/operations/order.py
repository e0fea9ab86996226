"""Edits that say in which order a caption's tags stand: sort, front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sdtui.dataset import tag_order, tags
from sdtui.dataset.caption import tag_words
from sdtui.dataset.names import printable
from sdtui.dataset.operations.base import Context, Edit, PlainEdit, Rewrite, at_least, matcher, param
from sdtui.dataset.operations.tagwise import IGNORE_CASE, WILDCARD
from sdtui.dataset.tag_csv import CATEGORIES
from sdtui.errors import UserError

# Who and where from, then what is seen, then what is said about the image. What no list knows stands with what is seen.
_ORDER = ("character", "copyright", "artist", "species", "general", "lore", "meta", "rating")
_SEEN = "general"


@dataclass(frozen=True)
class Sort(Edit):
    """The same tags in another order."""

    verb = "sort"
    summary = "put each caption's tags into another order"
    example = "sdtui caption sort ~/cats --by frequency --keep 1"

    by: Literal["alphabet", "frequency", "category", "file"] = param(
        "frequency: the dataset's commonest tag first; category: as your lists of tags say, in the order character, "
        "copyright, artist, species, general and unknown, lore, meta, rating; file: as listed in --order",
        default="alphabet",
    )
    order: Path | None = param(
        "tags in the wanted order, one a line; others follow as they stood", metavar="FILE", default=None
    )
    keep: int = param("leave the first N tags where they are", metavar="N", default=0)
    category: tuple[str, ...] = param(
        "a category that comes before the others; several in the order given", metavar="NAME", default=()
    )

    def _label(self) -> str:
        by = "category" if self.category else self.by
        return f"sort by {by if self.order is None else self.order.name}"

    def rewrite(self, context: Context) -> Rewrite:
        """As `Edit.rewrite`."""
        return partial(
            tag_order.sort, key=self._key(context), keep=at_least(self.keep, 0, "the number of tags to keep")
        )

    def _key(self, context: Context) -> Callable[[str], Any]:
        if self.order is not None:
            ranks = _ranks(self.order)
            return lambda tag: ranks.get(tag, len(ranks))
        if self.category or self.by == "category":
            return self._category_key(context)
        if self.by == "file":
            raise UserError("sorting as in a file needs the file", remedy="Name it with --order FILE")
        if self.by == "alphabet":
            return lambda tag: (tag.casefold(), tag)
        counts = context.tag_counts()
        return lambda tag: (-counts.get(tag, 0), tag)

    def _category_key(self, context: Context) -> Callable[[str], int]:
        """Where a tag's category stands; tags of one category stay in the order they have."""
        if unknown := set(self.category) - set(CATEGORIES):
            raise UserError(f"there is no category {min(unknown)!r}", remedy=f"Categories are {', '.join(CATEGORIES)}")
        category_of = context.tag_categories()
        ranks = {name: at for at, name in enumerate(dict.fromkeys((*self.category, *_ORDER)))}
        return lambda tag: ranks.get(category_of(tag), ranks[_SEEN])


@dataclass(frozen=True)
class Front(PlainEdit):
    """Tags that go to the front."""

    verb = "front"
    summary = "move tags to the front, in the order they are given"
    example = 'sdtui caption front ~/cats 1girl solo "*hair" --wildcard'

    tags: tuple[str, ...] = param("a whole tag, as it is written", metavar="TAG")
    wildcard: bool = param(WILDCARD, default=False)
    ignore_case: bool = param(IGNORE_CASE, default=False)

    def _label(self) -> str:
        return f"move to the front {', '.join(map(repr, self.tags))}"

    def _rewrite(self) -> Rewrite:
        tests = [matcher(tags.checked(tag), wildcard=self.wildcard, ignore_case=self.ignore_case) for tag in self.tags]
        return partial(tag_order.to_front, matches=tests)


def _ranks(path: Path) -> dict[str, int]:
    try:
        words = tag_words(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"cannot read the order of the tags: {error.strerror}", where=printable(path)) from error
    except UnicodeDecodeError as error:
        raise UserError("the order of the tags is not UTF-8", where=printable(path)) from error
    return {word: at for at, word in enumerate(dict.fromkeys(words))}
