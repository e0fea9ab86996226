"""Gradients that are applied within the backward pass: the same steps, and never all gradients at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from torch import nn

from sdtui.profile.schema import Optimizer
from sdtui.runs.layout import RunFolder
from sdtui.training import checkpoint
from sdtui.training.__main__ import main
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.optimizer import GuardedStep, build, set_rates
from tests.training.workplace import events, make_run

WHOLE: dict[str, dict[str, Any]] = {
    "method": {"kind": "full", "text_encoder": True},
    "training": {"clip_norm": 0.0, "steps": 4},
    "optimizer": {"text_encoder_learning_rate": 1e-4},
    "saving": {"formats": ["folder"], "every_steps": 2},
}
FUSABLE = ["adamw", "adamw8bit", "adafactor", "lion", "came"]


class Bench:
    """Three layers under a guarded step, in two groups with rates of their own."""

    def __init__(self, name: str = "adamw", *, fused: bool) -> None:
        torch.manual_seed(1)
        self.accelerator = Accelerator(cpu=True)
        self.layers = nn.Sequential(nn.Linear(64, 80), nn.SiLU(), nn.Linear(80, 80), nn.SiLU(), nn.Linear(80, 64))
        first, *rest = self.layers.parameters()
        groups = [ParameterGroup(name="a", params=[first], lr=1e-2), ParameterGroup(name="b", params=rest, lr=3e-3)]
        self.optimizer = self.accelerator.prepare(build(groups, Optimizer(name=name)))
        self.step = GuardedStep(self.accelerator, self.optimizer, 0.0, fused_backward=fused)
        self.alive: list[int] = []

    def train(self, factor: float = 1.0) -> float:
        generator = torch.Generator().manual_seed(3)
        loss = (self.layers(torch.randn(4, 64, generator=generator)) * factor).square().mean()
        self.accelerator.backward(loss)
        self.alive.append(sum(parameter.grad is not None for parameter in self.step.parameters))
        return self.step(loss.detach()).item()

    def weights(self) -> list[torch.Tensor]:
        return [parameter.detach().clone() for parameter in self.layers.parameters()]


@pytest.mark.parametrize("name", FUSABLE)
def test_the_same_steps_bit_for_bit(name: str) -> None:
    plain, fused = Bench(name, fused=False), Bench(name, fused=True)
    for factor in (1.0, 3.0, 0.5, 1.0, 2.0):
        assert fused.train(factor) == pytest.approx(plain.train(factor), rel=1e-5)
    assert all(one.equal(two) for one, two in zip(plain.weights(), fused.weights(), strict=True))
    one, two = plain.optimizer.state_dict(), fused.optimizer.state_dict()
    assert [{**group, "params": 0} for group in one["param_groups"]] == [
        {**group, "params": 0} for group in two["param_groups"]
    ]
    assert (set(plain.alive), set(fused.alive)) == ({6}, {0})


def test_a_pass_that_nothing_took_part_in_has_no_norm() -> None:
    bench = Bench(fused=True)
    assert bench.step(torch.tensor(1.0)).item() == 0.0
    assert not bench.step.failed


@pytest.mark.parametrize("name", FUSABLE)
def test_after_a_resume_the_rates_still_reach_it(name: str) -> None:
    whole, resumed = Bench(name, fused=True), Bench(name, fused=True)
    for step, factor in enumerate((1.0, 0.5, 0.25, 0.1)):
        if step == 2:
            kept = checkpoint.optimizer_tensors(resumed.optimizer), checkpoint.optimizer_numbers(resumed.optimizer)
            checkpoint.restore_optimizer(resumed.optimizer, *kept)
        for bench in (whole, resumed):
            set_rates(bench.optimizer, factor)
            bench.train()
    assert all(one.equal(two) for one, two in zip(whole.weights(), resumed.weights(), strict=True))


def test_gradients_never_exist_together() -> None:
    bench = Bench(fused=True)
    most = 0

    def look(parameter: nn.Parameter) -> None:
        nonlocal most
        assert parameter.grad is None, "the optimizer's own hook frees it first"
        most = max(most, sum(each.grad is not None for each in bench.step.parameters))

    for parameter in bench.step.parameters:
        assert isinstance(parameter, nn.Parameter)
        parameter.register_post_accumulate_grad_hook(look)  # type: ignore[no-untyped-call]
    bench.train()
    # A layer's weight and bias may arrive together.
    assert most <= 1


def test_from_a_gradient_that_is_not_finite_on_nothing_is_applied() -> None:
    bench = Bench(fused=True)
    bench.train()
    before = bench.weights()
    assert math.isnan(bench.train(math.nan))
    assert bench.step.failed.item() == 1
    bench.train()
    assert all(one.equal(two) for one, two in zip(before, bench.weights(), strict=True))


def trained(workplace: Path, changes: dict[str, dict[str, Any]] | None = None, **training: Any) -> RunFolder:
    sections = {**WHOLE, **(changes or {})}
    run = make_run(workplace, {**sections, "training": {**WHOLE["training"], **training}})
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    return run


def losses(run: RunFolder) -> list[float]:
    return [step["loss"] for step in events(run, "step")]


@pytest.mark.parametrize("changes", [{}, {"prior": {"class_caption": "a house"}}], ids=["plain", "class-caption"])
def test_a_run_ends_with_the_same_weights(workplace: Path, changes: dict[str, dict[str, Any]]) -> None:
    more = {"gradient_checkpointing": True, "ema_decay": 0.9}
    plain, fused = trained(workplace, changes, **more), trained(workplace, changes, fused_backward=True, **more)
    assert losses(plain) == losses(fused)
    one, two = (load_file(run.checkpoint_dir(4) / "state.safetensors") for run in (plain, fused))
    assert one.keys() == two.keys()
    assert all(one[name].equal(two[name]) for name in one)
    norms = [[step["grad_norm"] for step in events(run, "step")] for run in (plain, fused)]
    assert norms[1] == pytest.approx(norms[0], rel=1e-4)
    assert all(norm > 0 for norm in norms[1])


def test_resumed_it_ends_with_the_same_weights(workplace: Path) -> None:
    import shutil

    whole, run = trained(workplace, fused_backward=True), trained(workplace, fused_backward=True)
    shutil.rmtree(run.checkpoint_dir(4))
    shutil.rmtree(run.output_dir)
    assert main([str(run.path)]) == 0
    one, two = (load_file(each.checkpoint_dir(4) / "state.safetensors") for each in (whole, run))
    assert all(one[name].equal(two[name]) for name in one)


def test_parts_that_stop_are_stopped_here_too(workplace: Path) -> None:
    stops = {"optimizer": {"stops": {"text_encoder": 2}}}
    plain, fused = trained(workplace, stops), trained(workplace, stops, fused_backward=True)
    one, two = (load_file(run.checkpoint_dir(4) / "state.safetensors") for run in (plain, fused))
    assert all(one[name].equal(two[name]) for name in one)


def test_a_batch_that_does_not_fit_cannot_be_cut(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sdtui.training.step import Stepper

    def full(*_: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Stepper, "predict", full)
    run = make_run(workplace, {**WHOLE, "training": {**WHOLE["training"], "fused_backward": True}})
    assert main([str(run.path)]) == 1
    (told,) = events(run, "error")
    assert told["where"] == "training.fused_backward"
    assert "no memory for 2 images" in told["message"]
