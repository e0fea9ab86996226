"""A tiny pipeline folder that a test may damage, and the model loaded from one that none does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sdtui.models.assemble import assemble
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from tests.support.tiny import tiny_pipeline


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_pipeline(tmp_path / "tiny")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusion:
    found = recognise(tiny_pipeline(tmp_path_factory.mktemp("model")))
    return assemble(found, None, torch.device("cpu"), torch.float32)
