"""What is drawn of a run that trains a whole model: the model it has made, and before that its last checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.errors import UserError
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.runs.layout import RunFolder
from sdtui.tools.sources import of_run
from sdtui.training.__main__ import main
from tests.support import trainer
from tests.training.workplace import make_run, make_workplace

WHOLE: dict[str, dict[str, Any]] = {
    "method": {"kind": "full", "text_encoder": True},
    "saving": {"formats": ["folder"], "every_steps": 2},
    "training": {"steps": 2},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workplace(tmp_path_factory.mktemp("sources"))


@pytest.fixture(autouse=True)
def quiet_process() -> Iterator[None]:
    with trainer.undone():
        yield


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    """All that is drawn with."""
    model = of_run(run).load("cpu", "fp32")
    assert isinstance(model, StableDiffusion)
    parts = {**model.components, "vae": model.vae}
    return {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}


def trained(place: Path, changes: dict[str, dict[str, Any]]) -> RunFolder:
    run = make_run(place, {section: {**values, **changes.get(section, {})} for section, values in WHOLE.items()} | {
        section: values for section, values in changes.items() if section not in WHOLE
    })  # fmt: skip
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    return run


@pytest.mark.parametrize("training", [{}, {"ema_decay": 0.5}], ids=["plain", "averaged"])
def test_before_its_end_a_whole_model_is_drawn_as_its_last_checkpoint_has_it(
    place: Path, training: dict[str, Any]
) -> None:
    run = trained(place, {"training": training})
    finished = weights(run)
    shutil.rmtree(run.output_dir)
    saved = weights(run)
    assert finished.keys() == saved.keys()
    assert all(finished[name].equal(saved[name]) for name in finished)
    # It has learned something: these are not the base model's.
    source = of_run(run)
    assert source.learned is not None
    assert source.base == str(place / "model")
    shutil.rmtree(run.checkpoints_dir)
    with pytest.raises(UserError, match="has saved nothing yet"):
        of_run(run)


def test_weights_that_are_not_averaged_are_not_drawn(place: Path) -> None:
    run = trained(place, {"optimizer": {"name": "schedule-free-adamw"}})
    shutil.rmtree(run.output_dir)
    with pytest.raises(UserError, match="weights that are not averaged"):
        of_run(run)
