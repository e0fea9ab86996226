"""Work done ahead: in order, not too far ahead, and not at all once nobody wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sdtui.training.ahead import Beforehand, ahead


def test_all_is_made_in_order() -> None:
    assert list(ahead(lambda item: item * item, range(20), 3)) == [item * item for item in range(20)]


def test_the_next_are_made_while_one_is_used() -> None:
    second = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            second.set()
        return item

    made = ahead(work, range(9), 1)
    assert next(made) == 0
    assert second.wait(120)


def test_no_more_is_taken_than_twice_the_threads() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    made = ahead(lambda item: item, items(), 2)
    assert next(made) == 0
    assert taken == [0, 1, 2, 3, 4]
    assert next(made) == 1
    assert taken == [0, 1, 2, 3, 4, 5]
    made.close()  # type: ignore[attr-defined]
    assert len(taken) == 6


def test_what_fails_is_raised_where_it_is_used() -> None:
    made = ahead(lambda item: 1 // item, [1, 0, 1], 1)
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)


class Squares:
    """Squares numbers one after another, each once it is let."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.begun = threading.Event()
        self.free = threading.Event()

    def square(self, item: int) -> int:
        self.begun.set()
        assert self.free.wait(120)
        self.made.append(item)
        return item * item


def test_what_was_made_beforehand_is_given_once() -> None:
    squares = Squares()
    squares.free.set()
    found = Beforehand(squares.square)
    with found.making([2, 3]):
        assert found.make(3) == 9  # it is waited for
    assert squares.made == [2, 3]
    assert [found.make(item) for item in (2, 3)] == [4, 9]
    assert squares.made == [2, 3, 3]


def test_what_was_not_begun_in_time_is_made_when_it_is_asked_for() -> None:
    squares = Squares()
    found = Beforehand(squares.square)
    with pytest.raises(KeyboardInterrupt), found.making(range(10)):
        assert squares.begun.wait(120)
        threading.Timer(0.05, squares.free.set).start()  # while the end waits for the one that was begun
        raise KeyboardInterrupt
    assert squares.made == [0]
    assert found.make(7) == 49
    assert squares.made == [0, 7]


def test_what_nobody_asked_for_is_let_go() -> None:
    squares = Squares()
    squares.free.set()
    found = Beforehand(squares.square)
    with found.making([5]):
        assert squares.begun.wait(120)
    found.forget()
    assert found.make(5) == 25
    assert squares.made == [5, 5]


def test_what_failed_beforehand_is_raised_where_it_is_asked_for() -> None:
    def work(item: int) -> int:
        return 1 // item

    found = Beforehand(work)
    with found.making([0]), pytest.raises(ZeroDivisionError):
        found.make(0)
