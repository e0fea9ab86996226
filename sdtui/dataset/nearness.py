"""Which of many names are a slip of the finger away from a word: a letter too many, too few, another one, two exchanged.

The letters that a name has, one bit each, leave few candidates of a hundred thousand names; the distances of all of these
are worked out together, cell by cell of the usual table, of which only the diagonals within the limit are looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.strings import BORDER

Bytes = NDArray[np.uint8]
Letters = NDArray[np.uint32]


def _bits() -> Letters:
    """One bit for each Latin letter, one for digits, one for all else; none for blanks and borders."""
    bits = np.full(256, 1 << 27, np.uint32)
    bits[ord("0") : ord("9") + 1] = 1 << 26
    bits[ord("a") : ord("z") + 1] = 1 << np.arange(26, dtype=np.uint32)
    bits[[ord(" "), BORDER[0]]] = 0
    return bits


_BITS = _bits()


def letters_of(block: Bytes, starts: NDArray[np.integer]) -> Letters:
    """The letters of each of the names that begin at `starts` in `block`, as bits; the last one ends with the block."""
    if not len(starts):
        return np.zeros(0, np.uint32)
    return np.bitwise_or.reduceat(_BITS[block], starts.astype(np.int64)).astype(np.uint32)


def slips_allowed(length: int) -> int:
    """How many slips a word of so many letters may have and still be recognised."""
    return 0 if length < 4 else 1 if length < 8 else 2


def near(
    word: bytes,
    block: Bytes,
    starts: NDArray[np.integer],
    letters: Letters,
    among: NDArray[np.integer],
    *,
    slips: int,
    whole: bool,
) -> tuple[NDArray[np.int64], Bytes]:
    """Which of the names `among` are at most `slips` from `word`, and their distances, in the order of `among`.

    Args:
        word: folded, as the names are.
        block: the names, each followed by a border.
        starts: where each name begins, and after the last one where the block ends.
        letters: of each name, by `letters_of`.
        among: numbers of the names to look at.
        slips: the largest distance that counts (optimal string alignment: exchanged neighbours are one slip).
        whole: compare with the whole name, else with its beginning.
    """
    mine = letters_of(np.frombuffer(word, np.uint8), np.zeros(1, np.int64))[0]
    theirs = letters[among]
    lengths = (starts[among.astype(np.int64) + 1] - starts[among] - 1).astype(np.int64)
    maybe = (np.bitwise_count(mine & ~theirs) <= slips) & (lengths >= len(word) - slips)
    if whole:
        maybe &= (lengths <= len(word) + slips) & (np.bitwise_count(theirs & ~mine) <= slips)
    numbers, lengths = among[maybe].astype(np.int64), lengths[maybe]
    width = len(word) + slips
    columns = np.arange(width)
    inside = columns < lengths[:, None]
    places = np.where(inside, starts[numbers].astype(np.int64)[:, None] + columns, 0)
    rows = np.where(inside, block[places], BORDER[0]).T
    last = _last_row(word, rows, slips)
    distances = last[lengths - len(word) + slips, np.arange(len(numbers))] if whole else last.min(axis=0)
    close = distances <= slips
    return numbers[close], distances[close]


def _last_row(word: bytes, rows: Bytes, slips: int) -> Bytes:
    """The distances of `word` to the beginnings of each name that are `slips` shorter to `slips` longer: (2·slips + 1, names).

    `rows` are the names' letters, (len(word) + slips, names).
    """
    band, far = 2 * slips + 1, np.uint8(slips + 1)
    # Cell k of row i is the distance of the word's first i letters to the name's first i + k - slips.
    current = np.full((band, rows.shape[1]), far)
    for k in range(slips, band):
        current[k] = k - slips
    earlier = before = current
    for i in range(1, len(word) + 1):
        earlier, before, current = before, current, np.full_like(current, far)
        for k in range(max(0, slips - i), band):
            j = i + k - slips
            if j == 0:
                current[k] = min(i, slips + 1)
                continue
            cell = before[k] + (rows[j - 1] != word[i - 1])
            if k + 1 < band:
                cell = np.minimum(cell, before[k + 1] + 1)
            if k:
                cell = np.minimum(cell, current[k - 1] + 1)
            if i > 1 and j > 1:
                exchanged = (rows[j - 1] == word[i - 2]) & (rows[j - 2] == word[i - 1])
                cell = np.where(exchanged, np.minimum(cell, earlier[k] + 1), cell)
            current[k] = cell
    return current
