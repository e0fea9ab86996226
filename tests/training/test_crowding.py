"""Cores that other programs keep busy."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from sdtui.training import session
from sdtui.training.__main__ import main
from sdtui.training.crowding import Crowding, Used, used
from tests.training.workplace import events, make_run


def looks(threads: int, cores: int, others: list[float], seconds: float = 11.0) -> list[bool]:
    """Whether each look notices something, when others use so many cores before each and we use all our threads."""

    def clocks() -> Iterator[Used]:
        machine = own = 0.0
        yield Used(0.0, machine, own)
        for number, theirs in enumerate(others, 1):
            own += threads * seconds
            machine += (threads + theirs) * seconds
            yield Used(number * seconds, machine, own)

    told = clocks()
    crowding = Crowding(threads, cores, lambda: next(told))
    return [crowding.noticed() is not None for _ in others]


def test_a_busy_neighbour_is_told_once() -> None:
    assert looks(2, 2, [0.1, 0.9, 0.9]) == [False, True, False]


def test_free_cores_are_enough_for_others() -> None:
    assert looks(2, 4, [1.9, 2.4, 2.6]) == [False, False, True]


def test_one_thread_waits_for_no_other() -> None:
    assert looks(1, 1, [3.0]) == [False]


def test_a_short_look_says_nothing() -> None:
    assert looks(2, 2, [1.0, 1.0, 1.0], seconds=4.0) == [False, False, True]


def test_the_advice_leaves_others_their_cores() -> None:
    clocks = iter([Used(0.0, 0.0, 0.0), Used(10.0, 116.0, 80.0)])
    found = Crowding(8, 8, lambda: next(clocks)).noticed()
    assert found is not None
    assert found.message.startswith(
        "other programs keep 3.6 of this machine's 8 cores busy while training uses 8 threads"
    )
    assert found.remedy.endswith("training.threads = 4")


def test_a_run_tells_of_it(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0, 20)
    monkeypatch.setattr(session, "used", lambda: Used(next(seconds), 100.0 * next(seconds), 0.0))
    run = make_run(workplace, {"training": {"steps": 1, "threads": 2}})
    before = torch.get_num_threads()
    try:
        assert main([str(run.path)]) == 0
    finally:
        torch.set_num_threads(before)
    assert [event["where"] for event in events(run, "warning")] == ["training.threads"]


def test_a_system_that_does_not_tell_is_not_asked_again() -> None:
    assert Crowding(2, 2, lambda: None).noticed() is None


def test_busy_seconds_are_those_of_all_cores_without_idle_ones(tmp_path: Path) -> None:
    file = tmp_path / "stat"
    file.write_text("cpu  100 20 30 4000 500 6 7 0 0 0\ncpu0 1 1 1 1 1 1 1 0 0 0\n")
    found = used(file)
    assert found is not None
    assert found.machine == 163 / os.sysconf("SC_CLK_TCK")
    assert used(tmp_path / "none") is None
