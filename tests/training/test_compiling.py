"""Blocks that are compiled learn what they would have learned, and where they cannot be compiled the run goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch._dynamo.backends.common import aot_autograd
from torch._dynamo.backends.debugging import boxed_nop

from sdtui.errors import SdtuiError
from sdtui.models.family import Model, load_model
from sdtui.models.quantised import Storage
from sdtui.profile.schema import Profile
from sdtui.training import compiling
from sdtui.training.__main__ import main
from sdtui.training.methods import lora
from tests.support.tiny import shallow_pipeline
from tests.training.workplace import events, make_images, make_run

Graph = Any


class Backend:
    """Counts what is compiled and runs it as it was."""

    def __init__(self) -> None:
        self.compiled = 0

    def __call__(self, graph: Graph, _: list[Tensor]) -> Callable[..., Any]:
        self.compiled += 1
        return graph.forward  # type: ignore[no-any-return]


def failing(graph: Graph, inputs: list[Tensor]) -> Callable[..., Any]:
    raise RuntimeError("no C++ compiler")


def failing_backwards(graph: Graph, inputs: list[Tensor]) -> Callable[..., Any]:
    return aot_autograd(fw_compiler=boxed_nop, bw_compiler=failing)(graph, inputs)


class FailingLater(Backend):
    """Compiles a few and then no more."""

    def __call__(self, graph: Graph, inputs: list[Tensor]) -> Callable[..., Any]:
        if self.compiled == 2:
            raise RuntimeError("no space left")
        return super().__call__(graph, inputs)


def unwanted(warning: SdtuiError) -> None:
    pytest.fail(str(warning))


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return shallow_pipeline(tmp_path / "model")


def trained(base: Path, *, storage: Storage = "same", checkpointed: bool = False) -> Model:
    model = load_model(base, None, torch.device("cpu"), torch.float32, storage)
    settings = Profile.model_validate({"model": {"base": "x"}, "method": {"rank": 2}}).method
    lora.prepare(model, settings, 0)
    model.unet.train()
    if checkpointed:
        model.checkpoint_gradients()
    return model


def gradients(model: Model, side: int) -> list[Tensor]:
    text = model.encode_text(["a cat"])
    noisy = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(0))
    torch.autograd.backward(model.predict(noisy, torch.tensor([3]), text).square().sum())
    found = [weight.grad.clone() for weight in model.unet.parameters() if weight.grad is not None]
    model.unet.zero_grad()
    return found


@pytest.mark.parametrize(
    ("storage", "checkpointed"), [("same", False), ("same", True), ("8bit", False)],
    ids=["plain", "checkpointed", "quantised"],
)  # fmt: skip
def test_each_size_is_compiled_once_and_learns_the_same(
    base: Path, monkeypatch: pytest.MonkeyPatch, storage: Storage, checkpointed: bool
) -> None:
    backend = Backend()
    monkeypatch.setattr(compiling, "BACKEND", backend)
    plain, compiled = (trained(base, storage=storage, checkpointed=checkpointed) for _ in range(2))
    logged: list[str] = []
    compiling.compile_blocks(compiled.unet, logged.append, unwanted)
    blocks = sum(type(module).__name__ in compiling.BLOCKS for module in plain.unet.modules())
    assert logged == [
        f"compiling {blocks} blocks of the UNet: the first step of each size of images takes minutes longer"
    ]
    counts = []
    for side in (8, 8, 16, 8):
        for ours, theirs in zip(gradients(compiled, side), gradients(plain, side), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
        counts.append(backend.compiled)
    assert 0 < counts[0] == counts[1] < counts[2] == counts[3]


def test_previews_and_measurements_are_not_compiled(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend()
    monkeypatch.setattr(compiling, "BACKEND", backend)
    model = trained(base)
    compiling.compile_blocks(model.unet, lambda _: None, unwanted)
    text = model.encode_text(["a cat"])
    with torch.no_grad():
        model.predict(torch.zeros(1, 4, 8, 8), torch.tensor([3]), text)
    model.unet.eval()
    model.predict(torch.zeros(1, 4, 8, 8), torch.tensor([3]), text)
    assert backend.compiled == 0


@pytest.mark.parametrize("backend", [failing, failing_backwards], ids=["forward", "backward"])
def test_a_failing_compiler_is_told_once_and_the_blocks_run_as_they_are(
    base: Path, monkeypatch: pytest.MonkeyPatch, backend: Callable[..., Any]
) -> None:
    monkeypatch.setattr(compiling, "BACKEND", backend)
    plain, uncompiled = trained(base), trained(base)
    warned: list[SdtuiError] = []
    compiling.compile_blocks(uncompiled.unet, lambda _: None, warned.append)
    for ours, theirs in zip(gradients(uncompiled, 8), gradients(plain, 8), strict=True):
        assert torch.equal(ours, theirs)
    (warning,) = warned
    assert warning.message.startswith("the UNet cannot be compiled here, and the rest of it is trained as it is: ")
    assert "no C++ compiler" in warning.message
    assert warning.where == "training.compile"


def test_a_compiler_that_fails_midway_leaves_checkpointed_blocks_as_they_began(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = FailingLater()
    monkeypatch.setattr(compiling, "BACKEND", backend)
    plain, partly = trained(base, checkpointed=True), trained(base, checkpointed=True)
    warned: list[SdtuiError] = []
    compiling.compile_blocks(partly.unet, lambda _: None, warned.append)
    for _ in range(2):
        for ours, theirs in zip(gradients(partly, 8), gradients(plain, 8), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert ["no space left" in warning.message for warning in warned] == [True]
    assert backend.compiled == 2


def test_a_compiled_run_has_the_losses_of_one_that_is_not(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "BACKEND", "aot_eager")
    make_images(base.parent / "images", [(64, 64), (64, 128)])
    losses = []
    for compiled in (False, True):
        run = make_run(base.parent, {"training": {"steps": 4, "compile": compiled}})
        assert main([str(run.path)]) == 0
        assert events(run, "warning") == []
        losses.append([event["loss"] for event in events(run, "step")])
    assert torch._dynamo.utils.counters["aot_autograd"]["ok"] > 0
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_a_compiled_run_resumes_with_the_same_bits(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend()
    monkeypatch.setattr(compiling, "BACKEND", backend)
    make_images(base.parent / "images", [(64, 64)] * 2)
    changes: dict[str, dict[str, Any]] = {
        "training": {"steps": 2, "compile": True, "ema_decay": 0.5},
        "saving": {"every_steps": 1},
    }
    run = make_run(base.parent, changes)
    assert main([str(run.path)]) == 0
    assert backend.compiled > 0
    assert events(run, "warning") == []
    finished = load_file(run.output_dir / "tiny.safetensors")
    shutil.rmtree(run.checkpoints_dir / "step-000002")
    torch._dynamo.reset()
    assert main([str(run.path)]) == 0
    resumed = load_file(run.output_dir / "tiny.safetensors")
    assert all(torch.equal(resumed[name], tensor) for name, tensor in finished.items())


def test_a_run_whose_compiler_fails_says_so_and_finishes(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "BACKEND", failing)
    make_images(base.parent / "images", [(64, 64)])
    run = make_run(base.parent, {"training": {"steps": 1, "compile": True}})
    assert main([str(run.path)]) == 0
    assert ["cannot be compiled here" in event["message"] for event in events(run, "warning")] == [True]
