"""One optimizer step: what it applies, what it clips, and what it refuses."""

from __future__ import annotations

import math

import pytest
import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer

from sdtui.profile.schema import Optimizer
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.optimizer import GuardedStep, build, set_rates

PLAIN = Optimizer(weight_decay=0.0)


class Bench:
    """One parameter of three ones under a guarded step."""

    def __init__(self, clip_norm: float = 0.0, settings: Optimizer = PLAIN) -> None:
        self.accelerator = Accelerator(cpu=True)
        self.parameter = torch.nn.Parameter(torch.ones(3))
        groups = [ParameterGroup(params=[self.parameter], name="unet", lr=0.1)]
        self.optimizer = self.accelerator.prepare(build(groups, settings))
        self.step = GuardedStep(self.accelerator, self.optimizer, clip_norm)

    def train(self, factor: float) -> float:
        loss = (self.parameter * factor).sum()
        self.accelerator.backward(loss)
        return self.step(loss.detach()).item()


def test_adamw_moves_by_the_learning_rate_in_its_first_step() -> None:
    bench = Bench()
    bench.train(2.0)
    assert bench.parameter.tolist() == pytest.approx([0.9, 0.9, 0.9])


def test_weight_decay_is_decoupled() -> None:
    bench = Bench(settings=Optimizer(weight_decay=0.5))
    bench.train(2.0)
    # 1 * (1 - 0.1 * 0.5) - 0.1
    assert bench.parameter.tolist() == pytest.approx([0.85, 0.85, 0.85])


def test_the_norm_is_that_before_clipping_and_clipping_really_clips() -> None:
    bench = Bench(clip_norm=1.0)
    seen: list[torch.Tensor] = []
    bench.optimizer.optimizer.register_step_pre_hook(
        lambda *_: seen.append(bench.parameter.grad.clone())  # type: ignore[union-attr]
    )
    assert bench.train(4.0) == pytest.approx(4 * math.sqrt(3))
    assert seen[0].norm().item() == pytest.approx(1.0, abs=1e-5)


def test_clip_norm_zero_leaves_gradients_alone() -> None:
    bench = Bench(clip_norm=0.0)
    seen: list[torch.Tensor] = []
    bench.optimizer.optimizer.register_step_pre_hook(
        lambda *_: seen.append(bench.parameter.grad.clone())  # type: ignore[union-attr]
    )
    bench.train(1000.0)
    assert seen[0].tolist() == [1000.0, 1000.0, 1000.0]


def test_gradients_are_cleared_after_the_step() -> None:
    bench = Bench()
    bench.train(1.0)
    assert bench.parameter.grad is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_step_that_is_not_finite_changes_nothing_nor_does_any_after_it(bad: float) -> None:
    bench = Bench()
    bench.train(1.0)
    before = bench.parameter.tolist()
    bench.train(bad)
    assert bench.step.failed.item() == 1
    bench.train(1.0)
    assert bench.parameter.tolist() == before
    assert bench.optimizer.optimizer.state[bench.parameter]["step"].item() == 1


def test_a_gradient_that_is_not_finite_is_refused_although_the_loss_was() -> None:
    bench = Bench()
    bench.accelerator.backward((bench.parameter * math.inf).sum())
    bench.step(torch.tensor(1.0))
    assert bench.parameter.tolist() == [1.0, 1.0, 1.0]
    assert bench.step.failed.item() == 1


def test_rates_follow_the_factor_from_each_groups_own_base() -> None:
    first, second = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    groups = [
        ParameterGroup(params=[first], name="unet", lr=1e-4),
        ParameterGroup(params=[second], name="text_encoder", lr=2e-5),
    ]
    optimizer = build(groups, PLAIN)
    set_rates(optimizer, 0.1)
    assert set_rates(optimizer, 0.5) == pytest.approx({"unet": 5e-5, "text_encoder": 1e-5})
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([5e-5, 1e-5])


class HalfPrecision:
    """What the guarded step uses of an accelerator in fp16, with a scaler that works on the processor."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        self.optimizer = AcceleratedOptimizer(optimizer, scaler=self.scaler)

    def unscale_gradients(self) -> None:
        self.scaler.unscale_(self.optimizer.optimizer)


def half_precision_bench() -> tuple[torch.nn.Parameter, HalfPrecision, GuardedStep]:
    Accelerator(cpu=True)  # the wrapped optimizer asks for its process-wide state
    parameter = torch.nn.Parameter(torch.ones(3))
    half = HalfPrecision(build([ParameterGroup(params=[parameter], name="unet", lr=0.1)], PLAIN))
    return parameter, half, GuardedStep(half, half.optimizer, 1.0)


def test_in_fp16_an_overflowing_gradient_is_left_out_and_the_run_goes_on() -> None:
    parameter, half, step = half_precision_bench()
    for factor, expected in ((1.0, 0.9), (math.inf, 0.9), (1.0, 0.8)):
        half.scaler.scale((parameter * factor).sum()).backward()  # type: ignore[no-untyped-call]
        step(torch.tensor(1.0))
        assert parameter.tolist() == pytest.approx([expected] * 3, abs=1e-2)
    assert step.failed.item() == 0


def test_in_fp16_gradients_that_overflow_at_any_scale_are_a_failure() -> None:
    parameter, half, step = half_precision_bench()
    failed = []
    for _ in range(4):  # at scales 4, 2, 1 and 0.5
        half.scaler.scale((parameter * math.inf).sum()).backward()  # type: ignore[no-untyped-call]
        step(torch.tensor(1.0))
        failed.append(step.failed.item())
    assert failed == [0, 0, 0, 1]
    assert parameter.tolist() == [1.0, 1.0, 1.0]


def test_in_fp16_a_loss_that_is_not_finite_voids_its_step_and_all_later_ones() -> None:
    parameter, half, step = half_precision_bench()
    for loss in (math.nan, 1.0):
        half.scaler.scale(parameter.sum()).backward()  # type: ignore[no-untyped-call]
        step(torch.tensor(loss))
        assert parameter.tolist() == [1.0, 1.0, 1.0]
    assert step.failed.item() == 1


def test_the_fp16_scale_is_part_of_the_state() -> None:
    parameter, half, step = half_precision_bench()
    half.scaler.scale((parameter * math.inf).sum()).backward()  # type: ignore[no-untyped-call]
    step(torch.tensor(1.0))
    assert step.scaler_state()["scale"] == 2.0
    _, other, fresh = half_precision_bench()
    fresh.restore_scaler(step.scaler_state())
    assert other.scaler.get_scale() == 2.0
    assert Bench().step.scaler_state() == {}
