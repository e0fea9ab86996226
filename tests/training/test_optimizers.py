"""Each optimizer for real on two small matrices: it learns, refuses what is not finite, and goes on bit for bit."""

from __future__ import annotations

import inspect
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from sdtui.errors import UserError
from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.profile.schema import Optimizer
from sdtui.runs.layout import RunFolder
from sdtui.training import checkpoint
from sdtui.training.checkpoint import Progress
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.optimizer import GuardedStep, build, resolve, set_rates
from tests.training.test_optimizer import HalfPrecision

# What each is tried with: its default, and what adds to its state.
CASES: list[dict[str, Any]] = [
    *({"name": name} for name in OPTIMIZERS),
    {"name": "adamw", "args": {"amsgrad": True}, "weight_decay": 0.1},
    {"name": "adamw8bit", "args": {"min_8bit_size": 0}},
    {"name": "paged-adamw8bit", "args": {"min_8bit_size": 0}},
    {"name": "adafactor", "args": {"scale_parameter": True, "beta1": 0.9}},
    {"name": "adafactor", "args": {"scale_parameter": True, "relative_step": True, "warmup_init": True}},
    {"name": "prodigy", "args": {"bias_correction": True, "safeguard_warmup": True}},
    {"name": "schedule-free-adamw", "weight_decay": 0.1},
    {"name": "torch.optim.RAdam", "betas": [0.8, 0.9]},
    {"name": "torch.optim.SGD", "args": {"momentum": 0.9}},
]
for case in CASES:
    if OPTIMIZERS.get(case["name"]) and OPTIMIZERS[case["name"]].finds_rate:
        case["learning_rate"] = 1.0
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join([case["name"], *case.get("args", {})]))


class Bench:
    """A product of two matrices that is to become another one, under a guarded step."""

    def __init__(self, case: dict[str, Any]) -> None:
        settings = Optimizer.model_validate({"learning_rate": 0.02, **case})
        generator = torch.Generator().manual_seed(1)
        self.down = torch.nn.Parameter(torch.randn(4, 6, generator=generator) / 2)
        self.up = torch.nn.Parameter(torch.zeros(5, 4))
        self.wanted = torch.randn(5, 6, generator=generator)
        rate = settings.learning_rate
        groups = [
            ParameterGroup(params=[self.down], name="unet", lr=rate),
            ParameterGroup(params=[self.up], name="unet up", lr=rate),
        ]
        self.accelerator = Accelerator(cpu=True)
        self.optimizer = self.accelerator.prepare(build(groups, settings))
        self.step = GuardedStep(self.accelerator, self.optimizer, 1.0)

    def loss(self) -> torch.Tensor:
        return (self.up @ self.down - self.wanted).square().mean()

    def take(self, number: int, factor: float = 1.0) -> dict[str, float]:
        rates = set_rates(self.optimizer, 1.0 - 0.01 * number)
        loss = self.loss() * factor
        self.accelerator.backward(loss)
        self.step(loss.detach())
        return rates

    def weights(self) -> list[torch.Tensor]:
        return [self.down.detach().clone(), self.up.detach().clone()]


def state_of(bench: Bench) -> dict[str, Any]:
    tensors = checkpoint.optimizer_tensors(bench.optimizer)
    return {
        **{key: tensor.tolist() for key, tensor in tensors.items()},
        **checkpoint.optimizer_numbers(bench.optimizer),
    }


@each_case
def test_it_learns(case: dict[str, Any]) -> None:
    bench = Bench(case)
    before = bench.loss().item()
    for number in range(60):
        bench.take(number)
    with bench.step.finished_weights():
        assert bench.loss().item() < before


@each_case
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_step_that_is_not_finite_changes_nothing_nor_does_any_after_it(case: dict[str, Any], bad: float) -> None:
    bench = Bench(case)
    bench.take(0)
    bench.take(1)
    weights, state = bench.weights(), state_of(bench)
    bench.take(2, bad)
    assert bench.step.failed.item() == 1
    bench.take(3)
    assert all(map(torch.equal, bench.weights(), weights))
    assert state_of(bench) == state


@each_case
def test_a_run_that_was_interrupted_ends_with_the_same_bits(case: dict[str, Any], tmp_path: Path) -> None:
    whole = Bench(case)
    for number in range(6):
        whole.take(number)
    first = Bench(case)
    for number in range(3):
        first.take(number)
    run = RunFolder.create(tmp_path, "run")
    progress = Progress(step=3, optimizer=checkpoint.optimizer_numbers(first.optimizer))
    parameters = {"down": first.down, "up": first.up}
    checkpoint.save(run, progress, parameters, checkpoint.optimizer_tensors(first.optimizer), {})
    found, _ = checkpoint.load_latest(run)
    assert found is not None
    second = Bench(case)
    with torch.no_grad():
        second.down.copy_(found.parameters["down"])
        second.up.copy_(found.parameters["up"])
    checkpoint.restore_optimizer(second.optimizer, found.optimizer, found.progress.optimizer)
    rates = [second.take(number) for number in range(3, 6)]
    assert all(map(torch.equal, second.weights(), whole.weights()))
    assert state_of(second) == state_of(whole)
    assert rates[-1] != rates[0]


