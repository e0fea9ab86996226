"""A `sdtui caption` command that kill -9 ended in the middle of many files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sdtui.cli import main

FILES = 150
OLD, NEW = b"wall\r\n", b"wall, sky\r\n"
# The command as it is, but for a death after some files were switched.
KILLED = textwrap.dedent("""
    import os, signal, sys
    from sdtui.cli import main
    from sdtui.dataset import switch
    real, count = switch._switch, 0
    def deadly(*file):
        global count
        count += 1
        if count > 50:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*file)
    switch._switch = deadly
    main(sys.argv[1:])
""")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(FILES):
        (tmp_path / f"{number}.png").touch()
        (tmp_path / f"{number}.txt").write_bytes(OLD)
    return tmp_path


def killed(*words: str | Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, "caption", *map(str, words)], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL


def caption(*words: str | Path) -> int:
    return main(["caption", *map(str, words)])


def texts(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.glob("*.txt")}


@pytest.mark.parametrize(("verb", "after"), [("undo", OLD), ("redo", NEW)], ids=["undo", "redo"])
def test_an_edit_is_taken_back_or_finished(
    folder: Path, verb: str, after: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    killed("add", folder, "sky")
    assert texts(folder) == {OLD, NEW}
    assert caption("stats", folder) == 0
    assert "add 'sky': this edit was cut short after " in capsys.readouterr().err
    assert texts(folder) == {OLD, NEW}
    assert caption(verb, folder, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["label"], report["cut_short"]["finished"]) == ("add 'sky'", verb == "redo")
    assert texts(folder) == {after}
    assert list(folder.glob(".*.tmp")) == []
    assert caption("ls", folder) == 0
    assert "cut short" not in capsys.readouterr().err
    assert caption("undo", folder) == (0 if verb == "redo" else 1)
    assert texts(folder) == {OLD}


@pytest.mark.parametrize(("verb", "after"), [("undo", OLD), ("redo", NEW)], ids=["undo", "redo"])
def test_an_undo_is_finished_or_taken_back_and_no_other_edit(folder: Path, verb: str, after: bytes) -> None:
    caption("set", folder, "0.png", "first")
    caption("set", folder, "0.png", "wall")
    caption("add", folder, "sky")
    killed("undo", folder)
    assert texts(folder) == {OLD, NEW}
    assert caption(verb, folder) == 0
    assert texts(folder) == {after}


def test_the_next_edit_finishes_it_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed("add", folder, "sky")
    assert caption("add", folder, "x", "--where", "name:7.png") == 0
    assert "finished an edit that had been cut short: add 'sky'" in capsys.readouterr().err
    assert (folder / "8.txt").read_bytes() == NEW
    assert (folder / "7.txt").read_bytes() == b"wall, sky, x\r\n"


@pytest.mark.parametrize("words", [("history",), ("add", "x", "--dry-run"), ("ls",)], ids=["history", "dry run", "ls"])
def test_a_look_says_so_and_finishes_nothing(
    folder: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    caption("set", folder, "0.png", "first")
    killed("add", folder, "sky")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert caption(words[0], folder, *words[1:]) == 0
    assert "add 'sky': this edit was cut short after " in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
