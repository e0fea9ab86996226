"""Texts as rows of CLIP's window: 75 tokens between its two marks, and longer texts in several windows, as kohya cuts them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sdtui.models import emphasis
from sdtui.models.family import Reading
from sdtui.models.words import Spelling, Words

WINDOW = 77
INNER = WINDOW - 2
"""Tokens of a window between the marks of start and end."""


class Tokens(NamedTuple):
    """Texts as windows of token ids, (B, n, 77), and the weight of each place of the joined states, (B, n · 75 + 2)."""

    ids: Tensor
    weights: Tensor


def tokenize(tokenizer: Any, texts: Sequence[str], reading: Reading, words: Words | None = None) -> Tokens:
    """`texts` as `reading` says; what is beyond its limit is cut, and short ones are padded to the same length.

    Names of `words` become their places, see `sdtui.models.words`.
    """
    spell = (words or Words()).spelling(tokenizer)
    pairs = [_weighted_ids(tokenizer, text, reading, spell) for text in texts]
    return Tokens(
        torch.tensor([_windows(tokenizer, ids, reading.max_tokens) for ids, _ in pairs]),
        torch.tensor([[1.0, *weights, *[1.0] * (reading.max_tokens - len(weights)), 1.0] for _, weights in pairs]),
    )


def join(states: Tensor) -> Tensor:
    """The states of windows, (B, n, 77, D), as one text, (B, n · 75 + 2, D): the marks between windows are left out."""
    return torch.cat([states[:, 0, :1], states[:, :, 1:-1].flatten(1, 2), states[:, -1, -1:]], dim=1)


def length(tokenizer: Any, text: str, *, weighted: bool, words: Words) -> int:
    """How many places a text takes without marks; where brackets weigh, they take none."""
    whole = Reading(max_tokens=sys.maxsize, weighted=weighted)
    return len(_weighted_ids(tokenizer, text, whole, words.spelling(tokenizer))[0])


def _weighted_ids(tokenizer: Any, text: str, reading: Reading, spell: Spelling) -> tuple[list[int], list[float]]:
    """The ids without marks, and the weight of each."""
    limit = reading.max_tokens
    ids: list[int] = []
    weights: list[float] = []
    for span in emphasis.parse(text) if reading.weighted else [emphasis.Span(text, 1.0)]:
        found = tokenizer(span.text, add_special_tokens=False, truncation=True, max_length=limit).input_ids
        ids += found
        weights += [span.weight] * len(found)
    ids, weights = spell(ids, weights)
    return ids[:limit], weights[:limit]


def _windows(tokenizer: Any, ids: list[int], limit: int) -> list[list[int]]:
    """The ids in windows, each with both marks; the end mark and the padding after it fill up the last ones."""
    start, end, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    filled = [*ids, end, *[pad] * limit][:limit]
    windows = []
    for at in range(0, limit, INNER):
        inner = filled[at : at + INNER]
        # A window behind the end of the text: it needs an end mark of its own where padding is another token.
        if at > len(ids):
            inner[0] = end
        windows.append([start, *inner, end if at + INNER <= len(ids) else pad])
    return windows
