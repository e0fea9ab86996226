"""Runs inside the test process, which is put back as it was after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui.training.store import TensorStore
from tests.support import trainer
from tests.training.workplace import make_workplace


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model and six images that no test changes; each makes its own run in it."""
    return make_workplace(tmp_path_factory.mktemp("workplace"))


@pytest.fixture
def store(own_folders: object, tmp_path_factory: pytest.TempPathFactory) -> TensorStore:
    """An empty store of tensors."""
    return TensorStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(autouse=True)
def quiet_process() -> Iterator[None]:
    """What a trainer does to its process, undone."""
    with trainer.undone():
        yield
