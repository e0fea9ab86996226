"""Speed, time left and shares, from made-up steps."""

from __future__ import annotations

import time

import pytest
import torch

from sdtui.training.timing import Marks, Pace

PHASES = {"data": 0.1, "forward": 0.3, "backward": 0.4, "optimizer": 0.1, "other": 0.0}


def test_pace_of_two_steps() -> None:
    pace = Pace()
    pace.add(4, 1.0, PHASES)
    pace.add(2, 2.0, {**PHASES, "data": 0.2})
    assert pace.images_per_second() == pytest.approx(2.0)
    assert pace.eta_seconds(10) == pytest.approx(15.0)
    assert pace.shares() == {"data": 0.1, "forward": 0.2, "backward": 0.2667, "optimizer": 0.0667, "other": 0.3667}


def test_only_the_last_fifty_steps_count() -> None:
    pace = Pace()
    pace.add(1, 1000.0, PHASES)
    for _ in range(50):
        pace.add(1, 0.5, PHASES)
    assert pace.images_per_second() == pytest.approx(2.0)


def test_stats_are_due_at_once_and_then_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = Pace()
    asked = []
    for seconds in (0.0, 0.5, 0.4, 0.2, 1.5):
        now[0] += seconds
        asked.append(pace.due())
    assert asked == [True, False, False, True, True]


def test_marks_add_up_by_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 3.0, 4.5, 10.5])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    marks = Marks(torch.device("cpu"))
    for phase in ("data", "forward", "data", "optimizer"):
        marks.lap(phase)
    assert marks.seconds() == {"data": 2.5, "forward": 2.0, "backward": 0.0, "optimizer": 6.0, "other": 0.0}
