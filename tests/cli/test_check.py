"""`sdtui check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdtui.cli import main

FIVE_MISTAKES = """\
# five mistakes, five kinds
[model]
base = "sd15.safetensors"

[method]
rnak = 16
text_encoder = "false"

[[dataset.folders]]
path = "images"

[training]
steps = 1000
epochs = 10

[optimizer]
learning_rate = 5

[saving]
every_steps = 100
"""

OUTPUT = """\
five.toml:3:8: error: model.base: {here}/sd15.safetensors is a single .safetensors file, not a folder
    allowed: a folder in diffusers layout, with a model_index.json in it
    A single file is not read yet: convert it to a diffusers folder, for example with diffusers' from_single_file and save_pretrained
five.toml:6:1: error: [method] has no setting rnak
    allowed: kind, rank, alpha, dropout, targets, text_encoder
    Did you mean rank?
five.toml:7:16: error: method.text_encoder is the text "false", not true or false
    allowed: true or false, without quotes
    Write it without quotes: text_encoder = false
five.toml:14:10: error: training.steps = 1000 and training.epochs = 10 contradict each other
    Keep one of the two: the other follows from the number of images
five.toml:17:17: error: optimizer.learning_rate is 5
    allowed: number above 0, up to 1
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "sd15.safetensors").write_bytes(b"")
    (tmp_path / "five.toml").write_text(FIVE_MISTAKES)
    return tmp_path


def test_five_mistakes_are_told_with_their_lines(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "five.toml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == OUTPUT.format(here=here)
    assert captured.err == "five.toml: 5 errors\n"


def test_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "five.toml", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["path"], found["ok"]) == (1, "five.toml", False)
    assert (found["errors"], found["warnings"]) == (5, 0)
    assert found["problems"][1] == {
        "severity": "error",
        "code": "unknown-key",
        "path": "five.toml",
        "line": 6,
        "column": 1,
        "key": "method.rnak",
        "found": "16",
        "allowed": "kind, rank, alpha, dropout, targets, text_encoder",
        "message": "[method] has no setting rnak",
        "remedy": "Did you mean rank?",
    }


def test_a_warning_is_no_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "sd").mkdir()
    (here / "sd" / "model_index.json").write_text("{}")
    text = '[model]\nbase = "sd"\n[[dataset.folders]]\npath = "images"\n[training]\nsteps = 3\n'
    (here / "warned.toml").write_text(text)
    assert main(["check", "warned.toml"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("warned.toml:1:1: warning: no checkpoints are written while training")
    assert captured.err == "warned.toml: 1 warning\n"
    assert main(["check", "warned.toml", "--set", "saving.every_steps=1"]) == 0
    assert capsys.readouterr().err == "warned.toml: no problems\n"


def test_a_missing_file_is_one_message(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "none.toml"]) == 2
    assert capsys.readouterr().err == "sdtui: none.toml: cannot read the profile: No such file or directory\n"
