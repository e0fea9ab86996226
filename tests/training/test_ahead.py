"""Work done ahead: in order, not too far ahead, and not at all once nobody wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sdtui.training.ahead import ahead


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
