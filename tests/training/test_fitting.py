"""How many images are taken at once, and how a batch is cut into parts."""

from __future__ import annotations

import pytest

from sdtui.training.fitting import Cut, Fit

WIDE, TALL = (128, 64), (64, 128)


def test_nothing_is_cut_before_something_did_not_fit() -> None:
    assert Fit().parts(WIDE, (3, 1, 2)) == [(3, 1, 2)]
    assert Fit().most(WIDE, 8) == 8


@pytest.mark.parametrize(
    ("images", "at_once", "parts"),
    [
        (2, 1, [(0,), (1,)]),
        (3, 2, [(0,), (1, 2)]),
        (4, 2, [(0, 1), (2, 3)]),
        (5, 3, [(0, 1), (2, 3, 4)]),
    ],
)
def test_a_batch_is_cut_in_two(images: int, at_once: int, parts: list[tuple[int, ...]]) -> None:
    fit = Fit()
    assert fit.cut(WIDE, images) == Cut(WIDE, images, at_once)
    assert fit.parts(WIDE, tuple(range(images))) == parts


def test_parts_are_cut_again_until_they_fit_and_stay_even() -> None:
    fit = Fit()
    fit.cut(WIDE, 8)
    fit.cut(WIDE, 4)
    assert fit.parts(WIDE, tuple(range(8))) == [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert fit.parts(WIDE, (0, 1, 2, 3, 4)) == [(0,), (1, 2), (3, 4)]
    assert fit.most(WIDE, 8) == 2
    assert fit.most(WIDE, 1) == 1


def sizes_tried(room: int, batch: int, *, widens: bool = True) -> list[int]:
    """The largest part of each step on a device with room for so many images, until it stays the same."""
    fit, tried = Fit(widens), list[int]()
    for _ in range(9):
        while (largest := max(map(len, fit.parts(WIDE, tuple(range(batch)))))) > room:
            tried.append(-largest)
            fit.cut(WIDE, largest)
        tried.append(largest)
        fit.passed(WIDE, batch)
    while tried[-2:] == [tried[-1]] * 2:
        tried.pop()
    return tried


@pytest.mark.parametrize(
    ("room", "batch", "tried"),
    [
        (8, 8, [8]),
        (4, 8, [-8, 4]),
        # Four parts of 2 fit; three of 3 and 2 do, too; two of 4 are known not to.
        (3, 8, [-8, -4, 2, 3]),
        (2, 8, [-8, -4, 2, -3, 2]),
        (6, 16, [-16, -8, 4, 6]),
        (1, 3, [-3, -2, 1]),
        (13, 64, [-64, -32, -16, 8, 10, 11, 13]),
    ],
)
def test_as_many_as_fit_are_found(room: int, batch: int, tried: list[int]) -> None:
    """A negative number did not fit."""
    assert sizes_tried(room, batch) == tried


def test_where_processes_share_a_run_parts_stay_as_they_were_cut() -> None:
    assert sizes_tried(3, 8, widens=False) == [-8, -4, 2]


def test_a_limit_is_kept_and_nothing_larger_is_tried() -> None:
    fit = Fit()
    fit.limit(WIDE, 2)
    fit.passed(WIDE, 8)
    assert [len(part) for part in fit.parts(WIDE, tuple(range(8)))] == [2, 2, 2, 2]
    assert fit.parts(TALL, (0, 1, 2)) == [(0, 1, 2)]


def test_a_search_goes_on_where_it_was() -> None:
    fit, again = Fit(), Fit()
    fit.cut(WIDE, 8)
    fit.cut(WIDE, 4)
    again.restore(fit.state())
    for each in (fit, again):
        each.passed(WIDE, 8)
    assert again.state() == fit.state() == {"128x64": [3, 4, 2]}


def test_each_bucket_has_its_own_size() -> None:
    fit = Fit()
    fit.cut(WIDE, 2)
    assert fit.parts(TALL, (0, 1)) == [(0, 1)]


def test_what_fits_is_remembered() -> None:
    fit, again = Fit(), Fit()
    fit.cut((128, 64), 8)
    fit.cut((64, 64), 2)
    assert fit.state() == {"128x64": [4, 8, 0], "64x64": [1, 2, 0]}
    again.restore(fit.state())
    assert again == fit


def test_processes_take_as_few_as_the_one_with_least_room() -> None:
    fit, other = Fit(), Fit()
    fit.cut((64, 64), 8)
    other.cut((64, 64), 4)
    other.cut((128, 64), 2)
    fit.merge([fit.state(), other.state(), {}])
    assert fit.state() == {"64x64": [2, 0, 0], "128x64": [1, 0, 0]}


def test_the_user_is_told_what_did_not_fit_and_that_the_step_is_the_same() -> None:
    told = Cut((128, 64), 4, 2).told()
    assert told.message == (
        "4 images of 128×64 px do not fit in memory at once: from now on they are taken 2 at a time, "
        "and each step learns from as many as before"
    )
    assert told.where == "training.batch_size"
