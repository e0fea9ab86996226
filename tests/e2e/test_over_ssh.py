"""A run outlives the connection it was started from, and the monitor shows it as if nobody had left."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui.runs import lock
from sdtui.runs.layout import RunFolder
from tests.e2e.sshd import Sshd
from tests.e2e.terminal import Terminal, sdtui, wait_until
from tests.support.workspace import make_workspace

pytestmark = pytest.mark.e2e


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A workspace whose runs are killed when the test is over, however it ended."""
    folder = tmp_path / "work"
    make_workspace(folder, steps=100_000, checkpoints=50)
    yield folder
    subprocess.run(["pkill", "-9", "-f", f"sdtui.training {folder}"], check=False)


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    folder = tmp_path / "sshd"
    folder.mkdir(mode=0o700)
    server = Sshd(folder)
    yield server
    server.stop()


def steps_done(run: RunFolder) -> int:
    return run.events_file.read_bytes().count(b'"kind":"step"') if run.events_file.exists() else 0


def only_run(workspace: Path) -> RunFolder:
    found = [path for path in (workspace / "runs").iterdir() if path.name.startswith("tiny-")]
    assert len(found) == 1
    return RunFolder(found[0])


def remote(*arguments: str | Path) -> str:
    return f"export TERM=xterm-256color LC_ALL=C.UTF-8; exec {shlex.join(sdtui(*arguments))}"


def test_a_run_goes_on_when_ssh_dies_and_the_monitor_catches_up(sshd: Sshd, workspace: Path) -> None:
    with Terminal(sshd.client(remote(workspace))) as terminal:
        terminal.wait_for("tiny.toml")
        terminal.press("L")
        wait_until(lambda: (workspace / "runs").is_dir() and any((workspace / "runs").glob("tiny-*")), terminal.screen)
        run = only_run(workspace)
        wait_until(lambda: steps_done(run) >= 3, terminal.screen)
        sshd.drop_connections()
        terminal.wait_exit()
    assert lock.is_held(run)
    before = steps_done(run)
    wait_until(lambda: steps_done(run) > before + 5, run.log_file.read_text)
    with Terminal(sshd.client(remote(workspace))) as terminal:
        terminal.wait_for("sdtui")
        terminal.press("3")
        terminal.wait_for(run.name[:4], "100 000")
        before = steps_done(run)
        terminal.press("S")
        terminal.wait_for("end it")
        terminal.press("y")
        wait_until(lambda: not lock.is_held(run), terminal.screen)
        terminal.wait_for("stopped")
    assert run.complete_checkpoints()[-1][0] >= before
