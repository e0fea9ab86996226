"""The app in a real terminal: every screen at small and large sizes, in 256 colours, and gone when its terminal is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, sdtui, wait_until
from tests.support.workspace import make_workspace

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    make_workspace(folder)
    return folder


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (250, 70)])
def test_every_screen_at_every_size(workspace: Path, folders: dict[str, str], width: int, height: int) -> None:
    with Terminal(sdtui(workspace), width=width, height=height, env=folders) as terminal:
        home = terminal.wait_for("profiles", "tiny.toml", "images", "? keys")
        assert len(home.splitlines()) == height
        terminal.press("Enter")
        terminal.wait_for("profile", "rank", "? keys")
        terminal.press("2")
        terminal.wait_for("captions", "black.png", "circle, black", "? keys")
        terminal.press("j")
        terminal.wait_for("circle, blue")
        terminal.press("3")
        terminal.wait_for("monitor", "? keys")
        terminal.press("?")
        terminal.wait_for("esc close", "Save a checkpoint at the next step.")
        terminal.press("Escape")
        terminal.wait_gone("esc close")
        terminal.press("1")
        terminal.wait_for("tiny.toml")
        terminal.press("q")
        assert terminal.wait_exit() == 0


def test_256_colours_when_truecolor_is_not_announced(workspace: Path, folders: dict[str, str]) -> None:
    with Terminal(sdtui(workspace), env=folders) as terminal:
        terminal.wait_for("tiny.toml")
        painted = terminal.coloured()
    assert re.search(r"\x1b\[[0-9;]*38;5;\d+", painted)
    assert "38;2;" not in painted


def test_resizing_to_80x24_and_back_loses_nothing(workspace: Path, folders: dict[str, str]) -> None:
    with Terminal(sdtui("captions", workspace / "images"), width=250, height=70, env=folders) as terminal:
        terminal.wait_for("circle, black")
        terminal.resize(80, 24)
        terminal.wait_for("black.png", "circle, black", "? keys")
        terminal.resize(120, 36)
        terminal.wait_for("black.png", "circle, black", "? keys")


def test_editing_a_caption_changes_one_file_and_undo_brings_the_bytes_back(
    tmp_path: Path, folders: dict[str, str]
) -> None:
    make_workspace(tmp_path)
    caption = tmp_path / "images" / "black.txt"
    others = {path: path.read_bytes() for path in (tmp_path / "images").glob("*.txt") if path != caption}
    with Terminal(sdtui("captions", tmp_path / "images"), env=folders) as terminal:
        terminal.wait_for("circle, black")
        terminal.press("a")
        terminal.type("shiny")
        terminal.press("Enter")
        wait_until(lambda: caption.read_bytes() == b"circle, black, shiny\n", terminal.screen)
        terminal.press("u")
        wait_until(lambda: caption.read_bytes() == b"circle, black\n", terminal.screen)
        terminal.press("q")
    assert {path: path.read_bytes() for path in others} == others


def test_the_editor_has_the_terminal_and_gives_it_back(tmp_path: Path, folders: dict[str, str]) -> None:
    make_workspace(tmp_path)
    editor = tmp_path / "fake-editor"
    editor.write_text('#!/bin/sh\necho "editing ${1##*/}"\nread answer\necho "$answer" > "$1"\n')
    editor.chmod(0o755)
    with Terminal(sdtui("captions", tmp_path / "images"), env={**folders, "VISUAL": str(editor)}) as terminal:
        terminal.wait_for("circle, black")
        terminal.press("e")
        terminal.wait_for("editing black.txt")
        terminal.type("by [hand]")
        terminal.press("Enter")
        terminal.wait_for("by [hand]", "read again after the editor", "? keys")
        terminal.press("j")
        terminal.wait_for("circle, blue")
        terminal.press("q", "q")
        assert terminal.wait_exit() == 0
    assert (tmp_path / "images" / "black.txt").read_bytes() == b"by [hand]\n"


def test_the_program_ends_when_its_terminal_is_killed(workspace: Path, folders: dict[str, str]) -> None:
    with Terminal(sdtui(workspace), env=folders) as terminal:
        terminal.wait_for("tiny.toml")
        pid = int(terminal.pane_pid())
    wait_until(lambda: not alive(pid), lambda: f"{pid} still runs")


def test_without_a_terminal_it_says_so(workspace: Path) -> None:
    done = subprocess.run(sdtui(workspace), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "terminal" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_sighup_ends_the_app_by_itself(workspace: Path, folders: dict[str, str]) -> None:
    with Terminal(sdtui(workspace), env=folders) as terminal:
        terminal.wait_for("tiny.toml")
        os.kill(int(terminal.pane_pid()), signal.SIGHUP)
        wait_until(lambda: not alive(int(terminal.pane_pid())) or terminal.dead(), terminal.screen)


def test_sigterm_to_an_idle_app_gives_the_terminal_back(workspace: Path, folders: dict[str, str]) -> None:
    with Terminal(sdtui(workspace), env=folders) as terminal:
        terminal.wait_for("tiny.toml")
        os.kill(int(terminal.pane_pid()), signal.SIGTERM)
        assert terminal.wait_exit() == 128 + signal.SIGTERM
        # The screen before the app was started is there again.
        assert "tiny.toml" not in terminal.screen()


def alive(pid: int) -> bool:
    """Whether a process lives (a zombie does not)."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
