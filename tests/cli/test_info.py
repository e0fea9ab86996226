"""`sdtui info`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdtui import __version__
from sdtui.cli import info, main

DEVICES = [
    {"device": "cpu", "name": "processor", "threads": 2},
    {"device": "cuda:0", "name": "H200", "memory_bytes": 2**37},
]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the process that imports torch would say: `raise` an exception or return `stdout`."""
    said: dict[str, Any] = {"stdout": json.dumps(DEVICES) + "\n"}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        assert command[0] == sys.executable
        if "raise" in said:
            raise said["raise"]
        return subprocess.CompletedProcess(command, 0, said["stdout"], "")

    monkeypatch.setattr(subprocess, "run", run)
    return said


def test_for_scripts(
    answer: dict[str, Any], own_folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "tmux-256color")
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    for variable in ("COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["sdtui"], found["devices"], found["devices_error"]) == (1, __version__, DEVICES, "")
    assert (found["terminal"]["colours"], found["terminal"]["multiplexer"]) == ("256", "tmux")
    assert found["paths"]["cache"] == {
        "path": str(own_folders / "cache"),
        "exists": False,
        "override": "SDTUI_CACHE",
        "holds": "cached latents and text; safe to delete",
    }


def test_for_people(answer: dict[str, Any], own_folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"sdtui {__version__}, Python 3.")
    assert "  cuda:0        H200, 128 GiB" in lines
    assert f"  settings      {own_folders}/config.toml  (not made yet)" in lines
    assert "                keys, theme, paths; $SDTUI_CONFIG puts it elsewhere" in lines


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (subprocess.TimeoutExpired("python", 60), "torch did not answer within 60 s"),
        (
            subprocess.CalledProcessError(
                1, "python", stderr="Traceback\nModuleNotFoundError: No module named 'torch'\n"
            ),
            "torch cannot be used: ModuleNotFoundError: No module named 'torch'",
        ),
        (PermissionError("denied"), "torch cannot be asked: denied"),
    ],
)
def test_torch_that_cannot_answer_is_said(answer: dict[str, Any], failure: Exception, message: str) -> None:
    answer["raise"] = failure
    assert info.devices() == {"devices": [], "devices_error": message}


@pytest.mark.parametrize(
    ("environment", "colours"),
    [({"COLORTERM": "truecolor"}, "24 bit"), ({"TERM": "vt100"}, "16"), ({"NO_COLOR": "1"}, "none")],
)
def test_colours(environment: dict[str, str], colours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("TERM", "COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert info.terminal()["colours"] == colours
