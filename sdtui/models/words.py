"""Words of the user's own: wherever a name stands in a text, vectors take its place (Gal et al. 2022, textual inversion).

In the ids of a text such a place is a negative number, which no vocabulary has: -1 is the first row of the words' table. What
looks for the end mark, the largest id, is not misled by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.models.new_words import known_word, unfit

Spelling = Callable[[list[int], list[float]], tuple[list[int], list[float]]]
"""The ids of a text and their weights, to the same with names replaced."""


@dataclass
class Words:
    """Names, and the rows that each takes of a table per text encoder.

    Args:
        rows: by name, which rows are its.
        tables: by text encoder ("text_encoder", "text_encoder_2"), each word's rows (n, D) in their order; they may learn.
    """

    rows: dict[str, range] = field(default_factory=dict)
    tables: dict[str, list[Tensor]] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Mapping[str, Mapping[str, Tensor]]) -> Words:
        """Words by name, each with its vectors (n, D) by text encoder, the same n in all."""
        words = cls()
        start = 0
        for name, vectors in known.items():
            count = len(next(iter(vectors.values())))
            words.rows[name] = range(start, start + count)
            start += count
        parts = {part for vectors in known.values() for part in vectors}
        words.tables = {part: [vectors[part] for vectors in known.values()] for part in sorted(parts)}
        return words

    def spelling(self, tokenizer: Any) -> Spelling:
        """What replaces names in texts of this tokenizer, wherever its tokens stand in a row, longer names first."""
        if not self.rows:
            return lambda ids, weights: (ids, weights)
        known: dict[int, list[tuple[list[int], range]]] = {}
        for name, rows in self.rows.items():
            ids = tokenizer(name, add_special_tokens=False).input_ids
            known.setdefault(ids[0], []).append((ids, rows))
        for candidates in known.values():
            candidates.sort(key=lambda each: -len(each[0]))
        return lambda ids, weights: _spelled(ids, weights, known)

    @contextmanager
    def spoken(self, component: str, encoder: Any) -> Iterator[None]:
        """While it is open the text encoder understands negative ids; gradients reach the table."""
        if component not in self.tables:
            yield
            return
        # Put together each time: a word that learns keeps its rows to itself, for a rate of its own.
        table = torch.cat(self.tables[component])
        places: list[Tensor] = []

        def before(_module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            ids, *rest = given
            places[:] = [ids]
            return (ids.clamp(min=0), *rest)

        def after(_module: nn.Module, _given: Any, vectors: Tensor) -> Tensor:
            own = places[0] < 0
            spoken = vectors.clone()
            spoken[own] = table.to(vectors.device, vectors.dtype)[-1 - places[0][own]]
            return spoken

        embedding: nn.Module = encoder.get_input_embeddings()
        hooks = embedding.register_forward_pre_hook(before), embedding.register_forward_hook(after)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def require_new(names: Iterable[str], tokenizer: Any) -> None:
    """See that none of `names` is a word that the model knows: its vectors would stand wherever that is meant.

    Raises:
        UserError: one is a single token of the vocabulary.
    """
    for name in names:
        if len(tokenizer(name, add_special_tokens=False).input_ids) == 1:
            message, remedy = known_word(name)
            raise UserError(message, where="method.words", remedy=remedy)


def require_fitting(name: str, vectors: Mapping[str, Tensor], widths: Mapping[str, int], where: str) -> None:
    """See that a word is for a model whose text encoders have these widths.

    Raises:
        UserError: it is for another family of models.
    """
    found = {part: rows.shape[1] for part, rows in vectors.items()}
    if found != dict(widths):
        message, remedy = unfit(name, list(found.values()), list(widths.values()))
        raise UserError(message, where=where, remedy=remedy)


def _spelled(
    ids: Sequence[int], weights: Sequence[float], known: Mapping[int, Sequence[tuple[list[int], range]]]
) -> tuple[list[int], list[float]]:
    made: list[int] = []
    weighed: list[float] = []
    at = 0
    while at < len(ids):
        candidates = known.get(ids[at], ())
        name, rows = next(((name, rows) for name, rows in candidates if ids[at : at + len(name)] == name), (None, None))
        if name is None or rows is None:
            made.append(ids[at])
            weighed.append(weights[at])
            at += 1
        else:
            made += [-1 - row for row in rows]
            weighed += [weights[at]] * len(rows)
            at += len(name)
    return made, weighed
