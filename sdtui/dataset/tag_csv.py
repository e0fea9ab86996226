"""Lists of tags as other programs keep them: what a file says, row by row, whichever of the usual layouts it has.

The tagcomplete extension's `name,type,count,"alias,alias"` has no heading; the WD taggers' `selected_tags.csv` and the sites'
own exports have one, which says what each column is. Types are the sites' numbers, of which some mean another thing at
danbooru than at e621: which site's they are is seen from the numbers a list uses.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sdtui.dataset.names import printable
from sdtui.errors import UserError

CATEGORIES = (
    "general", "artist", "copyright", "character", "species", "meta", "lore", "rating", "invalid", "unknown",
)  # fmt: skip
_DANBOORU = {0: "general", 1: "artist", 2: "artist", 3: "copyright", 4: "character", 5: "meta", 9: "rating"}
_E621 = {**_DANBOORU, 5: "species", 6: "invalid", 7: "meta", 8: "lore"}
# The list that tagcomplete made of both sites' has e621's numbers after danbooru's.
_BOTH = {**_DANBOORU, **{number + 7: name for number, name in _E621.items() if number < 9}}
_COLUMNS = {
    "name": ("name", "tag", "tag_name"),
    "type": ("type", "category", "tag_type"),
    "count": ("count", "post_count", "postcount", "posts"),
    "aliases": ("aliases", "alias"),
    "deprecated": ("deprecated", "is_deprecated"),
    "from": ("antecedent_name", "antecedent"),
    "to": ("consequent_name", "consequent"),
    "status": ("status",),
}
# Without a heading.
_USUAL = {"name": 0, "type": 1, "count": 2, "aliases": 3}
_YES = frozenset(["1", "t", "true", "yes"])
_IN_USE = frozenset(["", "active", "approved"])


@dataclass(frozen=True, slots=True)
class Row:
    """One tag of a list."""

    name: str
    category: str
    count: int
    aliases: tuple[str, ...]
    deprecated: bool


@dataclass
class TagList:
    """What one file says: tags, or which tag stands for another one, or which says another one as well."""

    rows: list[Row] = field(default_factory=list)
    aliases: list[tuple[str, str]] = field(default_factory=list)
    implications: list[tuple[str, str]] = field(default_factory=list)


def read_list(path: Path) -> TagList:
    """What the file says, `.gz` or not; bytes that are no UTF-8 become question marks.

    Raises:
        UserError: it cannot be read, or is no such list.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig", "replace")
    except (OSError, EOFError) as error:
        raise UserError(f"cannot read the list of tags: {error}", where=printable(path)) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [[cell.strip() for cell in row] for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UserError(f"not a list of tags: {error}", where=f"{printable(path)}:{reader.line_num}") from error
    if not rows:
        return TagList()
    columns = _heading(rows[0])
    if columns is None:
        return TagList(list(_tags(rows, _USUAL)))
    if "from" not in columns:
        return TagList(list(_tags(rows[1:], columns)))
    pairs = list(_pairs(rows[1:], columns))
    # Exports of aliases and of implications have the same columns.
    return TagList(aliases=pairs) if "alias" in path.name.lower() else TagList(implications=pairs)


def _heading(row: Sequence[str]) -> Mapping[str, int] | None:
    """Which column is which, if the first row says so."""
    words = [cell.lower() for cell in row]
    columns = {
        column: next(words.index(name) for name in names if name in words)
        for column, names in _COLUMNS.items()
        if any(name in words for name in names)
    }
    # A tag may well be called `name`, or `type`: a heading names two columns.
    return columns if {"from", "to"} <= columns.keys() or ("name" in columns and len(columns) > 1) else None


def _tags(rows: Iterable[Sequence[str]], columns: Mapping[str, int]) -> Iterator[Row]:
    cells = [[_cell(row, columns, name) for name in (*_USUAL, "deprecated")] for row in rows]
    types = _types({_whole(kind) for _name, kind, *_rest in cells})
    for name, kind, count, aliases, deprecated in cells:
        if name:
            category = types.get(_whole(kind), "unknown") if kind.isdecimal() else _named(kind)
            others = tuple(word for alias in aliases.split(",") if (word := alias.strip()))
            yield Row(
                _one_line(name), category, _whole(count), tuple(map(_one_line, others)), deprecated.lower() in _YES
            )


def _pairs(rows: Iterable[Sequence[str]], columns: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for row in rows:
        one, other = _cell(row, columns, "from"), _cell(row, columns, "to")
        if one and other and _cell(row, columns, "status").lower() in _IN_USE:
            yield _one_line(one), _one_line(other)


def _cell(row: Sequence[str], columns: Mapping[str, int], name: str) -> str:
    at = columns.get(name)
    return row[at] if at is not None and at < len(row) else ""


def _types(used: set[int]) -> Mapping[int, str]:
    """What the numbers mean in a list that uses these."""
    if any(number > 9 for number in used):
        return _BOTH
    return _E621 if used & {6, 7, 8} else _DANBOORU


def _named(kind: str) -> str:
    return kind.lower() if kind.lower() in CATEGORIES else "general" if not kind else "unknown"


def _whole(count: str) -> int:
    return min(int(count[:18]), 2**31 - 1) if count.isdecimal() else 0


def _one_line(name: str) -> str:
    return " ".join(name.split())
