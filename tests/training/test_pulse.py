"""Machines that are silent, gone, or have said why they end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sdtui.errors import SdtuiError
from sdtui.training.place import Place
from sdtui.training.pulse import Pulse


class Table:
    """As torch's store."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.texts: dict[str, bytes] = {}
        self.gone = False

    def add(self, key: str, by: int) -> int:
        if self.gone:
            raise RuntimeError("Broken pipe")
        self.numbers[key] = self.numbers.get(key, 0) + by
        return self.numbers[key]

    def check(self, keys: list[str]) -> bool:
        return all(key in self.texts for key in keys)

    def set(self, key: str, value: str) -> None:
        self.texts[key] = value.encode()

    def get(self, key: str) -> bytes:
        return self.texts[key]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def pulses(table: Any) -> list[Pulse]:
    return [Pulse(Place(machine=machine, machines=2), table, lambda _problem: None) for machine in (0, 1)]


def test_a_machine_that_falls_silent(clock: list[float]) -> None:
    first, second = pulses(Table())
    for clock[0] in (50.0, 100.0, 150.0):
        assert (second._beat(), first._listen()) == (None, None)
    clock[0] = 209.0
    assert first._listen() is None
    clock[0] = 211.0
    problem = first._listen()
    assert problem
    assert problem.message == "machine 1 has been silent for 60 seconds"


def test_a_machine_says_why_it_ends(clock: list[float]) -> None:
    first, second = pulses(Table())
    second._tell(SdtuiError("the disk is full"))
    problem = first._listen()
    assert problem
    assert problem.message == "machine 1 ended: the disk is full"


def test_machine_0_is_gone() -> None:
    table = Table()
    second = pulses(table)[1]
    assert second._beat() is None
    table.gone = True
    problem = second._beat()
    assert problem
    assert problem.message == "the run has ended on machine 0, or the network between is down"
