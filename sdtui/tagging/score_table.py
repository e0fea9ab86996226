"""The scores of many images in four arrays: which image, where its tags begin, which tags, and how sure the tagger is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdtui.tagging.tag_list import TagList
from sdtui.tagging.threshold import Scored, half

DIGEST_BYTES = 16
"""Of the SHA-256 of an image's bytes: no two of a trillion images share as many."""

FLOOR = 0.01
"""Scores below this are not kept: 120 of 10 000 tags or so are above it."""

Rows = NDArray[np.int64]
Ids = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class ScoreTable:
    """Scores by row, one row an image; within a row the highest score first, of equal ones by place.

    Attributes:
        tags: what the ids mean.
        digests: (rows, 16) the first bytes of each image's SHA-256.
        pointers: (rows + 1) where each row begins in `ids` and `scores`.
        ids: (entries) places in `tags`.
        scores: (entries) 0.01 to 1.
    """

    tags: TagList
    digests: NDArray[np.uint8]
    pointers: Rows
    ids: Ids
    scores: NDArray[np.float16]

    @classmethod
    def of(cls, tags: TagList, digests: Sequence[str], scores: NDArray[np.floating]) -> ScoreTable:
        """A table of dense scores (images, tags); what is below the floor, or no number, is left out.

        Args:
            tags: the tagger's.
            digests: SHA-256 of each image in hex.
            scores: 0–1, in the order of `tags`.
        """
        halves = scores.astype(np.float16)
        rows, places = np.nonzero(halves >= np.float16(FLOOR))
        values = halves[rows, places]
        order = np.lexsort((places, -values, rows))
        pointers = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(digests))))).astype(np.int64)
        return cls(tags, packed(digests), pointers, places[order].astype(id_type(tags)), values[order])

    @classmethod
    def of_lists(cls, tags: TagList, rows: Iterable[tuple[str, Sequence[tuple[int, float]]]]) -> ScoreTable:
        """A table of (digest in hex, its (place, score) pairs in any order), one for each image."""
        listed = list(rows)
        kept = [
            sorted(
                ((place, score) for place, score in pairs if score >= FLOOR), key=lambda pair: (-half(pair[1]), pair[0])
            )
            for _, pairs in listed
        ]
        pointers = np.concatenate(([0], np.cumsum([len(pairs) for pairs in kept], dtype=np.int64))).astype(np.int64)
        ids: Ids = np.array([place for pairs in kept for place, _ in pairs]).astype(id_type(tags))
        scores = np.array([score for pairs in kept for _, score in pairs], np.float16)
        return cls(tags, packed([digest for digest, _ in listed]), pointers, ids, scores)

    def __len__(self) -> int:
        return len(self.digests)

    @cached_property
    def rows(self) -> dict[bytes, int]:
        """The row of each image, by the first bytes of its digest."""
        raw = self.digests.tobytes()
        return {raw[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]: at for at in range(len(self))}

    def rows_of(self, digests: Iterable[str]) -> Rows:
        """The row of each image by its digest in hex; −1 where it has no scores, or its digest is empty."""
        rows = self.rows
        return np.array([rows.get(bytes.fromhex(digest)[:DIGEST_BYTES], -1) for digest in digests], np.int64)

    def scored(self, row: int) -> list[Scored]:
        """The tags of one image, the highest score first; none for row −1."""
        if row < 0:
            return []
        start, end = int(self.pointers[row]), int(self.pointers[row + 1])
        names, categories = self.tags.names, self.tags.categories
        pairs = zip(self.ids[start:end].tolist(), self.scores[start:end].tolist(), strict=True)
        return [Scored(names[place], score, categories[place], place) for place, score in pairs]

    def arranged(self, rows: Rows) -> ScoreTable:
        """The table with these rows in this order, −1 for one without scores; itself where nothing moves."""
        if len(rows) == len(self) and np.array_equal(rows, np.arange(len(self))):
            return self
        there = rows >= 0
        safe = np.where(there, rows, 0)
        if not len(self):
            counts = np.zeros(len(rows), np.int64)
            starts, digests = counts, np.zeros((len(rows), DIGEST_BYTES), np.uint8)
        else:
            counts = np.where(there, np.diff(self.pointers)[safe], 0)
            starts, digests = self.pointers[:-1][safe], np.where(there[:, None], self.digests[safe], 0).astype(np.uint8)
        pointers = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        taken = np.repeat(starts - pointers[:-1], counts) + np.arange(pointers[-1])
        return replace(self, digests=digests, pointers=pointers, ids=self.ids[taken], scores=self.scores[taken])


def joined(tables: Sequence[ScoreTable]) -> ScoreTable:
    """Tables of one tagger as one; of rows with the same digest the last one counts."""
    if len(tables) == 1:
        return latest(tables[0])
    offsets = np.cumsum([0, *(len(table.ids) for table in tables)])
    starts = [table.pointers[:-1] + offset for table, offset in zip(tables, offsets, strict=False)]
    whole = ScoreTable(
        tables[0].tags,
        np.concatenate([table.digests for table in tables]),
        np.concatenate([*starts, offsets[-1:]]).astype(np.int64),
        np.concatenate([table.ids for table in tables]),
        np.concatenate([table.scores for table in tables]),
    )
    return latest(whole)


def latest(table: ScoreTable) -> ScoreTable:
    """A table with each image once: of rows with the same digest, as copies of an image have, the last one."""
    # A dictionary keeps the last row of each digest.
    return table.arranged(np.array(sorted(table.rows.values()), np.int64))


def packed(digests: Sequence[str]) -> NDArray[np.uint8]:
    """Digests in hex as rows of bytes."""
    raw = b"".join(bytes.fromhex(digest)[:DIGEST_BYTES] for digest in digests)
    return np.frombuffer(raw, np.uint8).reshape(len(digests), DIGEST_BYTES)


def id_type(tags: TagList) -> type[np.uint16 | np.uint32]:
    """The smallest type that numbers all tags."""
    return np.uint16 if len(tags) <= 1 << 16 else np.uint32
