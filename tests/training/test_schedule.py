"""Learning-rate factors, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.schema import Schedule
from sdtui.training.schedule import SCHEDULES, in_steps, rate_factor


def table(total: int, rate: float = 1.0, **settings: Any) -> list[float]:
    schedule = Schedule.model_validate(settings)
    return [rate_factor(schedule, step, total, rate) for step in range(total)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"warmup": 2}, [0.5, 1, 1, 1, 1]),
        ({"name": "linear"}, [1, 0.8, 0.6, 0.4, 0.2]),
        ({"name": "linear", "warmup": 1}, [1, 1, 0.75, 0.5, 0.25]),
        ({"name": "linear", "min_factor": 0.5}, [1, 0.9, 0.8, 0.7, 0.6]),
        ({"name": "cosine"}, [1, 0.904508, 0.654508, 0.345492, 0.095492]),
        ({"name": "cosine", "warmup": 3}, [1 / 3, 2 / 3, 1, 1, 0.5]),
        ({"name": "cosine", "min_factor": 0.1}, [1, 0.914058, 0.589058 + 0.1, 0.410942, 0.185942]),
        ({"name": "cosine_with_restarts", "cycles": 1}, [1, 0.904508, 0.654508, 0.345492, 0.095492]),
        # Cycles of 2.5 steps.
        ({"name": "cosine_with_restarts", "cycles": 2}, [1, 0.654508, 0.095492, 0.904508, 0.345492]),
        ({"name": "polynomial", "power": 2.0}, [1, 0.64, 0.36, 0.16, 0.04]),
        ({"name": "polynomial"}, [1, 0.8, 0.6, 0.4, 0.2]),
        # left / (0.5 + 0.5 left)
        ({"name": "rex"}, [1, 0.8 / 0.9, 0.6 / 0.8, 0.4 / 0.7, 0.2 / 0.6]),
        # One wave: half of 1 + cos of 72, 144, 216 and 288 degrees.
        ({"name": "sine"}, [1, 0.654508, 0.095492, 0.095492, 0.654508]),
        ({"name": "inverse_sqrt", "timescale": 1}, [1, 0.707107, 0.577350, 0.5, 0.447214]),
        ({"name": "inverse_sqrt", "warmup": 2}, [0.5, 1, 1, (2 / 3) ** 0.5, 0.5**0.5]),
        ({"name": "warmup_stable_decay", "decay": 2}, [1, 1, 1, 1, 0.5]),
        ({"name": "warmup_stable_decay", "decay": 0.8, "warmup": 1}, [1, 1, 0.75, 0.5, 0.25]),
        ({"name": "warmup_stable_decay", "decay": 0}, [1, 1, 1, 1, 1]),
    ],
    ids=str,
)
def test_factors(settings: dict[str, Any], expected: list[float]) -> None:
    assert table(5, **settings) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_no_step_trains_at_rate_zero_and_none_above_the_rate(name: str) -> None:
    assert min(table(49, name=name, warmup=10)) > 0
    assert max(table(49, name=name, warmup=10)) == 1


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_a_warm_up_as_long_as_the_run_only_rises(name: str) -> None:
    assert table(4, name=name, warmup=4) == [0.25, 0.5, 0.75, 1.0]


def test_the_factor_stays_at_its_end_beyond_the_last_step() -> None:
    assert rate_factor(Schedule(name="linear"), 9, 5, 1.0) == 0.0
    assert rate_factor(Schedule(name="cosine_with_restarts"), 9, 5, 1.0) == 0.0


@pytest.mark.parametrize(("warmup", "steps"), [(0, 0), (100, 100), (0.05, 50), (1, 1), (1.0, 1000)])
def test_lengths_are_steps_or_a_share(warmup: float, steps: int) -> None:
    assert in_steps(warmup, 1000) == steps


def test_rates_by_step_are_factors_of_the_learning_rate() -> None:
    assert table(5, 0.1, rates="0.1:2, 0.05:0.8, 0.01") == pytest.approx([1, 1, 0.5, 0.5, 0.1])
