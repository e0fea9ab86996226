"""Whole runs that measure held-out images: when, that training does not notice, and that no measurement is lost or repeated."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from sdtui.runs.layout import RunFolder
from sdtui.training.__main__ import main
from sdtui.training.validation import Validator
from tests.training.workplace import events, make_images, make_run

HELD = [{"path": "images"}, {"path": "held", "validation": True}]
CHANGES: dict[str, dict[str, Any]] = {
    "dataset": {"folders": HELD},
    "validation": {"every_epochs": 0, "every_steps": 2, "timesteps": [100, 700]},
    "training": {"steps": 5},
    "saving": {"every_steps": 2, "keep_last": 9},
    "captions": {"dropout": 0.3},
    "method": {"dropout": 0.3},
}
Make = Callable[..., RunFolder]


@pytest.fixture
def make(workplace: Path) -> Make:
    """A run with five squares and a wide image to train, and two squares and a wide one held out."""
    if not (workplace / "held").exists():
        make_images(workplace / "held", [(64, 64), (70, 70), (128, 64)])
    return lambda **changes: make_run(workplace, {**CHANGES, **changes})


def train(run: RunFolder) -> None:
    assert main([str(run.path)]) == 0, run.log_file.read_text()


def measured(run: RunFolder) -> list[tuple[int, float]]:
    return [(event["step"], event["loss"]) for event in events(run, "validation")]


def weights(run: RunFolder) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in load_file(run.output_dir / "tiny.safetensors").items()}


def test_it_is_measured_before_between_and_after(make: Make) -> None:
    run = make()
    train(run)
    assert events(run, "run")[0]["images"] == 6
    assert [step for step, _ in measured(run)] == [0, 2, 4, 5]
    first = events(run, "validation")[0]
    assert (first["images"], list(first["folders"])) == (3, ["held"])
    assert first["folders"]["held"] == first["loss"]
    assert first["seconds"] > 0
    # Each but the first with other weights.
    assert len({loss for _, loss in measured(run)}) == 4
    states = [event["state"] for event in events(run, "state")]
    assert states[2:5] == ["validating", "training", "validating"]
    assert {(event["total"], event["unit"]) for event in events(run, "progress") if event["job"] == "measuring"} == {
        (3, "images")
    }
    with safe_open(run.output_dir / "tiny.safetensors", "pt") as opened:
        told = opened.metadata()
    assert (told["ss_num_validation_images"], told["ss_num_train_images"]) == ("3", "6")


@pytest.mark.parametrize(
    "without",
    [
        {"validation": {"every_epochs": 0}},
        {"dataset": {"folders": HELD[:1]}},
        {"dataset": {"folders": HELD[:1]}, "captions": {"dropout": 0.3, "shuffle": True}},
    ],
    ids=["never measured", "nothing held out", "texts are drawn"],
)
def test_training_ends_with_the_same_bits_with_and_without(
    make: Make, without: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = {"captions": without["captions"]} if "captions" in without else {}
    one, other = make(**shared), make(**without)
    for run in (one, other):
        monkeypatch.setenv("SDTUI_CACHE", str(tmp_path / run.name))
        train(run)
    assert len(measured(one)) == 4
    assert measured(other) == []
    assert [event["loss"] for event in events(one, "step")] == [event["loss"] for event in events(other, "step")]
    assert weights(one) == weights(other)


@pytest.mark.parametrize("method", [{}, {"text_encoder": True}], ids=["unet", "text encoder"])
def test_a_resumed_run_measures_what_is_left(make: Make, method: dict[str, Any]) -> None:
    changes = {"method": {**CHANGES["method"], **method}}
    whole, resumed = make(**changes), make(**changes)
    train(whole)
    # As a process leaves it that is killed after its checkpoint of step 2.
    shutil.copytree(whole.checkpoint_dir(2), resumed.checkpoint_dir(2))
    train(resumed)
    assert measured(resumed) == measured(whole)[2:]


def test_a_stop_while_it_measures_is_made_up_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, stopped = make(), make()
    train(whole)
    loss = Validator._loss
    looks = 0

    def stopping(self: Validator, number: int) -> torch.Tensor:
        nonlocal looks
        looks += 1
        if looks == 5:  # the second image after step 2
            self._steering.stopping = "stop command"
        return loss(self, number)

    monkeypatch.setattr(Validator, "_loss", stopping)
    train(stopped)
    assert [event["state"] for event in events(stopped, "finished")] == ["stopped"]
    assert stopped.complete_checkpoints()[-1][0] == 2
    assert [step for step, _ in measured(stopped)] == [0]
    train(stopped)
    assert measured(stopped) == measured(whole)
    assert weights(stopped) == weights(whole)


def test_held_out_images_that_cannot_be_read_stop_the_run_like_any(tmp_path: Path, workplace: Path) -> None:
    make_images(tmp_path / "held", [(64, 64), (64, 64)])
    broken = tmp_path / "held" / "00.png"
    broken.write_bytes(broken.read_bytes()[:200])
    folders = [HELD[0], {"path": str(tmp_path / "held"), "validation": True}]
    run = make_run(workplace, {**CHANGES, "dataset": {"folders": folders}})
    assert main([str(run.path)]) == 2
    assert events(run, "error")[0]["images"] == [str(broken)]
    skipping = make_run(workplace, {**CHANGES, "dataset": {"folders": folders, "on_unreadable": "skip"}})
    train(skipping)
    assert events(skipping, "validation")[0]["images"] == 1
    assert [event["images"] for event in events(skipping, "run")] == [6]
