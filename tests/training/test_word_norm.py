"""Vectors are pulled to a length by a share that follows the learning rate."""

from __future__ import annotations

import pytest
import torch

from sdtui.training.methods.word_norm import NormPull, Pulled


@pytest.mark.parametrize(
    ("rate", "lengths"),
    # λ = 100 · rate: half of the way at 0.005, all of it from 0.01 on.
    [(0.005, [2.7, 0.25, 0.0]), (0.05, [0.4, 0.4, 0.0]), (0.0, [5.0, 0.1, 0.0])],
)
def test_vectors_go_towards_the_length(rate: float, lengths: list[float]) -> None:
    rows = torch.tensor([[3.0, 4.0], [0.1, 0.0], [0.0, 0.0]])
    count, mean, largest = NormPull([Pulled(rows, 0.4, "toy")])({"toy": rate}).tolist()
    assert rows.norm(dim=-1).tolist() == pytest.approx(lengths)
    assert (count, mean, largest) == pytest.approx((3, sum(lengths) / 3, max(lengths)))
    assert (rows[0] / rows[0].norm()).tolist() == pytest.approx([0.6, 0.8])


def test_a_word_that_learns_no_more_stays_and_is_still_counted() -> None:
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    told = NormPull([Pulled(one, 0.5, "a"), Pulled(other, 0.5, "b")])({"a": 1.0})
    assert (one.tolist(), other.tolist()) == ([[0.5, 0.0]], [[0.0, 2.0]])
    assert told.tolist() == [2.0, 1.25, 2.0]


def test_each_word_follows_its_own_rate() -> None:
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    NormPull([Pulled(one, 0.5, "a"), Pulled(other, 0.5, "b")])({"a": 1.0, "b": 0.0})
    assert (one.tolist(), other.tolist()) == ([[0.5, 0.0]], [[1.0, 0.0]])
