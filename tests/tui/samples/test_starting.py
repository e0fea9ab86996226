"""The command that the screen starts: its arguments, its folder, and what it refuses."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli.table import COMMANDS
from sdtui.errors import UserError
from sdtui.runs.sample_task import SampleTask
from sdtui.tui.samples import starting


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Path]]:
    calls: list[tuple[list[str], Path]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        calls.append((command[1:], options["cwd"]))
        refuses = "nowhere" in command
        return subprocess.CompletedProcess(
            command, 2 if refuses else 0, "", "sdtui: nowhere: no run\n" if refuses else ""
        )

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_a_drawing_goes_into_a_folder_of_its_own(tmp_path: Path, called: list[tuple[list[str], Path]]) -> None:
    home = tmp_path / "samples"
    first = starting.start(SampleTask("starter", ("a cat",), seed=3), home)
    first.mkdir()
    assert called == [
        (
            ["-m", "sdtui", "sample", "--detach", "--json", f"--output={first}", "--steps=20", "--cfg=7.5", "--seed=3",
             "--count=1", "--device=auto", "--precision=auto", "--", "starter", "a cat"],
            home,
        )
    ]  # fmt: skip
    assert "sample" in COMMANDS
    assert starting.start(SampleTask("starter", ("a cat",)), home) != first
    starting.go_on(first)
    assert called[-1] == (["-m", "sdtui", "sample", str(first), "--detach", "--json"], home)


def test_what_the_command_says_against_it_is_told(tmp_path: Path, called: list[tuple[list[str], Path]]) -> None:
    with pytest.raises(UserError, match=r"^nowhere: no run$"):
        starting.start(SampleTask("nowhere", ("a cat",)), tmp_path)
    assert len(called) == 1
