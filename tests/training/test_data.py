"""The order of samples: exact, complete, and the same from wherever it is started."""

from __future__ import annotations

from collections import Counter

import pytest

from sdtui.training.data import DataOrder, Size

SQUARE, WIDE, TALL = (512, 512), (640, 384), (384, 640)


def order(sizes: list[Size], batch_size: int = 2, accumulation: int = 1, seed: int = 0, repeats: int = 1) -> DataOrder:
    return DataOrder(sizes, [repeats] * len(sizes), batch_size, accumulation, seed)


def test_every_image_is_used_once_an_epoch_also_when_its_bucket_is_smaller_than_the_batch() -> None:
    epoch = order([SQUARE] * 5 + [WIDE] + [TALL] * 3, batch_size=4).batches_of(0)
    assert Counter(sample for batch in epoch for sample in batch) == Counter(range(9))
    assert sorted(map(len, epoch)) == [1, 1, 3, 4]


def test_a_batch_holds_one_bucket_only() -> None:
    sizes = [SQUARE, WIDE, TALL] * 4
    for batch in order(sizes, batch_size=3).batches_of(1):
        assert len({sizes[sample] for sample in batch}) == 1


def test_repeats_bring_a_sample_that_often() -> None:
    epoch = DataOrder([SQUARE, SQUARE, WIDE], [3, 1, 2], 2, 1, 0).batches_of(0)
    assert Counter(sample for batch in epoch for sample in batch) == {0: 3, 1: 1, 2: 2}


def test_epochs_differ_and_each_is_reproducible() -> None:
    sizes = [SQUARE] * 12
    third = list(order(sizes).batches_of(3))
    assert list(order(sizes).batches_of(3)) == third
    assert list(order(sizes).batches_of(4)) != third
    assert list(order(sizes, seed=1).batches_of(3)) != third


def test_starting_at_a_step_gives_what_going_there_would_have() -> None:
    sizes = [SQUARE] * 5 + [WIDE] * 3
    walked = order(sizes, accumulation=2)
    all_steps = [walked.at(step) for step in range(3 * walked.steps_per_epoch)]
    for step, expected in enumerate(all_steps):
        assert order(sizes, accumulation=2).at(step) == expected


def test_steps_count_optimizer_steps_and_do_not_cross_epochs() -> None:
    steps = order([SQUARE] * 9, batch_size=2, accumulation=2)  # 5 batches
    assert (steps.batches_per_epoch, steps.steps_per_epoch) == (5, 3)
    assert [len(steps.at(step)) for step in range(6)] == [2, 2, 1, 2, 2, 1]
    assert [steps.epoch_of(step) for step in range(7)] == [0, 0, 0, 1, 1, 1, 2]


def test_the_first_batch_of_a_run_is_the_heaviest() -> None:
    sizes = [(256, 256)] * 8 + [(512, 512)] * 3
    for seed in range(5):
        first = order(sizes, seed=seed).at(0)[0]
        assert [sizes[sample] for sample in first] == [(512, 512), (512, 512)]


def with_regularization(
    training: list[Size], kept: list[Size], batch_size: int = 2, accumulation: int = 1, repeats: list[int] | None = None
) -> DataOrder:
    sizes = training + kept
    regular = frozenset(range(len(training), len(sizes)))
    return DataOrder(sizes, repeats or [1] * len(sizes), batch_size, accumulation, 5, regular)


def dealt(order: DataOrder, epoch: int) -> list[int]:
    """The regularisation samples of an epoch."""
    return sorted(s for batch in order.batches_of(epoch) for s in batch if s in order.regularization)


@pytest.mark.parametrize("count", [1, 3, 8, 50])
def test_an_epoch_has_as_many_regularisation_as_training_samples(count: int) -> None:
    order = with_regularization([SQUARE] * 4, [SQUARE] * count, repeats=[2, 1, 1, 1, *[1] * count])
    for epoch in range(5):
        assert len(dealt(order, epoch)) == 5
        samples = [sample for batch in order.batches_of(epoch) for sample in batch]
        assert Counter(sample for sample in samples if sample < 4) == {0: 2, 1: 1, 2: 1, 3: 1}
    assert order.images == 10


def test_all_regularisation_samples_are_seen_equally_often() -> None:
    order = with_regularization([SQUARE] * 4, [SQUARE] * 10)
    # 5 epochs of 4 go through the deck of 10 twice.
    assert Counter(sample for epoch in range(5) for sample in dealt(order, epoch)) == dict.fromkeys(range(4, 14), 2)
    assert dealt(order, 0) != [4, 5, 6, 7]


def test_regularisation_samples_are_seen_as_often_as_their_repeats_say() -> None:
    order = with_regularization([SQUARE] * 4, [SQUARE] * 2, repeats=[1, 1, 1, 1, 3, 1])
    assert dealt(order, 0) == dealt(order, 1) == [4, 4, 4, 5]


def test_regularisation_samples_share_batches_with_training_samples_of_their_bucket() -> None:
    order = with_regularization([SQUARE] * 8, [SQUARE, WIDE] * 20, batch_size=4)
    epoch = order.batches_of(0)
    assert any(min(batch) < 8 <= max(batch) for batch in epoch)
    for batch in epoch:
        assert len({order.sizes[sample] for sample in batch}) == 1
    # 8 + 4 squares make 3 batches, 4 wide ones make 1.
    assert order.batches_per_epoch == len(epoch) == 4


def test_every_epoch_has_the_same_steps_whatever_regularisation_it_sees() -> None:
    order = with_regularization([SQUARE] * 5 + [WIDE] * 2, [SQUARE] * 3 + [WIDE] * 30 + [TALL], 3, 2)
    assert {len(order.batches_of(epoch)) for epoch in range(40)} == {order.batches_per_epoch}
    assert [len(order.at(step)) for step in (0, order.steps_per_epoch)] == [2, 2]


def test_starting_at_a_step_deals_what_going_there_would_have() -> None:
    walked = with_regularization([SQUARE] * 5, [SQUARE] * 7)
    all_steps = [walked.at(step) for step in range(6 * walked.steps_per_epoch)]
    for step, expected in enumerate(all_steps):
        assert with_regularization([SQUARE] * 5, [SQUARE] * 7).at(step) == expected


def test_a_batch_whose_images_are_asked_twice_is_the_heaviest() -> None:
    wide = (576, 512)  # an eighth more pixels
    sizes, regular = [SQUARE] * 2 + [wide] * 2, frozenset({2, 3})
    assert set(DataOrder(sizes, [1] * 4, 2, 1, 0, regular).at(0)[0]) == {2, 3}
    assert set(DataOrder(sizes, [1] * 4, 2, 1, 0, regular, asked_twice=True).at(0)[0]) == {0, 1}
