"""Scores of several taggers as those of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sdtui.tagging.score_table import ScoreTable, id_type
from sdtui.tagging.tag_list import TagList, key

How = Literal["union", "intersection", "mean", "maximum"]
"""What a tag's score becomes where taggers differ.

`union`: that of the first tagger which gave it one; `maximum`: the highest; `mean` of all taggers that know the tag, where no
score is 0; `intersection`: the lowest of all that know it, and none where one of them gave none. Of `mean` and `intersection` nothing
can be said for images that one of the taggers has not scored: they count as not scored.
"""


def combined(tables: Sequence[ScoreTable], how: How) -> ScoreTable:
    """One table of the same rows, whose tags are those of all taggers, each once however it is written.

    Args:
        tables: of the same images in the same order (`ScoreTable.arranged`).
        how: see `How`.
    """
    if len(tables) == 1:
        return tables[0]
    if how in {"mean", "intersection"}:
        tables = _scored_by_all(tables)
    tags, places = _all_tags(tables)
    size = len(tags)
    parts = [_cells(table, place, size) for table, place in zip(tables, places, strict=True)]
    cells = np.concatenate([cells for cells, _ in parts])
    scores = np.concatenate([scores for _, scores in parts]).astype(np.float32)
    order = np.argsort(cells, kind="stable")
    cells, scores = cells[order], scores[order]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    found = cells[starts]
    known = sum(np.bincount(np.unique(place), minlength=size) for place in places)
    merged = _merged(scores, starts, np.asarray(known)[found % size], how)
    digests = np.bitwise_or.reduce([table.digests for table in tables])
    return _table(tags, digests, found, merged)


def _all_tags(tables: Sequence[ScoreTable]) -> tuple[TagList, list[NDArray[np.int64]]]:
    """The taggers' tags one after another, each once, and for each tagger where its tags are among them."""
    places: dict[str, int] = {}
    names: list[str] = []
    categories: list[str] = []
    for table in tables:
        for name, category in zip(table.tags.names, table.tags.categories, strict=True):
            if places.setdefault(key(name), len(names)) == len(names):
                names.append(name)
                categories.append(category)
    where = [np.array([places[key(name)] for name in table.tags.names], np.int64) for table in tables]
    return TagList(tuple(names), tuple(categories)), where


def _scored_by_all(tables: Sequence[ScoreTable]) -> list[ScoreTable]:
    """The tables without the rows that one of them lacks."""
    there = np.logical_and.reduce([table.digests.any(axis=1) for table in tables])
    rows = np.where(there, np.arange(len(there)), -1)
    return [table.arranged(rows) for table in tables]


def _cells(table: ScoreTable, place: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Row and tag of each score as one number, each once, and the scores; of two spellings of a tag the higher counts."""
    rows = np.repeat(np.arange(len(table)), np.diff(table.pointers))
    # Within a row the highest score stands first, and `unique` finds the first.
    cells, first = np.unique(rows * size + place[table.ids], return_index=True)
    return cells, table.scores[first]


def _merged(
    scores: NDArray[np.float32], starts: NDArray[np.int64], known: NDArray[np.int64], how: How
) -> NDArray[np.float32]:
    """One score of each run that begins at `starts`; `known`: how many taggers know its tag."""
    if not len(starts):
        return scores
    if how == "union":
        return scores[starts]
    if how == "maximum":
        return np.maximum.reduceat(scores, starts)
    if how == "mean":
        return (np.add.reduceat(scores, starts) / known).astype(np.float32)
    given = np.diff(starts, append=len(scores))
    return np.where(given == known, np.minimum.reduceat(scores, starts), np.float32(0))


def _table(
    tags: TagList, digests: NDArray[np.uint8], cells: NDArray[np.int64], scores: NDArray[np.float32]
) -> ScoreTable:
    halves = scores.astype(np.float16)
    kept = halves > 0
    rows, ids, halves = cells[kept] // len(tags), cells[kept] % len(tags), halves[kept]
    order = np.lexsort((ids, -halves, rows))
    counts = np.bincount(rows, minlength=len(digests))
    pointers = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return ScoreTable(tags, digests, pointers, ids[order].astype(id_type(tags)), halves[order])
