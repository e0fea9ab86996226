"""The order of samples: exact, complete, and the same from wherever it is started."""

from __future__ import annotations

from collections import Counter

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
    assert order(sizes).batches_of(3) == order(sizes).batches_of(3)
    assert order(sizes).batches_of(3) != order(sizes).batches_of(4)
    assert order(sizes, seed=1).batches_of(3) != order(sizes, seed=0).batches_of(3)


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
