"""Runs inside the test process: signals and Accelerate's process-wide state are put back afterwards."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui.training.store import TensorStore
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
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
