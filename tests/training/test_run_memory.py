"""Whole runs on a device without memory for their batches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file

from sdtui.profile import memory
from sdtui.runs.layout import RunFolder
from sdtui.runs.record import read
from sdtui.training.__main__ import main
from tests.training.workplace import events, make_run

CHANGES: dict[str, dict[str, Any]] = {"training": {"steps": 6, "batch_size": 4}, "saving": {"every_steps": 3}}


@contextmanager
def room_for(images: int) -> Iterator[list[int]]:
    """A device on which so many images fit at once; the sizes of all passes that were tried."""
    tried: list[int] = []
    forward = UNet2DConditionModel.forward

    def scarce(self: Any, sample: torch.Tensor, *args: Any, **named: Any) -> Any:
        tried.append(len(sample))
        if len(sample) > images:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, sample, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UNet2DConditionModel, "forward", scarce)
        yield tried


def test_a_run_goes_on_in_parts_and_ends_where_it_would_have(workplace: Path) -> None:
    whole, cut = make_run(workplace, CHANGES), make_run(workplace, CHANGES)
    assert main([str(whole.path)]) == 0
    with room_for(2) as tried:
        assert main([str(cut.path)]) == 0
    # Five squares and one wide image: an epoch is batches of 4, 1 and 1. The heaviest of the first comes first.
    assert tried[:5] == [4, 2, 2, 1, 1]
    assert sorted(tried[5:]) == [1, 1, 2, 2]
    warnings = [event["message"] for event in events(cut, "warning")]
    assert [message[:59] for message in warnings] == ["4 images of 96×96 px do not fit in memory at once: from now"]
    losses = [[event["loss"] for event in events(run, "step")] for run in (whole, cut)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    images = [[event["images"] for event in events(run, "step")] for run in (whole, cut)]
    assert images[1] == images[0]
    ends = [load_file(run.output_dir / "tiny.safetensors") for run in (whole, cut)]
    for name, tensor in ends[0].items():
        torch.testing.assert_close(ends[1][name], tensor, rtol=1e-3, atol=1e-6)


def test_a_resumed_run_remembers_what_fits(workplace: Path) -> None:
    run = make_run(workplace, CHANGES)
    with room_for(2):
        assert main([str(run.path)]) == 0
    finished = _bits(run)
    assert json.loads((run.checkpoints_dir / "step-000003" / "state.json").read_bytes())["fit"] == {
        "96x96": [2, 4, 1], "128x64": [4, 0, 0],
    }  # fmt: skip
    shutil.rmtree(run.checkpoints_dir / "step-000006")
    with room_for(2) as tried:
        assert main([str(run.path)]) == 0
    assert max(tried) == 2
    assert _bits(run) == finished


def test_a_limit_of_the_profile_is_kept(workplace: Path) -> None:
    whole = make_run(workplace, CHANGES)
    parts = make_run(workplace, {**CHANGES, "training": {**CHANGES["training"], "at_once": 1}})
    assert main([str(whole.path)]) == 0
    with room_for(9) as tried:
        assert main([str(parts.path)]) == 0
    assert set(tried) == {1}
    assert read(parts).at_once == {"128x64": [1, 0, 0], "96x96": [1, 0, 0]}
    losses = [[event["loss"] for event in events(run, "step")] for run in (whole, parts)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_on_the_processor_the_estimate_says_how_many_fit_and_the_run_keeps_to_it(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run = make_run(workplace, CHANGES)
    monkeypatch.setattr(memory, "free_bytes", lambda: 1)
    with room_for(9) as tried:
        assert main([str(run.path)]) == 0
    assert set(tried) == {1}
    assert read(run).at_once == {"128x64": [1, 0, 0], "96x96": [1, 0, 0]}
    assert events(run, "warning") == []
    assert "of a batch of 4 images of 96×96 px, 1 are taken at once" in capfd.readouterr().err
    # Killed before it saved anything, it begins anew as it began, whatever is free now.
    finished = _bits(run)
    shutil.rmtree(run.checkpoints_dir)
    monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 40)
    assert main([str(run.path)]) == 0
    assert _bits(run) == finished


def test_a_run_that_all_fitted_goes_on_as_it_began_where_less_memory_is_free(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(workplace, CHANGES)
    monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 40)
    assert main([str(run.path)]) == 0
    assert read(run).at_once == {"128x64": [4, 0, 0], "96x96": [4, 0, 0]}
    finished = _bits(run)
    shutil.rmtree(run.checkpoints_dir / "step-000006")
    monkeypatch.setattr(memory, "free_bytes", lambda: 1)
    assert main([str(run.path)]) == 0
    assert _bits(run) == finished


def test_a_run_ends_where_not_even_one_image_fits(workplace: Path) -> None:
    run = make_run(workplace, CHANGES)
    with room_for(0):
        assert main([str(run.path)]) == 1
    error = events(run, "error")[0]
    assert error["message"] == "the device has no memory for one image of 96×96 px"
    assert "gradient_checkpointing" in error["remedy"]


def _bits(run: RunFolder) -> dict[str, bytes]:
    tensors = load_file(run.output_dir / "tiny.safetensors")
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}
