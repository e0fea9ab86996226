"""A run killed at any step and resumed ends with the same bits as one that was never interrupted."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.runs.layout import RunFolder
from sdtui.training.__main__ import main
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
    "training": {"steps": STEPS, "accumulation": 2, "ema_decay": 0.9},
    "objective": {
        "noise_offset": 0.1,
        "noise_offset_random": True,
        "multires_iterations": 3,
        "input_perturbation": 0.1,
        "min_snr_gamma": 5.0,
        "loss": "huber",
    },
    "previews": {"every": 4, "prompts": ["a red square --w 64 --h 64 --s 1"]},
    "validation": {"share": 0.2, "every_steps": 3},
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
# Regularisation, masks and class captions, whose frozen answers pass the adapter by.
KEPT: dict[str, dict[str, Any]] = {
    **PLAIN,
    "method": {"rank": 2, "alpha": 2.0, "text_encoder": True, "dropout": 0.2},
    "training": {"steps": STEPS, "accumulation": 2},
    "dataset": {"folders": [{"path": "images", "masks": "masks"}, {"path": "kept", "regularization": True}]},
    "objective": {"unmasked_weight": 0.1, "unmasked_chance": 0.3},
    "prior": {"weight": 0.5, "target": "frozen", "class_caption": "a house", "trigger": "square"},
}

# Ways that each step draws, encoded again into an empty cache by a life that may be killed while it does.
AUGMENTED: dict[str, dict[str, Any]] = {
    **PLAIN,
    "dataset": {"buckets": "none"},
    "augment": {"flip": True, "crop": "random", "brightness": 0.2, "saturation": 0.3, "hue": 0.1, "variants": 3},
}
# The model's own weights, and what they answered before.
WHOLE: dict[str, dict[str, Any]] = {
    **PLAIN,
    "method": {"kind": "full", "text_encoder": True},
    "training": {"steps": STEPS, "accumulation": 2, "ema_decay": 0.9},
    "prior": {"class_caption": "a house", "trigger": "square"},
    "previews": {"every": 4, "prompts": ["a red square --w 64 --h 64 --s 1"]},
    "validation": {"share": 0.2, "every_steps": 3},
}

# Words alone, each at its own rate and pulled to a length, of lines and latents that are drawn.
WORDS: dict[str, dict[str, Any]] = {
    **PLAIN,
    "method": {
        "kind": "textual-inversion",
        "words": [
            {"name": "zzza", "vectors": 2, "norm": 0.4, "learning_rate": 0.01},
            {"name": "zzzb", "init": "square"},
        ],
    },
    "captions": {"template": "subject_filewords", "shuffle": True, "tag_dropout": 0.3},
    "training": {"steps": STEPS, "accumulation": 2, "ema_decay": 0.9},
    "objective": {"latents": "once"},
    "schedule": {"rates": "0.01:4, 0.001:0.9, 0.0001"},
    "previews": {"every": 4, "prompts": ["a zzza --w 64 --h 64 --s 1"]},
    "validation": {"share": 0.2, "every_steps": 3},
}
# Words and an adapter, held to what the model said without either.
PIVOTAL: dict[str, dict[str, Any]] = {
    **PLAIN,
    "method": {"rank": 2, "dropout": 0.2, "words": [{"name": "zzza", "vectors": 2, "learning_rate": 0.01}]},
    "captions": {"template": "subject_filewords"},
    "prior": {"class_caption": "a house", "trigger": "zzza"},
    "saving": {**PLAIN["saving"], "word_formats": ["bundle"]},
}


def weights(run: RunFolder) -> dict[str, bytes]:
    files = sorted(run.output_dir.rglob("*.safetensors"))
    assert files
    return {
        f"{file.name} {name}": tensor.numpy().tobytes() for file in files for name, tensor in load_file(file).items()
    }


def everything_in(checkpoint: Path) -> dict[str, bytes]:
    """What is trained, its average and the optimizer's state, as the checkpoint has them."""
    return {name: tensor.numpy().tobytes() for name, tensor in load_file(checkpoint / "state.safetensors").items()}


def measurements(run: RunFolder) -> dict[int, float]:
    """What a watcher knows in the end: each step's last figure."""
    return {event["step"]: event["loss"] for event in events(run, "validation")}


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
    "changes",
    [PLAIN, EVERYTHING, DRAWN, AVERAGED, KEPT, AUGMENTED, WHOLE, WORDS, PIVOTAL],
    ids=["plain", "everything", "drawn", "averaged", "kept", "augmented", "whole", "words", "pivotal"],
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
    assert measurements(killed) == measurements(whole)
    assert everything_in(killed.checkpoint_dir(9)) == everything_in(whole.checkpoint_dir(9))
    learned = ("lora_up.weight", "middle_block.0.out_layers.3.bias", "emb_params")
    assert any(any(tensor) for name, tensor in weights(whole).items() if name.endswith(learned))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_goes_on_in_the_middle_of_an_epoch(workplace: Path, name: str) -> None:
    finds_rate, averages = OPTIMIZERS[name].finds_rate, OPTIMIZERS[name].averages
    changes: dict[str, dict[str, Any]] = {
        "optimizer": {"name": name, "learning_rate": 1.0 if finds_rate else 1e-3},
        "schedule": {"warmup": 2} if averages else {"name": "cosine"},
        # Two steps an epoch, so that step 3 lies in the middle of the second.
        "training": {"steps": 4, "accumulation": 2, "ema_decay": 0.0 if averages else 0.8},
        "saving": {"every_steps": 1, "keep_last": 9},
    }
    whole, resumed = make_run(workplace, changes), make_run(workplace, changes)
    assert main([str(whole.path)]) == 0
    # As a process leaves it that is killed after its checkpoint of step 3.
    shutil.copytree(whole.checkpoint_dir(3), resumed.checkpoint_dir(3))
    assert main([str(resumed.path)]) == 0
    assert [event["step"] for event in events(resumed, "step")] == [4]
    assert weights(resumed) == weights(whole)
    last = everything_in(resumed.checkpoint_dir(4))
    assert last == everything_in(whole.checkpoint_dir(4))
    assert any(key.startswith("average/") for key in last) is not averages


def test_the_seed_decides(workplace: Path) -> None:
    runs = [make_run(workplace, {"training": {"steps": 1, "seed": seed}}) for seed in (1, 2)]
    for run in runs:
        train_to_the_end(run)
    assert weights(runs[0]) != weights(runs[1])
