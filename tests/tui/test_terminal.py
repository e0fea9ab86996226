"""The terminal going away, on a pseudo-terminal of our own; the process that ends is a child."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sdtui.tui import terminal
from sdtui.tui.terminal import HANGUP_EXIT, Guard, is_gone, is_terminal, wait_for_hangup

CHILD = textwrap.dedent("""
    import sys, threading, time
    from pathlib import Path
    from sdtui.tui.terminal import Guard
    saved = Path(sys.argv[1])
    guard = Guard(lambda: saved.open("a").write("saved "), lambda code: None)
    guard.install()
    print("ready", flush=True)
    threading.Event().wait(600)
""")


def child(saved: Path, tty: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(saved)], stdin=tty, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_terminal_is_there_until_its_other_end_closes() -> None:
    other, end = pty.openpty()
    assert not is_gone(end)
    os.close(other)
    assert is_gone(end)
    assert wait_for_hangup(end)
    os.close(end)


def test_waiting_ends_when_nobody_cares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "CHECK_MILLISECONDS", 1)
    other, end = pty.openpty()
    wanted = iter([True, True, False])
    assert not wait_for_hangup(end, lambda: next(wanted))
    os.close(other)
    os.close(end)


def test_without_stdin_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdin__", None)
    assert not is_terminal()


def test_a_closed_terminal_saves_once_and_ends(tmp_path: Path) -> None:
    other, end = pty.openpty()
    process = child(tmp_path / "saved", end)
    os.close(end)
    os.close(other)
    assert process.wait(120) == HANGUP_EXIT == 129
    assert (tmp_path / "saved").read_text() == "saved "


def test_sighup_without_a_terminal_saves_and_ends(tmp_path: Path) -> None:
    other, end = pty.openpty()
    process = child(tmp_path / "saved", end)
    process.send_signal(signal.SIGHUP)
    # The terminal is alive, so the app is asked to leave; as this one does not, it is ended after a while.
    assert process.wait(120) == HANGUP_EXIT
    assert (tmp_path / "saved").read_text() == "saved "
    os.close(end)
    os.close(other)


def test_a_signal_asks_the_app_to_leave_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    other, end = pty.openpty()
    asked: list[int] = []
    guard = Guard(lambda: None, asked.append, end)
    guard._on_signal(signal.SIGTERM, None)
    guard.stop()
    assert asked == [143]
    os.close(end)
    os.close(other)


@pytest.mark.parametrize(
    ("how", "waits"), [({"process_group": 0}, "True"), ({"start_new_session": True}, "False"), ({}, "False")]
)
def test_only_a_shell_with_jobs_waits_for_one_that_stops(how: dict[str, Any], waits: str) -> None:
    asked = [sys.executable, "-c", "from sdtui.tui.terminal import shell_waits; print(shell_waits())"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True, **how).stdout.strip() == waits
