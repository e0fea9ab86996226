r"""Emphasis in a text as web UIs and kohya write it: `(word:1.2)`, `(word)` for 1.1, `[word]` for 1 / 1.1, `\(` for a bracket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

# An escaped character, an opening bracket, `:1.2)`, a closing bracket, a run of anything else, a lone colon or backslash.
_PIECE = re.compile(r"\\[()\[\]\\]|\\|[(\[]|:([+-]?(?:\d+(?:\.\d*)?|\.\d+))\)|[)\]]|[^\\()\[\]:]+|:")
# By opening bracket: what it does when nothing else is said.
_FACTORS = {"(": 1.1, "[": 1 / 1.1}


class Span(NamedTuple):
    """A part of a text, and the factor of its tokens' states."""

    text: str
    weight: float


def parse(text: str) -> list[Span]:
    """`text` without its brackets, in parts of one weight each; weights of nested brackets are multiplied.

    A bracket that is never closed acts to the end, one that was never opened is text, and a backslash that escapes
    nothing is left out, as in A1111's `parse_prompt_attention`. What is no number, such as `(a:1.2.3)`, is text.
    """
    pieces = list(_PIECE.finditer(text))
    factors = _factors(pieces)
    # The products of all brackets that are open, a further one for each.
    products = {bracket: [1.0] for bracket in _FACTORS}
    words: list[tuple[str, float]] = []
    for at, found in enumerate(pieces):
        piece, closed = found[0], _closed_by(found)
        if at in factors:
            products[piece].append(products[piece][-1] * factors[at])
        elif closed and len(products[closed]) > 1:
            products[closed].pop()
        else:
            words.append((piece.removeprefix("\\"), products["("][-1] * products["["][-1]))
    # Neighbours of one weight as one part: a word must reach the tokenizer whole.
    alike = groupby(words, key=itemgetter(1))
    return [Span("".join(word for word, _ in group), weight) for weight, group in alike] or [Span("", 1.0)]


def _factors(pieces: Sequence[re.Match[str]]) -> dict[int, float]:
    """What each opening bracket multiplies by, by its place: what its closing one says, if that has a number."""
    factors: dict[int, float] = {}
    opened: dict[str, list[int]] = {bracket: [] for bracket in _FACTORS}
    for at, found in enumerate(pieces):
        closed = _closed_by(found)
        if found[0] in opened:
            opened[found[0]].append(at)
            factors[at] = _FACTORS[found[0]]
        elif closed and opened[closed]:
            start = opened[closed].pop()
            factors[start] = factors[start] if found[1] is None else float(found[1])
    return factors


def _closed_by(found: re.Match[str]) -> str:
    """The opening bracket that a piece may close, or ""."""
    return {")": "(", "]": "["}.get(found[0], "(" if found[1] is not None else "")
