"""Whole runs with other adapters than plain LoRA: what they write, say, and that they resume bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tests.training.test_run import steps, train
from tests.training.workplace import events, make_run

DROPPED = {"dropout": 0.1, "rank_dropout": 0.2, "module_dropout": 0.1}


@pytest.mark.parametrize(
    "method",
    [
        {"algorithm": "lora", "targets": ["attention", "convolution"], "weight_decompose": True, **DROPPED},
        {"algorithm": "loha", "scale_weight_norms": 0.001, **DROPPED},
        {"algorithm": "lokr", "factor": 4, **DROPPED},
        {"algorithm": "boft", "norms": True},
    ],
)
def test_a_run_that_goes_on_from_its_checkpoint_ends_with_the_same_file(
    workplace: Path, method: dict[str, Any]
) -> None:
    saving = {"every_steps": 3}
    run = make_run(workplace, {"method": {"rank": 2, **method}, "saving": saving, "optimizer": {"learning_rate": 1e-2}})
    assert train(run) == 0
    kept = load_file(run.output_dir / "tiny.safetensors")
    (run.output_dir / "tiny.safetensors").unlink()
    assert [path.name for path in run.path.glob("checkpoints/*")] == ["step-000003"]
    assert train(run) == 0
    assert steps(run) == [1, 2, 3, 4, 4]
    again = load_file(run.output_dir / "tiny.safetensors")
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept[name], again[name]) for name in kept)


def test_the_limit_of_norms_is_kept_and_told(workplace: Path) -> None:
    changes = {"method": {"rank": 2, "scale_weight_norms": 0.005}, "optimizer": {"learning_rate": 1e-2}}
    run = make_run(workplace, changes)
    assert train(run) == 0
    told = events(run, "stats")[-1]["norms"]
    assert told["scaled"] > 0
    assert 0 < told["mean"] <= told["max"] <= 0.005 * 1.0001
    tensors = load_file(run.output_dir / "tiny.safetensors")
    stems = {name.partition(".")[0] for name in tensors}
    for stem in stems:
        down, up = tensors[f"{stem}.lora_down.weight"], tensors[f"{stem}.lora_up.weight"]
        assert (up.flatten(1) @ down.flatten(1)).norm() <= 0.005 * 1.0001
    with safe_open(run.output_dir / "tiny.safetensors", "pt") as opened:
        assert opened.metadata()["ss_scale_weight_norms"] == "0.005"


def test_without_a_limit_no_norms_are_told(workplace: Path) -> None:
    run = make_run(workplace)
    assert train(run) == 0
    assert all("norms" not in event for event in events(run, "stats"))


def test_every_layout_is_written(workplace: Path) -> None:
    run = make_run(workplace, {"saving": {"formats": ["kohya", "diffusers"]}, "method": {"rank": 2, "alpha": 1.0}})
    assert train(run) == 0
    files = ["output/tiny.safetensors", "output/tiny.diffusers.safetensors"]
    assert [event["path"] for event in events(run, "output")] == files
    kohya, diffusers = (load_file(run.path / file) for file in files)
    stem = "mid_block.attentions.0.proj_in"
    assert torch.equal(
        kohya[f"lora_unet_{stem.replace('.', '_')}.lora_up.weight"], diffusers[f"unet.{stem}.lora_B.weight"]
    )
    with safe_open(run.path / files[1], "pt") as opened:
        assert json.loads(opened.metadata()["lora_adapter_metadata"])["unet.lora_alpha"] == 1.0
