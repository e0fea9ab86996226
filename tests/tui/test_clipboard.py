from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.app import App

from sdtui.tui.clipboard import copy


class Recorder(App[None]):
    copied = ""

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text


def fake_tmux(folder: Path, body: str) -> None:
    folder.mkdir()
    (folder / "tmux").write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    (folder / "tmux").chmod(0o755)


def test_in_tmux_its_buffer_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tmux(tmp_path / "bin", f'echo "$@" > {tmp_path}/args; cat > {tmp_path}/text')
    monkeypatch.setenv("TMUX", "/tmp/socket,1,0")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    app = Recorder()
    assert copy(app, "[red] 城") == "copied through tmux (also in its paste buffer)"
    assert (tmp_path / "args").read_text(encoding="utf-8") == "load-buffer -w -\n"
    assert (tmp_path / "text").read_text(encoding="utf-8") == "[red] 城"
    assert app.copied == ""


def test_a_tmux_that_refuses_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tmux(tmp_path / "bin", "exit 1")
    monkeypatch.setenv("TMUX", "/tmp/socket,1,0")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    app = Recorder()
    assert "OSC 52" in copy(app, "x")
    assert app.copied == "x"


def test_elsewhere_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = Recorder()
    assert "nothing arrives if your terminal does not allow it" in copy(app, "x")
    assert app.copied == "x"
