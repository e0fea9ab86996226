"""Whole runs that keep what the model knew: what they tell, and that the model stays nearer to what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.dataset.collect import collect
from sdtui.dataset.survey import survey
from sdtui.models.family import load_model
from sdtui.profile.load import load_frozen
from sdtui.profile.plan import make_plan
from sdtui.runs.layout import RunFolder
from sdtui.training import checkpoint
from sdtui.training.__main__ import main
from sdtui.training.methods import METHODS
from tests.training.workplace import events, make_run

FAST: dict[str, dict[str, Any]] = {"optimizer": {"learning_rate": 1e-2}, "training": {"steps": 12, "batch_size": 3}}


def trained(workplace: Path, changes: dict[str, dict[str, Any]]) -> RunFolder:
    run = make_run(workplace, {**FAST, "saving": {"every_steps": 12}, **changes})
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    return run


def with_regularization(workplace: Path) -> dict[str, Any]:
    kept = {"path": str(workplace / "kept"), "regularization": True}
    return {"folders": [{"path": str(workplace / "images")}, kept]}


@torch.no_grad()
def drift(run: RunFolder, caption: str) -> float:
    """How far the answers to a caption are from those before training, as a mean square."""
    profile = load_frozen(run.profile_file)
    model = load_model(Path(profile.model.base), None, torch.device("cpu"), torch.float32)
    trainable = METHODS["lora"].prepare(model, profile.method, 0)
    found, _ = checkpoint.load_latest(run)
    assert found is not None
    trainable.load_state(found.parameters)
    noisy = torch.randn(8, 4, 12, 12, generator=torch.Generator().manual_seed(4))
    timesteps = torch.arange(60, 1000, 120)

    def answer() -> torch.Tensor:
        return model.predict(noisy, timesteps, model.encode_text([caption] * 8))

    with trainable.frozen():
        before = answer()
    return float((answer() - before).square().mean())


def test_a_run_tells_what_of_its_loss_teaches_what_to_keep(workplace: Path) -> None:
    changes = {"dataset": with_regularization(workplace), "training": {"epochs": 2, "steps": None, "batch_size": 2}}
    run = trained(workplace, changes)
    begun = events(run)[0]
    # Six images and six times one of three kept ones: 5 + 4 squares and 1 + 2 wide ones in batches of 2.
    assert (begun["images"], begun["steps_total"], begun["epochs_total"]) == (12, 14, 2)
    profile = load_frozen(run.profile_file)
    plan = make_plan(profile, survey(profile, collect(profile)))
    assert (plan.samples, plan.steps_per_epoch, plan.steps) == (12, 7, 14)
    steps = events(run, "step")
    assert sum(step["images"] for step in steps) == 24
    assert all(0 <= step["loss_prior"] <= step["loss"] for step in steps)
    # Half of all images: what is kept is neither nothing nor all.
    assert 0 < sum(step["loss_prior"] for step in steps) < sum(step["loss"] for step in steps)


def test_a_run_that_keeps_nothing_tells_no_such_part(workplace: Path) -> None:
    assert "loss_prior" not in events(trained(workplace, {"training": {"steps": 1}}), "step")[0]


@pytest.mark.parametrize("text_encoder", [False, True], ids=["unet", "text-encoder-too"])
def test_with_a_class_caption_the_class_stays_nearer_to_what_it_was(workplace: Path, text_encoder: bool) -> None:
    method = {"rank": 2, "alpha": 2.0, "text_encoder": text_encoder}
    plain = trained(workplace, {"method": method})
    kept = trained(workplace, {"method": method, "prior": {"class_caption": "a house", "class_weight": 4.0}})
    assert drift(kept, "a house") < 0.5 * drift(plain, "a house")
    first, *_, last = events(kept, "step")
    assert first["loss_prior"] == pytest.approx(0, abs=1e-9)
    assert last["loss_prior"] > 0


def test_regularisation_with_frozen_targets_holds_the_model_where_it_was(workplace: Path) -> None:
    data = with_regularization(workplace)
    images = trained(workplace, {"dataset": data})
    frozen = trained(workplace, {"dataset": data, "prior": {"target": "frozen", "weight": 4.0}})
    assert drift(frozen, "an old house") < 0.5 * drift(images, "an old house")


def test_a_run_whose_answers_would_be_of_another_kind_is_refused(workplace: Path) -> None:
    changes = {"objective": {"prediction": "v_prediction"}, "prior": {"class_caption": "a house"}}
    run = make_run(workplace, changes)
    assert main([str(run.path)]) == 2
    assert events(run, "error")[0]["where"] == "prior.class_caption"


def test_a_run_with_masks_learns_less_of_what_is_black(workplace: Path) -> None:
    whole = {"steps": 1, "batch_size": 2, "accumulation": 10}  # one step sees every image

    def loss(weight: float, **folder: str) -> float:
        folders = {"folders": [{"path": str(workplace / "images"), **folder}]}
        run = trained(workplace, {"training": whole, "dataset": folders, "objective": {"unmasked_weight": weight}})
        return float(events(run, "step")[0]["loss"])

    masks = str(workplace / "masks")
    plain, half, none = loss(0.0), loss(0.5, masks=masks), loss(0.0, masks=masks)
    assert loss(1.0, masks=masks) == pytest.approx(plain, rel=1e-6)
    # Half of three of six images is black.
    assert none == pytest.approx(0.75 * plain, rel=0.05)
    assert half == pytest.approx((plain + none) / 2, rel=1e-6)


def test_regularisation_images_alone_are_not_trained_on(workplace: Path, tmp_path: Path) -> None:
    whole = (workplace / "images" / "00.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a.txt").write_text("cut off")
    data = with_regularization(workplace)
    data = {"folders": [{"path": str(tmp_path)}, data["folders"][1]], "on_unreadable": "skip"}
    run = make_run(workplace, {"dataset": data})
    assert main([str(run.path)]) == 2
    assert events(run, "error")[0]["message"] == "the dataset has no image that can be trained"
