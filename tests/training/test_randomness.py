"""Draws depend on (seed, step, index, purpose) and on nothing else."""

from __future__ import annotations

import torch

from sdtui.training import randomness

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
    first = randomness.draw(7, 3, [0, 1], SHAPE, 1000)
    torch.randn(100)
    randomness.draw(7, 2, [0, 1], SHAPE, 1000)
    again = randomness.draw(7, 3, [0, 1], SHAPE, 1000)
    assert torch.equal(first.noise, again.noise)
    assert torch.equal(first.latent_noise, again.latent_noise)
    assert torch.equal(first.channel_noise, again.channel_noise)
    assert torch.equal(first.timesteps, again.timesteps)
    assert first.caption_rolls == again.caption_rolls


def test_how_a_step_is_cut_into_batches_changes_no_number() -> None:
    whole = randomness.draw(7, 3, [0, 1, 2], SHAPE, 1000)
    last = randomness.draw(7, 3, [2], SHAPE, 1000)
    assert torch.equal(whole.noise[2:], last.noise)
    assert torch.equal(whole.timesteps[2:], last.timesteps)
    assert whole.caption_rolls[2:] == last.caption_rolls


def test_purposes_and_samples_do_not_share_numbers() -> None:
    draws = randomness.draw(7, 3, [0, 1], SHAPE, 1000)
    assert not torch.equal(draws.noise, draws.latent_noise)
    assert not torch.equal(draws.noise[0], draws.noise[1])


def test_draws_leave_the_global_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    randomness.draw(7, 3, [0], SHAPE, 1000)
    randomness.permutation(10, 7, 0, "batches")
    assert torch.equal(torch.rand(1), expected)


def test_timesteps_cover_the_whole_range_and_nothing_else() -> None:
    timesteps = randomness.draw(0, 0, range(200), (1, 1, 1), 5).timesteps
    assert set(timesteps.tolist()) == {0, 1, 2, 3, 4}


def test_uniform_numbers_are_spread_over_zero_to_one() -> None:
    rolls = randomness.draw(0, 0, range(1000), (1, 1, 1), 5).caption_rolls
    assert 0 <= min(rolls) < 0.01
    assert 0.99 < max(rolls) < 1
    assert 0.45 < sum(rolls) / 1000 < 0.55


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
