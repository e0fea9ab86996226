"""`sdtui new`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.cli import main
from sdtui.profile.templates import new_profile


def test_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "lora"]) == 0
    assert capsys.readouterr().out == new_profile("lora")


def test_into_a_file_but_never_over_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine.toml"
    assert main(["new", "lora", "-o", str(target)]) == 0
    assert target.read_text() == new_profile("lora")
    target.write_text("mine")
    assert main(["new", "lora", "-o", str(target)]) == 2
    assert target.read_text() == "mine"
    assert "the file exists. Name another, or give --force to replace it" in capsys.readouterr().err
    assert main(["new", "lora", "-o", str(target), "--force"]) == 0
    assert target.read_text() == new_profile("lora")


def test_an_unknown_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "lokon"]) == 2
    assert "there is no starting profile 'lokon'" in capsys.readouterr().err
