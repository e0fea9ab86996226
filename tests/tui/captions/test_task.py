from __future__ import annotations

import pytest

from sdtui.dataset.edit import StoppedError
from sdtui.tui.captions.task import Task


def test_how_far_it_is() -> None:
    task = Task("add x")
    assert (task.words, task.may_stop) == ("waiting", True)
    reading = task.reading(range(100, 1_300))
    assert next(reading) == 100
    assert task.words == "reading 0 of 1 200"
    assert [next(reading) for _ in range(1_100)][-1] == 1_200
    assert task.words == "reading 1 088 of 1 200"
    task.writing(0.354)
    assert task.words == "writing 35%"
    task.written()
    assert (task.words, task.may_stop) == ("written, looking at it again", False)


@pytest.mark.parametrize("where", ["reading", "the end of reading", "writing"])
def test_called_off(where: str) -> None:
    task = Task("add x")
    reading = task.reading(range(3))
    assert next(reading) == 0
    task.stop()
    with pytest.raises(StoppedError, match="called off: add x; the captions are as they were"):
        if where == "writing":
            task.writing(0.1)
        elif where == "reading":
            next(task.reading(range(3)))
        else:
            list(reading)
