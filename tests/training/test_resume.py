"""A run killed at any step and resumed ends with the same bits as one that was never interrupted."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from sdtui.runs.layout import RunFolder
from tests.training.workplace import events, make_run, start, wait_for

STEPS = 10

PLAIN: dict[str, dict[str, Any]] = {
    "training": {"steps": STEPS},
    "saving": {"every_steps": 3},
    "schedule": {"name": "cosine", "warmup": 2},
}
# Everything that draws a random number or keeps a state.
EVERYTHING: dict[str, dict[str, Any]] = {
    **PLAIN,
    "method": {"text_encoder": True, "dropout": 0.2},
    "captions": {"dropout": 0.5},
    "training": {"steps": STEPS, "accumulation": 2},
    "objective": {
        "noise_offset": 0.1,
        "noise_offset_random": True,
        "multires_iterations": 3,
        "input_perturbation": 0.1,
        "min_snr_gamma": 5.0,
        "loss": "huber",
    },
    "previews": {"every": 4, "prompts": ["a red square --w 64 --h 64 --s 1"]},
}
# Texts that no cache was filled with, read by a text encoder that is not trained.
DRAWN: dict[str, dict[str, Any]] = {
    **PLAIN,
    "captions": {
        "shuffle": True,
        "tag_dropout": 0.3,
        "token_warmup": 4,
        "wildcards": True,
        "prefix": "{a|the} photo, ",
    },
}
# Steps on other weights than those that are written and shown.
AVERAGED: dict[str, dict[str, Any]] = {
    **PLAIN,
    "optimizer": {"name": "schedule-free-adamw", "learning_rate": 1e-2, "lora_plus_ratio": 2.0},
    "schedule": {"warmup": 2},
    "previews": {"every": 4, "prompts": ["a red square --w 64 --h 64 --s 1"]},
}


def weights(run: RunFolder) -> dict[str, bytes]:
    tensors = load_file(run.output_dir / "tiny.safetensors")
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


def train_to_the_end(run: RunFolder) -> None:
    process = start(run)
    process.join(120)
    assert process.exitcode == 0, run.log_file.read_text()


def kill_at(run: RunFolder, step: int) -> None:
    process = start(run)
    seen = len(events(run))
    wait_for(lambda: any(e["step"] >= step for e in events(run)[seen:] if e["kind"] == "step"), f"step {step}", process)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    "changes", [PLAIN, EVERYTHING, DRAWN, AVERAGED], ids=["plain", "everything", "drawn", "averaged"]
)
def test_killed_three_times_and_resumed_is_bit_equal(
    workplace: Path, changes: dict[str, dict[str, Any]], own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = make_run(workplace, changes), make_run(workplace, changes)
    train_to_the_end(whole)
    monkeypatch.setenv("SDTUI_CACHE", str(own_folders / "another-cache"))
    # Steps are random but such that each life gets further than the last checkpoint of the one before.
    chance = random.Random()
    for low, high in ((1, 4), (4, 6), (7, 9)):
        kill_at(killed, chance.randint(low, high))
    train_to_the_end(killed)
    resumed = [event["step"] for event in events(killed, "resumed")]
    assert resumed == sorted(resumed)
    assert resumed[1:] == [3, 6]
    assert weights(killed) == weights(whole)
    assert any(any(tensor) for name, tensor in weights(whole).items() if name.endswith("lora_up.weight"))


def test_the_seed_decides(workplace: Path) -> None:
    runs = [make_run(workplace, {"training": {"steps": 1, "seed": seed}}) for seed in (1, 2)]
    for run in runs:
        train_to_the_end(run)
    assert weights(runs[0]) != weights(runs[1])
