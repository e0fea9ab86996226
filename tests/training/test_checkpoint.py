"""Checkpoints: whole or not at all, verified, pruned, and exact."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from sdtui.errors import SdtuiError
from sdtui.profile.schema import Optimizer
from sdtui.runs.layout import RunFolder
from sdtui.training import checkpoint
from sdtui.training.checkpoint import Progress
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.optimizer import build

PARAMETERS = {"unet.a.down": torch.tensor([1.0, 2.0]), "unet.a.up": torch.zeros(2)}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, "run")


def adapter(path: Path) -> None:
    path.write_bytes(b"adapter")


def save(run: RunFolder, step: int, moments: dict[str, torch.Tensor] | None = None) -> Path:
    return checkpoint.save(run, Progress(step=step), PARAMETERS, moments or {}, {"adapter.safetensors": adapter})


def trained(steps: int, width: int = 3) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
    parameter = torch.nn.Parameter(torch.ones(width))
    optimizer = build([ParameterGroup(params=[parameter], name="unet", lr=0.1)], Optimizer())
    for step in range(steps):
        go_on(parameter, optimizer, step)
    return parameter, optimizer


def go_on(parameter: torch.nn.Parameter, optimizer: torch.optim.Optimizer, step: int) -> None:
    parameter.grad = torch.full_like(parameter, 0.1 * (step + 1))
    optimizer.step()


def test_a_checkpoint_holds_the_four_files_and_is_found(run: RunFolder) -> None:
    path = save(run, 500)
    assert path == run.checkpoints_dir / "step-000500"
    assert sorted(file.name for file in path.iterdir()) == [
        "adapter.safetensors", "complete", "state.json", "state.safetensors",
    ]  # fmt: skip
    found, damaged = checkpoint.load_latest(run)
    assert found is not None
    assert (found.path, found.progress, damaged) == (path, Progress(step=500), [])
    assert torch.equal(found.parameters["unet.a.down"], PARAMETERS["unet.a.down"])
    assert checkpoint.size_of(path) == sum(file.stat().st_size for file in path.iterdir())


def test_the_moving_average_lies_beside_what_is_trained(run: RunFolder) -> None:
    average = {name: tensor + 1 for name, tensor in PARAMETERS.items()}
    checkpoint.save(
        run, Progress(step=1, averaged=7), PARAMETERS, {}, {"adapter.safetensors": adapter}, average=average
    )
    found, _ = checkpoint.load_latest(run)
    assert found is not None
    assert found.progress.averaged == 7
    assert {name: tensor.tolist() for name, tensor in found.parameters.items()} == {
        "unet.a.down": [1.0, 2.0],
        "unet.a.up": [0.0, 0.0],
    }
    assert {name: tensor.tolist() for name, tensor in found.average.items()} == {
        "unet.a.down": [2.0, 3.0],
        "unet.a.up": [1.0, 1.0],
    }


def test_an_optimizer_goes_on_bit_for_bit(run: RunFolder) -> None:
    parameter, optimizer = trained(3)
    checkpoint.save(run, Progress(step=3), {"p": parameter}, checkpoint.optimizer_tensors(optimizer), {})
    found, _ = checkpoint.load_latest(run)
    assert found is not None
    second, fresh = trained(0)
    second.data.copy_(found.parameters["p"])
    checkpoint.restore_optimizer(fresh, found.optimizer, found.progress.optimizer)
    for step in (3, 4):
        go_on(parameter, optimizer, step)
        go_on(second, fresh, step)
    assert torch.equal(parameter, second)


def test_the_state_of_other_parameters_is_refused() -> None:
    _, optimizer = trained(1)
    _, other = trained(0, width=5)
    with pytest.raises(SdtuiError, match="of other parameters"):
        checkpoint.restore_optimizer(other, checkpoint.optimizer_tensors(optimizer), {})


def test_the_newest_complete_one_is_taken(run: RunFolder) -> None:
    for step in (1, 20, 3):
        save(run, step)
    (run.checkpoints_dir / "step-000099").mkdir()  # no marker: killed while a former version wrote it
    found, damaged = checkpoint.load_latest(run)
    assert found is not None
    assert (found.progress.step, damaged) == (20, [])


@pytest.mark.parametrize("name", ["adapter.safetensors", "state.safetensors", "state.json", "complete"])
def test_a_damaged_one_is_passed_over_and_named(run: RunFolder, name: str) -> None:
    save(run, 1)
    path = save(run, 2)
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[:-2])
    found, damaged = checkpoint.load_latest(run)
    assert found is not None
    assert (found.progress.step, damaged) == (1, [run.checkpoints_dir / "damaged-step-000002"])
    assert (damaged[0] / "state.safetensors").exists()
    assert checkpoint.load_latest(run)[1] == []


def test_a_damaged_one_pushes_no_sound_one_out(run: RunFolder) -> None:
    """As when a run resumed from step 1 saves before it comes to the step whose checkpoint was damaged."""
    save(run, 1)
    (save(run, 3) / "state.json").write_text("{}")
    checkpoint.load_latest(run)
    save(run, 2)
    assert checkpoint.prune(run, 1) == [run.checkpoint_dir(1)]
    found, _ = checkpoint.load_latest(run)
    assert found is not None
    assert found.progress.step == 2


def test_there_may_be_none(run: RunFolder) -> None:
    assert checkpoint.load_latest(run) == (None, [])


def test_a_damaged_one_is_replaced_when_its_step_is_saved_again(run: RunFolder) -> None:
    path = save(run, 2)
    (path / "state.json").write_text("{}")
    assert checkpoint.load_latest(run)[0] is None
    save(run, 2)
    found, _ = checkpoint.load_latest(run)
    assert found is not None
    assert found.progress.step == 2


def test_the_last_n_are_kept(run: RunFolder) -> None:
    for step in (1, 2, 3):
        save(run, step)
    assert checkpoint.prune(run, 2) == [run.checkpoint_dir(1)]
    assert sorted(path.name for path in run.checkpoints_dir.iterdir()) == ["step-000002", "step-000003"]
    assert checkpoint.prune(run, 2) == []


def test_a_write_that_finds_no_space_leaves_nothing(run: RunFolder) -> None:
    save(run, 1)

    def full(path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError(28, os.strerror(28))

    with pytest.raises(SdtuiError, match="no space left"):
        checkpoint.save(run, Progress(step=2), PARAMETERS, {}, {"adapter.safetensors": full})
    assert [path.name for path in run.checkpoints_dir.iterdir()] == ["step-000001"]


def test_what_a_killed_process_left_is_cleared(run: RunFolder) -> None:
    save(run, 1)
    for name in (".step-000002.partial", ".step-000001.removed"):
        (run.checkpoints_dir / name).mkdir()
        (run.checkpoints_dir / name / "state.json").write_text("{}")
    checkpoint.clear_partial(run)
    assert [path.name for path in run.checkpoints_dir.iterdir()] == ["step-000001"]
