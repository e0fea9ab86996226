"""Two processes train one run: the same steps as one process takes, one log, one lock, and an end that all share."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from sdtui.runs import lock, record
from sdtui.runs.layout import RunFolder
from tests.training.workplace import events, make_run, start, wait_for

# In one process: all look at the same run.
pytestmark = pytest.mark.xdist_group("crew run")

STEPS = 12
# Three batches an epoch: in every other step one of two processes has none. All that draws a random number or keeps a
# state, and modules that some batches pass by.
EVERYTHING: dict[str, dict[str, Any]] = {
    "method": {"text_encoder": True, "dropout": 0.2, "module_dropout": 0.3},
    "training": {"steps": STEPS, "batch_size": 2, "ema_decay": 0.9},
    "captions": {"dropout": 0.3},
    "objective": {"noise_offset": 0.1, "input_perturbation": 0.1, "min_snr_gamma": 5.0},
    "schedule": {"name": "cosine", "warmup": 2},
    "saving": {"every_steps": 4, "keep_last": 9},
    "previews": {"every": 8, "prompts": ["a red square --w 64 --h 64 --s 1"]},
    "validation": {"share": 0.2, "every_steps": 6, "every_epochs": 0},
}


@pytest.fixture(scope="module")
def place(workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The workplace, with a cache that nothing was put in before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDTUI_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield workplace


@pytest.fixture(scope="module")
def shared(place: Path) -> RunFolder:
    """A run that two processes trained without a break."""
    run = make_run(place, {**EVERYTHING, "launch": {"processes": 2}})
    to_the_end(run)
    return run


def to_the_end(run: RunFolder) -> None:
    process = start(run)
    process.join(120)
    assert process.exitcode == 0, run.log_file.read_text()


def reach(run: RunFolder, step: int) -> ForkServerProcess:
    """A process that trains the run and has just come to that step."""
    process = start(run)
    seen = len(events(run))
    wait_for(lambda: any(e["step"] >= step for e in events(run)[seen:] if e["kind"] == "step"), f"step {step}", process)
    return process


def children(process: ForkServerProcess) -> list[int]:
    said = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in said.split()]


def tensors(path: Path) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in load_file(path).items()}


def test_the_steps_are_those_of_one_process_with_the_same_effective_batch(place: Path, shared: RunFolder) -> None:
    training = {**EVERYTHING["training"], "accumulation": 2}
    alone = make_run(place, {**EVERYTHING, "training": training})
    to_the_end(alone)
    both = [events(run, "step") for run in (alone, shared)]
    assert [event["step"] for event in both[1]] == list(range(1, STEPS + 1))
    for key in ("epoch", "images", "lr"):
        assert [event[key] for event in both[1]] == [event[key] for event in both[0]]
    for key in ("loss", "grad_norm"):
        assert [event[key] for event in both[1]] == pytest.approx([event[key] for event in both[0]], rel=1e-4)
    assert both[0][0]["images"] != both[0][1]["images"]
    measured = [[event["loss"] for event in events(run, "validation")] for run in (alone, shared)]
    assert measured[1] == pytest.approx(measured[0], rel=1e-4)


def test_one_process_writes(shared: RunFolder) -> None:
    kinds = [event["kind"] for event in events(shared)]
    assert kinds.count("run") == kinds.count("finished") == kinds.count("output") == 1
    assert [event["step"] for event in events(shared, "checkpoint")] == [4, 8, 12]
    assert [event["step"] for event in events(shared, "preview")] == [8, 12]
    assert [event["step"] for event in events(shared, "validation")] == [0, 6, 12]
    assert events(shared, "run")[0]["processes"] == 2
    assert record.read(shared).state == "finished"


def test_each_process_encodes_its_share(shared: RunFolder) -> None:
    assert {event["total"] for event in events(shared, "progress") if event["job"] == "encoding images"} == {3}


def test_whatever_ends_a_process_the_run_ends_and_goes_on_bit_for_bit(place: Path, shared: RunFolder) -> None:
    run = make_run(place, {**EVERYTHING, "launch": {"processes": 2}})

    # A batch system tells all of them to end: that is for the first to obey. Then one is killed.
    process = reach(run, 2)
    (child,) = children(process)
    assert lock.is_held(run)
    os.kill(child, signal.SIGTERM)
    wait_for(lambda: events(run, "step")[-1]["step"] >= 3, "another step", process)
    os.kill(child, signal.SIGKILL)
    process.join(60)
    assert process.exitcode == 1
    message = "process 1 was ended by SIGKILL, and the run cannot go on without it"
    assert [event["message"] for event in events(run, "error")] == [message]
    assert (record.read(run).state, record.read(run).reason) == ("failed", message)

    # The one that holds the lock is killed.
    process = reach(run, 6)
    (child,) = children(process)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert not lock.is_held(run)
    wait_for(lambda: not Path(f"/proc/{child}").exists(), "the other process ended with it")

    to_the_end(run)
    assert tensors(run.output_dir / "tiny.safetensors") == tensors(shared.output_dir / "tiny.safetensors")
    last = "state.safetensors"
    assert tensors(run.checkpoint_dir(STEPS) / last) == tensors(shared.checkpoint_dir(STEPS) / last)
