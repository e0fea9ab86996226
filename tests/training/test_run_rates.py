"""Whole runs with other optimizers, rates and objectives than the usual ones: what they write and say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sdtui.runs import control
from sdtui.runs.layout import RunFolder
from sdtui.training import checkpoint
from tests.training.test_run import PREVIEWS, steps, train
from tests.training.workplace import events, make_run


def rates(run: RunFolder) -> list[dict[str, float]]:
    return [event["lr"] for event in events(run, "step")]


def output(run: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(run.output_dir / "tiny.safetensors")


def test_a_text_of_rates_sets_them_and_ends_the_run(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 10}, "schedule": {"rates": "0.001:2, 0.0005:0.3"}})
    assert train(run) == 0
    assert steps(run) == [1, 2, 3]
    assert [rate["unet"] for rate in rates(run)] == pytest.approx([1e-3, 1e-3, 5e-4])
    assert events(run, "run")[0]["steps_total"] == 3


def test_blocks_and_up_matrices_learn_at_their_own_rates(workplace: Path) -> None:
    blocks = {"up_blocks": 0.5, "unet.down_blocks": 0.0}
    changes = {"optimizer": {"learning_rate": 1e-3, "lora_plus_ratio": 4.0, "block_rates": blocks}}
    run = make_run(workplace, changes)
    assert train(run) == 0
    told = {name: rate for name, rate in rates(run)[0].items() if "up_blocks" in name}
    assert told == pytest.approx({"unet.up_blocks": 5e-4, "unet.up_blocks up": 2e-3})
    assert not any("down_blocks" in name for name in rates(run)[0])
    learned = {name: bool(tensor.any()) for name, tensor in output(run).items() if name.endswith("lora_up.weight")}
    assert not any(value for name, value in learned.items() if "down_blocks" in name)
    assert all(value for name, value in learned.items() if "up_blocks" in name)


def test_a_block_that_is_none_of_the_models_is_refused(workplace: Path) -> None:
    run = make_run(workplace, {"optimizer": {"block_rates": {"mid_blok": 0.5}}})
    assert train(run) == 2
    error = events(run, "error")[0]
    assert error["message"].startswith("no trained layer is in unet.mid_blok; there are: unet.down_blocks")
    assert error["where"] == "optimizer.block_rates"


def test_schedule_free_writes_and_shows_the_average_and_goes_on_from_its_own_weights(workplace: Path) -> None:
    changes: dict[str, dict[str, Any]] = {
        "optimizer": {"name": "schedule-free-adamw", "learning_rate": 1e-2},
        "saving": {"every_steps": 4},
    }
    run = make_run(workplace, changes)
    assert train(run) == 0
    found, _ = checkpoint.load_latest(run)
    assert found is not None
    assert found.progress.step == 4
    adapter = load_file(found.path / "adapter.safetensors")
    written = output(run)
    assert all(torch.equal(adapter[name], written[name]) for name in written)
    name = next(name for name in found.parameters if name.endswith(".up"))
    ups = [tensor for key, tensor in written.items() if key.endswith("lora_up.weight")]
    kept = found.parameters[name]
    assert not any(tensor.shape == kept.shape and torch.allclose(tensor, kept) for tensor in ups)


def test_adafactor_with_a_rate_of_its_own_takes_no_other(workplace: Path) -> None:
    changes = {"optimizer": {"name": "adafactor", "args": {"relative_step": True, "warmup_init": True}}}
    run = make_run(workplace, changes)
    control.send(run, "set", key="learning_rate_factor", value=0.5)
    assert train(run) == 0
    assert [event["status"] for event in events(run, "control")] == ["refused"]
    assert [rate["unet"] for rate in rates(run)] == pytest.approx([1e-6, 2e-6, 3e-6, 4e-6])


def test_a_missing_package_is_told_before_anything_is_read(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer.optimizer.lion", None)
    run = make_run(workplace, {"optimizer": {"name": "lion"}})
    assert train(run) == 2
    assert "lion needs the package pytorch_optimizer" in events(run, "error")[0]["message"]
    assert events(run, "progress") == []


def test_a_model_that_is_to_predict_velocity_from_pure_noise_trains_and_draws(workplace: Path) -> None:
    objective = {"prediction": "v_prediction", "zero_terminal_snr": True, "timestep_min": 999}
    run = make_run(workplace, {"objective": objective, "previews": PREVIEWS})
    assert train(run) == 0
    assert len(events(run, "preview")) == 1
    assert events(run, "preview_failed") == []
    assert all(event["loss"] > 0 for event in events(run, "step"))


def test_a_weight_for_the_other_kind_of_model_is_refused_as_soon_as_the_kind_is_known(workplace: Path) -> None:
    run = make_run(workplace, {"objective": {"prediction": "auto", "scale_velocity_loss": True}})
    assert train(run) == 2
    (error,) = events(run, "error")
    assert error["where"] == "objective.scale_velocity_loss"
    assert error["message"].endswith('is not for a model that predicts "epsilon", as the base model does')


def test_pure_noise_tells_a_model_that_predicts_noise_nothing(workplace: Path) -> None:
    run = make_run(workplace, {"objective": {"zero_terminal_snr": True}})
    assert train(run) == 2
    assert events(run, "error")[0]["where"] == "objective.zero_terminal_snr"
