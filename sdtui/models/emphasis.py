r"""Emphasis in a text as web UIs and kohya write it: `(word:1.2)`, `(word)` for 1.1, `[word]` for 1 / 1.1, `\(` for a bracket."""

from __future__ import annotations

import re
from typing import NamedTuple

STRONGER = 1.1
# An escaped character, an opening bracket, `:1.2)`, a closing bracket, a run of anything else, a lone colon or backslash.
_PIECE = re.compile(r"\\[()\[\]\\]|\\|[(\[]|:([+-]?(?:\d+\.?\d*|\.\d+))\)|[)\]]|[^\\()\[\]:]+|:")


class Span(NamedTuple):
    """A part of a text, and the factor of its tokens' states."""

    text: str
    weight: float


def parse(text: str) -> list[Span]:
    """`text` without its brackets, in parts of one weight each; weights of nested brackets are multiplied.

    A bracket that is never closed acts to the end, one that was never opened is text, and a backslash that escapes
    nothing is left out, as in A1111's `parse_prompt_attention`. What is no number, such as `(a:1.2.3)`, is text.
    """
    words: list[str] = []
    weights: list[float] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}

    def scale(start: int, factor: float) -> None:
        weights[start:] = [weight * factor for weight in weights[start:]]

    for found in _PIECE.finditer(text):
        piece, number = found[0], found[1]
        if piece in opened:
            opened[piece].append(len(words))
        elif number is not None and opened["("]:
            scale(opened["("].pop(), float(number))
        elif piece == ")" and opened["("]:
            scale(opened["("].pop(), STRONGER)
        elif piece == "]" and opened["["]:
            scale(opened["["].pop(), 1 / STRONGER)
        else:
            words.append(piece.removeprefix("\\"))
            weights.append(1.0)
    for bracket, factor in (("(", STRONGER), ("[", 1 / STRONGER)):
        for start in opened[bracket]:
            scale(start, factor)
    return _merged(words, weights)


def _merged(words: list[str], weights: list[float]) -> list[Span]:
    """Neighbours of one weight as one part: a word must reach the tokenizer whole."""
    spans: list[Span] = []
    for word, weight in zip(words, weights, strict=True):
        if spans and spans[-1].weight == weight:
            spans[-1] = Span(spans[-1].text + word, weight)
        else:
            spans.append(Span(word, weight))
    return spans or [Span("", 1.0)]