@each_case
def test_looking_at_the_finished_weights_changes_nothing(case: dict[str, Any]) -> None:
    bench, other = Bench(case), Bench(case)
    for number in range(4):
        bench.take(number)
        other.take(number)
        with other.step.finished_weights():
            seen = other.weights()
    assert all(map(torch.equal, bench.weights(), other.weights()))
    assert state_of(bench) == state_of(other)
    averaged = not all(map(torch.equal, seen, bench.weights()))
    assert averaged == case["name"].startswith("schedule-free")


@each_case
def test_in_fp16_a_loss_that_is_not_finite_voids_its_step_and_all_later_ones(case: dict[str, Any]) -> None:
    bench = Bench(case)
    half = HalfPrecision(bench.optimizer.optimizer)
    step = GuardedStep(half, half.optimizer, 1.0)
    weights: list[torch.Tensor] = []
    for told in (1.0, math.nan, 1.0):
        half.scaler.scale(bench.loss()).backward()  # type: ignore[no-untyped-call]
        step(torch.tensor(told))
        weights.append(bench.up.detach().clone())
    assert weights[0].any()
    assert torch.equal(weights[1], weights[0])
    assert torch.equal(weights[2], weights[0])
    assert step.failed.item() == 1


class StartsAveraged(torch.optim.SGD):
    """As the package schedulefree has it: steps are refused until `train` was called."""

    training = False

    def train(self) -> None:
        self.training = True

    def eval(self) -> None:
        self.training = False

    def step(self, closure: Any = None) -> Any:
        assert self.training
        return super().step(closure)


def test_a_class_that_starts_with_its_average_is_put_in_training() -> None:
    bench = Bench({"name": f"{__name__}.StartsAveraged"})
    bench.take(0)
    with bench.step.finished_weights():
        assert not bench.optimizer.optimizer.training
    bench.take(1)


def test_prodigy_tells_the_rate_that_it_found() -> None:
    bench = Bench({"name": "prodigy", "learning_rate": 1.0})
    rates = [bench.take(number)["unet"] for number in range(20)]
    assert rates[0] == pytest.approx(1e-6)
    assert rates[-1] > 1e-4
    assert rates[-1] == pytest.approx(bench.optimizer.param_groups[0]["d"] * 0.81, rel=0.5)


def test_adafactor_tells_the_rate_of_its_own_schedule() -> None:
    bench = Bench({"name": "adafactor", "args": {"relative_step": True, "warmup_init": True}})
    assert [bench.take(number)["unet"] for number in range(3)] == pytest.approx([1e-6, 2e-6, 3e-6])
    bench = Bench({"name": "adafactor", "args": {"relative_step": True}})
    assert bench.take(0)["unet"] == 1e-2


def test_arguments_reach_the_optimizer() -> None:
    group = Bench(
        {"name": "adafactor", "args": {"scale_parameter": True, "clip_threshold": 0.5}}
    ).optimizer.param_groups[0]
    assert (group["scale_parameter"], group["relative_step"], group["clip_threshold"]) == (True, False, 0.5)
    group = Bench({"name": "lion", "betas": [0.8, 0.95], "weight_decay": 0.2}).optimizer.param_groups[0]
    assert (group["betas"], group["weight_decay"]) == ((0.8, 0.95), 0.2)
    group = Bench({"name": "adamw"}).optimizer.param_groups[0]
    assert (group["betas"], group["weight_decay"], group["eps"], group["fused"]) == ((0.9, 0.999), 0.01, 1e-8, True)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_argument_there_is_a_setting_for_is_one_of_the_class(name: str) -> None:
    kind = OPTIMIZERS[name]
    cls, arguments = resolve(Optimizer.model_validate({"name": name}))
    # Some classes take **kwargs and would swallow a name they do not know.
    assert arguments.keys() <= inspect.signature(cls).parameters.keys()
    assert cls.__name__ == kind.path.rpartition(".")[2]


@pytest.mark.parametrize(
    ("settings", "message", "remedy"),
    [
        ({"name": "torch.optim.RAdam", "args": {"decoupled_weight": True}}, "RAdam has no argument decoupled_weight", "Did you mean decoupled_weight_decay?"),
        ({"name": "torch.optim.SGD", "eps": 1e-8}, "SGD has no argument eps", "Leave it out"),
        ({"name": "torch.nn.Linear"}, "torch.nn.Linear is no optimizer class", ""),
        ({"name": "no_such_package.Class"}, "needs the package no_such_package", "Install no_such_package"),
    ],
)  # fmt: skip
def test_a_dotted_path_is_checked_when_it_is_imported(settings: dict[str, Any], message: str, remedy: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        resolve(Optimizer.model_validate(settings))
    assert remedy in (caught.value.remedy or "")


def test_what_the_class_refuses_is_told_with_its_own_words() -> None:
    with pytest.raises(UserError, match="refuses its arguments: Invalid momentum value"):
        Bench({"name": "torch.optim.SGD", "args": {"momentum": -1.0}})


def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.delitem(sys.modules, "bitsandbytes.optim", raising=False)
    with pytest.raises(UserError, match="adamw8bit needs the package bitsandbytes") as caught:
        resolve(Optimizer.model_validate({"name": "adamw8bit"}))
    assert caught.value.remedy == 'pip install "sdtui[optimizers]"'
