"""What a run is made from: the order of its samples as planned, and what the device is set to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from sdtui.dataset.collect import collect
from sdtui.dataset.survey import survey
from sdtui.profile.plan import make_plan
from sdtui.profile.schema import Profile
from sdtui.training import prepare
from tests.training.workplace import make_images, settings


def test_attention_on_a_gpu_is_deterministic_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch picks the deterministic backward pass of flash attention only when it must, not when it may warn."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    try:
        prepare._make_deterministic()
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(mode=False)


def test_a_run_is_as_long_as_was_planned_whatever_its_folders_are(tmp_path: Path) -> None:
    make_images(tmp_path / "train" / "2_cat", [(96, 96)] * 4 + [(128, 64)] * 2)
    make_images(tmp_path / "train" / "3_dog", [(64, 128)] * 2)
    make_images(tmp_path / "kept", [(96, 96), (96, 96), (128, 64)])
    make_images(tmp_path / "judged", [(96, 96)] * 5)
    folders = [
        {"path": str(tmp_path / "train")},
        {"path": str(tmp_path / "kept"), "regularization": True, "resolutions": [96]},
        {"path": str(tmp_path / "judged"), "validation": True},
    ]
    data = settings(
        tmp_path,
        {"training": {"epochs": 3, "steps": None, "batch_size": 2, "accumulation": 3}, "validation": {"share": 0.3}},
    )
    data["dataset"] |= {"folders": folders, "more_resolutions": [128]}
    profile = Profile.model_validate(data)
    collection = collect(profile)
    plan = make_plan(profile, survey(profile, collection))
    order = prepare.make_order(profile, prepare.trained(collection.samples))
    # 4 of 6 cats twice and 1 of 2 dogs three times, at two resolutions each, and as many that are to be kept.
    assert (plan.images, plan.held_out, plan.regularization, plan.samples) == (5, 8, 3, 44)
    assert order.images == 44
    assert plan.batches_per_epoch == order.batches_per_epoch
    assert plan.steps == prepare.total_steps(profile, order)
    assert {(each.width, each.height): each.samples for each in plan.buckets} == order._counts
    trained = {number for epoch in range(3) for batch in order.batches_of(epoch) for number in batch}
    assert trained == set(range(len(prepare.trained(collection.samples))))
