"""A tiny pipeline folder that a test may damage, and the model loaded from one that none does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sdtui.models import sd1
from sdtui.models.sd1 import StableDiffusion1
from tests.support.tiny import tiny_pipeline


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_pipeline(tmp_path / "tiny")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusion1:
    return sd1.load(tiny_pipeline(tmp_path_factory.mktemp("model")), None, torch.device("cpu"), torch.float32)
