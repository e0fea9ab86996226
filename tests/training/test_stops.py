"""Parts that stop learning before the run does: from there on bit for bit as they are, after a resume too."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import Tensor

from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.training.__main__ import main
from tests.support.tiny import tiny_pipeline
from tests.training.workplace import events, make_run, start, wait_for

STOPPED: dict[str, dict[str, Any]] = {
    "method": {"rank": 2, "alpha": 2.0, "text_encoder": True, "dropout": 0.2},
    "training": {"steps": 8},
    "saving": {"every_steps": 2, "keep_last": 9},
    # Decay and momentum, which a rate of zero would not hold.
    "optimizer": {"weight_decay": 0.5, "stops": {"text_encoder": 4}},
}


def trained(workplace: Path, changes: dict[str, dict[str, Any]]) -> RunFolder:
    run = make_run(workplace, changes)
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    return run


def parameters(run: RunFolder, step: int) -> dict[str, Tensor]:
    state = load_file(run.checkpoint_dir(step) / "state.safetensors")
    return {name: value for name, value in state.items() if name.startswith("parameter/")}


def moved(run: RunFolder, first: int, last: int) -> set[str]:
    """The components, and the blocks of the UNet, of which anything changed between two checkpoints."""
    one, two = parameters(run, first), parameters(run, last)
    changed = [name.removeprefix("parameter/") for name in one if not one[name].equal(two[name])]
    return {".".join(name.split(".")[: 2 if name.startswith("unet") else 1]) for name in changed}


def groups(run: RunFolder) -> list[list[str]]:
    return [sorted(step["lr"]) for step in events(run, "step")]


@pytest.mark.parametrize(
    "optimizer", ["adamw", "adafactor", "lion", "prodigy", "schedule-free-adamw", "came", "adamw8bit"]
)
def test_a_stopped_part_stays_bit_for_bit(workplace: Path, optimizer: str) -> None:
    settings = {"name": optimizer, "stops": {"text_encoder": 4}}
    run = trained(workplace, {**STOPPED, "optimizer": settings})
    assert "text_encoder" in moved(run, 2, 4)
    assert "text_encoder" not in moved(run, 4, 8)
    assert moved(run, 4, 8)
    assert groups(run) == [["text_encoder", "unet"]] * 4 + [["unet"]] * 4
    assert [(event["step"], event["group"]) for event in events(run, "stop_point")] == [(4, "text_encoder")]


def test_its_rate_is_gone_from_what_watchers_see(workplace: Path) -> None:
    run = trained(workplace, STOPPED)
    view = RunView(run)
    view.refresh()
    rates = view.series.rates
    assert [value == value for value in rates["text_encoder"]] == [True] * 4 + [False] * 4
    assert all(value == value for value in rates["unet"])
    assert "text encoder learns no more after step 4" in [message.text for message in view.messages]


@pytest.mark.parametrize("stop", [0.5, "1 epoch"], ids=str)
def test_shares_and_epochs_come_to_steps(workplace: Path, stop: float | str) -> None:
    # Five squares and a wide one, in batches of two: four steps an epoch.
    run = trained(workplace, {**STOPPED, "optimizer": {"stops": {"text_encoder": stop}}})
    assert [event["step"] for event in events(run, "stop_point")] == [4]


def test_a_block_of_the_unet_stops_with_its_own_rate(workplace: Path, tmp_path: Path) -> None:
    model = {"base": str(tiny_pipeline(tmp_path))}
    optimizer = {"block_rates": {"mid_block": 0.5, "down_blocks": 2.0}, "stops": {"mid_block": 2, "down_blocks.0": 4}}
    run = trained(workplace, {**STOPPED, "model": model, "optimizer": {**optimizer, "learning_rate": 1e-3}})
    first = events(run, "step")[0]["lr"]
    assert first == {
        "unet": 1e-3, "unet.mid_block": 5e-4, "unet.down_blocks": 2e-3, "unet.down_blocks.0": 2e-3, "text_encoder": 1e-3,
    }  # fmt: skip
    assert moved(run, 2, 4) == {"text_encoder", "unet.down_blocks", "unet.up_blocks"}
    four, eight = parameters(run, 4), parameters(run, 8)
    still = {name for name in four if four[name].equal(eight[name])}
    assert still == {name for name in four if ".mid_block." in name or ".down_blocks.0." in name}


def test_a_whole_model_s_text_encoder_stops(workplace: Path) -> None:
    run = trained(workplace, {**STOPPED, "method": {"kind": "full", "text_encoder": True}})
    assert "text_encoder" not in moved(run, 4, 8)
    assert "unet.down_blocks" in moved(run, 4, 8)


@pytest.mark.parametrize("after", [2, 4, 6], ids=lambda step: f"after-step-{step}")
def test_killed_and_resumed_it_ends_with_the_same_bits(workplace: Path, after: int) -> None:
    whole = trained(workplace, STOPPED)
    run = make_run(workplace, STOPPED)
    process = start(run)
    wait_for((run.checkpoint_dir(after) / "complete").exists, f"step {after}", process)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    for step, folder in run.complete_checkpoints():
        if step > after:
            shutil.rmtree(folder)
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    one, two = (load_file(each.output_dir / "tiny.safetensors") for each in (whole, run))
    assert all(one[name].equal(two[name]) for name in one)
    # Told once, however often the run began again after it.
    view = RunView(run)
    view.refresh()
    assert [value == value for value in view.series.rates["text_encoder"]] == [True] * 4 + [False] * 4


def test_a_run_of_which_nothing_learns_to_the_end_is_refused(workplace: Path) -> None:
    run = make_run(
        workplace, {"method": {"rank": 2, "include": ["mid_block.*"]}, "optimizer": {"stops": {"mid_block": 2}}}
    )
    assert main([str(run.path)]) == 2
    assert events(run, "error")[0]["where"] == "optimizer.stops"


def test_a_block_that_is_none_of_the_model_s_is_refused(workplace: Path) -> None:
    run = make_run(workplace, {**STOPPED, "optimizer": {"stops": {"mid_blok": 2}}})
    assert main([str(run.path)]) == 2
    (told,) = events(run, "error")
    assert (told["where"], told["remedy"]) == ("optimizer.stops", "Did you mean mid_block?")
