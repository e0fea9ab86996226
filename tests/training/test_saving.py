"""When saves are due, and how a save waits for a full disk."""

from __future__ import annotations

import time

import pytest

from sdtui.profile.schema import Saving
from sdtui.training.saving import SavePlan


def due(saving: Saving, steps_per_epoch: int = 5, steps: int = 12) -> list[int]:
    plan = SavePlan(saving, steps_per_epoch)
    return [step for step in range(1, steps + 1) if plan.due(step)]


@pytest.mark.parametrize(
    ("saving", "expected"),
    [
        (Saving(), []),
        (Saving(every_steps=4), [4, 8, 12]),
        (Saving(every_epochs=1), [5, 10]),
        (Saving(every_epochs=2), [10]),
        (Saving(every_steps=4, every_epochs=1), [4, 5, 8, 10, 12]),
    ],
)
def test_saves_by_steps_and_epochs(saving: Saving, expected: list[int]) -> None:
    assert due(saving) == expected


def test_saves_by_minutes_since_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    plan = SavePlan(Saving(every_minutes=1.5), 5)
    now[0] = 89.0
    assert not plan.due(1)
    now[0] = 90.0
    assert plan.due(2)
    plan.saved()
    assert not plan.due(3)
    now[0] = 180.0
    assert plan.due(4)
