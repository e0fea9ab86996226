from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.widgets import Static

from sdtui.errors import UserError
from sdtui.tui.editor import edit_file, editor_command
from tests.tui.stage import Stage


@pytest.fixture(autouse=True)
def no_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)


def program(path: Path, script: str = "exit 0") -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_visual_before_editor_with_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = program(tmp_path / "one editor"), program(tmp_path / "two")
    monkeypatch.setenv("EDITOR", str(second))
    assert editor_command(tmp_path / "a b.txt") == [str(second), str(tmp_path / "a b.txt")]
    monkeypatch.setenv("VISUAL", f"'{first}' --wait")
    assert editor_command(tmp_path / "a b.txt", 7) == [str(first), "--wait", str(tmp_path / "a b.txt")]


def test_the_line_is_given_to_editors_that_take_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vim = program(tmp_path / "vim")
    monkeypatch.setenv("EDITOR", f"{vim} -n")
    assert editor_command(Path("x.toml"), 31) == [str(vim), "-n", "+31", "x.toml"]


def test_a_usual_one_where_none_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/vi" if name == "vi" else None)
    assert editor_command(Path("x")) == ["vi", "x"]


@pytest.mark.parametrize(
    ("value", "message"),
    [("no-such-editor -w", "the editor 'no-such-editor' is not installed"), ("vim '", "cannot be understood: vim '")],
)
def test_an_editor_that_cannot_be(value: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", value)
    with pytest.raises(UserError, match=message):
        editor_command(Path("x"))


def test_no_editor_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"no editor is set.*export EDITOR=nano"):
        editor_command(Path("x"))


async def test_the_file_is_edited_and_failures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "[x].txt"
    app = Stage(Static())
    async with app.run_test():
        monkeypatch.setenv("EDITOR", str(program(tmp_path / "good", 'echo new > "$1"')))
        edit_file(app, target)
        monkeypatch.setenv("EDITOR", str(program(tmp_path / "bad", "exit 4")))
        with pytest.raises(UserError, match="the editor ended with exit code 4"):
            edit_file(app, target)
        broken = tmp_path / "broken"
        broken.write_text("#!/no/such/interpreter\n")
        broken.chmod(0o755)
        monkeypatch.setenv("EDITOR", str(broken))
        with pytest.raises(UserError, match="cannot be started: No such file or directory"):
            edit_file(app, target)
    assert target.read_text() == "new\n"
