"""The moving average: by hand, void steps, trading places, and what it must not change."""

from __future__ import annotations

import math

import pytest
import torch

from sdtui.errors import UserError
from sdtui.profile.schema import Optimizer
from sdtui.training.ema import MovingAverage
from sdtui.training.optimizer import GuardedStep, build
from tests.training.test_optimizer import Bench, half_precision_bench

TAKEN, REFUSED = torch.zeros(()), torch.ones(())


def averaged(decay: float) -> tuple[torch.Tensor, MovingAverage]:
    parameter = torch.nn.Parameter(torch.tensor([0.0, 10.0]))
    return parameter, MovingAverage([parameter], decay)


def value_of(average: MovingAverage, parameter: torch.Tensor) -> list[float]:
    with average.in_place():
        return parameter.tolist()


def test_it_starts_as_a_copy_and_follows_closely_at_first() -> None:
    parameter, average = averaged(0.5)
    assert value_of(average, parameter) == [0.0, 10.0]
    with torch.no_grad():
        parameter.fill_(1.0)
    # Decay (1 + n) / (10 + n) for n = 0, 1, 2 is 1/10, 2/11, 1/4.
    expected = [0.0, 10.0]
    for decay in (1 / 10, 2 / 11, 1 / 4):
        average.update(TAKEN)
        expected = [decay * value + (1 - decay) * 1.0 for value in expected]
        assert value_of(average, parameter) == pytest.approx(expected)


def test_later_its_own_decay_holds() -> None:
    parameter, average = averaged(0.75)
    average.restore(1000)  # (1 + n) / (10 + n) is 0.991 by then
    with torch.no_grad():
        parameter.fill_(2.0)
    average.update(TAKEN)
    assert value_of(average, parameter) == [0.5, 8.0]
    average.update(TAKEN)
    assert value_of(average, parameter) == [0.875, 6.5]
    assert average.updates == 1002


def test_a_refused_step_neither_moves_it_nor_counts() -> None:
    parameter, average = averaged(0.9)
    with torch.no_grad():
        parameter.fill_(1.0)
    average.update(REFUSED)
    assert value_of(average, parameter) == [0.0, 10.0]
    assert average.updates == 0


def test_in_its_place_nothing_is_copied_and_what_is_loaded_is_the_averages() -> None:
    parameter, average = averaged(0.9)
    live = parameter.data_ptr()
    with average.in_place():
        assert parameter.data_ptr() != live
        parameter.data.copy_(torch.tensor([5.0, 6.0]))
    assert parameter.data_ptr() == live
    assert parameter.tolist() == [0.0, 10.0]
    assert value_of(average, parameter) == [5.0, 6.0]


def test_it_steps_aside_when_what_used_it_fails() -> None:
    parameter, average = averaged(0.9)
    with pytest.raises(OSError), average.in_place():
        parameter.data.zero_()
        raise OSError
    assert parameter.tolist() == [0.0, 10.0]


def test_a_guarded_step_moves_it_and_trains_as_without() -> None:
    plain, bench = Bench(), Bench()
    bench.step = GuardedStep(bench.accelerator, bench.optimizer, 0.0, ema_decay=0.99)
    for factor in (2.0, -3.0, 0.5):
        plain.train(factor)
        bench.train(factor)
        with bench.step.finished_weights():
            pass
    assert torch.equal(plain.parameter, bench.parameter)
    with bench.step.finished_weights():
        assert not torch.equal(plain.parameter, bench.parameter)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_guarded_step_that_is_not_finite_leaves_it(bad: float) -> None:
    bench = Bench()
    bench.step = GuardedStep(bench.accelerator, bench.optimizer, 0.0, ema_decay=0.99)
    average = bench.step.average
    assert average is not None
    bench.train(1.0)
    before = value_of(average, bench.parameter)
    bench.train(bad)
    bench.train(1.0)
    assert value_of(average, bench.parameter) == before
    assert average.updates == 1


def test_in_fp16_a_skipped_step_does_not_move_it_and_the_next_does() -> None:
    parameter, half, _ = half_precision_bench()
    step = GuardedStep(half, half.optimizer, 1.0, ema_decay=0.99)
    assert step.average is not None
    moved = []
    for factor in (1.0, math.inf, 1.0):
        half.scaler.scale((parameter * factor).sum()).backward()  # type: ignore[no-untyped-call]
        step(torch.tensor(1.0))
        moved.append((step.average.updates, value_of(step.average, parameter)))
    assert [updates for updates, _ in moved] == [1, 1, 2]
    assert moved[1] == moved[0]
    assert moved[2][1] != moved[1][1]


def test_an_optimizer_that_averages_by_itself_is_refused() -> None:
    bench = Bench()
    settings = Optimizer(name="schedule-free-adamw", weight_decay=0.0)
    inner = build([{"params": [bench.parameter], "name": "unet", "lr": 0.1}], settings)
    optimizer = bench.accelerator.prepare(inner)
    with pytest.raises(UserError, match="ScheduleFreeAdamW averages its steps itself") as refused:
        GuardedStep(bench.accelerator, optimizer, 0.0, ema_decay=0.99)
    assert refused.value.where == "training.ema_decay"
