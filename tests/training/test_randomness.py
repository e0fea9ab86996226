"""Draws depend on (seed, step, index, purpose) and on nothing else."""

from __future__ import annotations

import pytest
import torch

from sdtui.training import randomness
from sdtui.training.randomness import Source

SHAPE = (4, 2, 2)


def test_derived_seeds_are_fixed_for_good() -> None:
    # A different hash would make every interrupted run of an older version go on differently.
    assert randomness.derive(0, 0, 0, "noise") == 4186865023761153418
    assert randomness.derive(1, 2, 3, "timestep") == 620733829272255365


def test_each_argument_changes_the_seed() -> None:
    seeds = {
        randomness.derive(*arguments)
        for arguments in [(0, 0, 0, "a"), (1, 0, 0, "a"), (0, 1, 0, "a"), (0, 0, 1, "a"), (0, 0, 0, "b")]
    }
    assert len(seeds) == 5


def test_the_same_place_draws_the_same_numbers_whatever_was_drawn_before() -> None:
    source = Source(7, 3, [0, 1])
    first, timesteps, rolls = source.normal(SHAPE, "noise"), source.integers(0, 1000, "t"), source.uniform("roll")
    torch.randn(100)
    Source(7, 2, [0, 1]).normal(SHAPE, "noise")
    assert torch.equal(source.normal(SHAPE, "noise"), first)
    assert torch.equal(source.integers(0, 1000, "t"), timesteps)
    assert torch.equal(source.uniform("roll"), rolls)


def test_how_a_step_is_cut_into_batches_changes_no_number() -> None:
    whole, last = Source(7, 3, [0, 1, 2]), Source(7, 3, [2])
    assert torch.equal(whole.normal(SHAPE, "noise")[2:], last.normal(SHAPE, "noise"))
    assert torch.equal(whole.integers(0, 1000, "t")[2:], last.integers(0, 1000, "t"))
    assert torch.equal(whole.uniform("roll")[2:], last.uniform("roll"))
    assert [one.indices for one in whole.each()] == [[0], [1], [2]]


def test_purposes_and_samples_do_not_share_numbers() -> None:
    source = Source(7, 3, [0, 1])
    noise = source.normal(SHAPE, "noise")
    assert not torch.equal(noise, source.normal(SHAPE, "latent"))
    assert not torch.equal(noise[0], noise[1])


def test_draws_leave_the_global_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    source = Source(7, 3, [0])
    source.normal(SHAPE, "noise")
    source.integers(0, 1000, "t")
    randomness.permutation(10, 7, 0, "batches")
    assert torch.equal(torch.rand(1), expected)


def test_whole_numbers_cover_the_whole_range_and_nothing_else() -> None:
    assert set(Source(0, 0, range(200)).integers(2, 7, "t").tolist()) == {2, 3, 4, 5, 6}


def test_uniform_numbers_are_spread_over_zero_to_one() -> None:
    rolls = Source(0, 0, range(1000)).uniform("caption").tolist()
    assert 0 <= min(rolls) < 0.01
    assert 0.99 < max(rolls) < 1
    assert 0.45 < sum(rolls) / 1000 < 0.55


def test_the_largest_uniform_number_is_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(randomness, "derive", lambda *_: 2**63 - 1)
    assert randomness.uniform(0, 0, 0, "caption") == 1 - 2**-53


def test_a_permutation_holds_everything_once_and_differs_by_epoch() -> None:
    first = randomness.permutation(20, 7, 0, "batches")
    assert sorted(first) == list(range(20))
    assert first == randomness.permutation(20, 7, 0, "batches")
    assert first != randomness.permutation(20, 7, 1, "batches")


def test_dropout_is_seeded_by_place() -> None:
    dropout = torch.nn.Dropout(0.5)
    randomness.seed_dropout(7, 3, 0)
    first = dropout(torch.ones(50))
    randomness.seed_dropout(7, 3, 0)
    assert torch.equal(dropout(torch.ones(50)), first)
    randomness.seed_dropout(7, 4, 0)
    assert not torch.equal(dropout(torch.ones(50)), first)
