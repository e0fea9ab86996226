"""A whole run with a moving average: it trains as without one, and writes and shows the average."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from sdtui.runs.layout import RunFolder
from sdtui.training.__main__ import main
from tests.training.workplace import events, make_run

# In one process: all look at the same runs.
pytestmark = pytest.mark.xdist_group("averaged run")

CHANGES: dict[str, dict[str, Any]] = {
    "training": {"steps": 3},
    "optimizer": {"learning_rate": 0.05},
    "saving": {"every_steps": 1, "keep_last": 9},
    "previews": {"prompts": ["a red square --w 64 --h 64 --s 1"]},
}
AVERAGED = {**CHANGES, "training": {"steps": 3, "ema_decay": 0.7}}
LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
UP = f"unet.{LAYER}.up"
KOHYA_UP = f"lora_unet_{LAYER.replace('.', '_')}.lora_up.weight"


@pytest.fixture(scope="module")
def runs(workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    found = {"plain": make_run(workplace, CHANGES), "averaged": make_run(workplace, AVERAGED)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDTUI_CACHE", str(tmp_path_factory.mktemp("cache")))
        assert [main([str(run.path)]) for run in found.values()] == [0, 0]
    return found


def trained(run: RunFolder, step: int, part: str = "parameter") -> torch.Tensor:
    return load_file(run.checkpoint_dir(step) / "state.safetensors")[f"{part}/{UP}"]


def test_what_is_trained_does_not_change(runs: dict[str, RunFolder]) -> None:
    losses = [[event["loss"] for event in events(run, "step")] for run in runs.values()]
    assert losses[0] == losses[1]
    assert torch.equal(trained(runs["plain"], 3), trained(runs["averaged"], 3))


def test_it_is_the_average_of_the_steps_as_computed_by_hand(runs: dict[str, RunFolder]) -> None:
    run = runs["averaged"]
    expected = torch.zeros_like(trained(run, 1))  # `up` starts as zero
    for step, decay in ((1, 1 / 10), (2, 2 / 11), (3, 3 / 12)):
        expected = decay * expected + (1 - decay) * trained(run, step)
    assert torch.allclose(trained(run, 3, "average"), expected, atol=1e-7)


def test_the_finished_file_and_the_checkpoints_file_hold_it_and_say_so(runs: dict[str, RunFolder]) -> None:
    run = runs["averaged"]
    for file in (run.output_dir / "tiny.safetensors", run.checkpoint_dir(3) / "adapter.safetensors"):
        with safe_open(file, "pt") as opened:
            assert torch.equal(opened.get_tensor(KOHYA_UP), trained(run, 3, "average"))
            assert opened.metadata()["sdtui.ema_decay"] == "0.7"


def test_previews_show_it(runs: dict[str, RunFolder]) -> None:
    plain, averaged = ((run.preview_dir(3) / "00.png").read_bytes() for run in runs.values())
    assert plain != averaged
