"""Learning-rate factors, step by step."""

from __future__ import annotations

import pytest

from sdtui.training.schedule import SCHEDULES, rate_factor, warmup_steps


def table(name: str, total: int, warmup: int) -> list[float]:
    return [rate_factor(name, step, total, warmup) for step in range(total)]


@pytest.mark.parametrize(
    ("name", "warmup", "expected"),
    [
        ("constant", 0, [1, 1, 1, 1, 1]),
        ("constant", 2, [0.5, 1, 1, 1, 1]),
        ("linear", 0, [1, 0.8, 0.6, 0.4, 0.2]),
        ("linear", 1, [1, 1, 0.75, 0.5, 0.25]),
        ("cosine", 0, [1, 0.904508, 0.654508, 0.345492, 0.095492]),
        ("cosine", 3, [1 / 3, 2 / 3, 1, 1, 0.5]),
    ],
)
def test_factors(name: str, warmup: int, expected: list[float]) -> None:
    assert table(name, 5, warmup) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_no_step_trains_at_rate_zero(name: str) -> None:
    assert min(table(name, 50, 10)) > 0


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_a_warm_up_as_long_as_the_run_only_rises(name: str) -> None:
    assert table(name, 4, 4) == [0.25, 0.5, 0.75, 1.0]


def test_the_factor_stays_at_its_end_beyond_the_last_step() -> None:
    assert rate_factor("linear", 9, 5, 0) == 0.0


@pytest.mark.parametrize(("warmup", "steps"), [(0, 0), (100, 100), (0.05, 50), (1, 1)])
def test_warm_up_is_steps_or_a_share(warmup: float, steps: int) -> None:
    assert warmup_steps(warmup, 1000) == steps
