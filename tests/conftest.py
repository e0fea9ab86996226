"""Every test has its own cache, data, state and settings, so none reads the developer's."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Under nohup or behind a shell's & signals come ignored, and what the tests start would inherit that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point every XDG-like override at a fresh folder; returns that folder."""
    home = tmp_path_factory.mktemp("home")
    for variable, name in (("CACHE", "cache"), ("DATA", "data"), ("STATE", "state")):
        monkeypatch.setenv(f"SDTUI_{variable}", str(home / name))
    monkeypatch.setenv("SDTUI_CONFIG", str(home / "config.toml"))
    return home
