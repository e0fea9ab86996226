"""Where sdtui keeps what is not the workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sdtui import paths


@pytest.mark.parametrize(
    ("function", "variable", "own", "tail"),
    [
        (paths.cache_dir, "XDG_CACHE_HOME", "SDTUI_CACHE", ".cache/sdtui"),
        (paths.data_dir, "XDG_DATA_HOME", "SDTUI_DATA", ".local/share/sdtui"),
        (paths.state_dir, "XDG_STATE_HOME", "SDTUI_STATE", ".local/state/sdtui"),
        (paths.config_file, "XDG_CONFIG_HOME", "SDTUI_CONFIG", ".config/sdtui/config.toml"),
    ],
)
def test_own_variable_beats_xdg_beats_home(
    function: Callable[[], Path], variable: str, own: str, tail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv(own, raising=False)
    monkeypatch.delenv(variable, raising=False)
    assert function() == Path("/home/ada") / tail
    monkeypatch.setenv(variable, "relative/is/ignored")
    assert function() == Path("/home/ada") / tail
    monkeypatch.setenv(variable, "/xdg")
    assert str(function()).startswith("/xdg/sdtui")
    monkeypatch.setenv(own, "/own")
    assert function() == Path("/own")
