"""The trainer as a process: its arguments, signals and exit codes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from sdtui.runs import lock, record
from sdtui.training.__main__ import _set_threading, main
from tests.training.workplace import events, make_run, start, wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends(workplace: Path, number: signal.Signals) -> None:
    run = make_run(workplace, {"training": {"steps": 1000}})
    process = start(run)
    wait_for(lambda: events(run, "step"), "a step", process)
    assert lock.is_held(run)
    os.kill(process.pid or 0, signal.SIGHUP)
    os.kill(process.pid or 0, number)
    process.join(60)
    assert process.exitcode == 0
    assert not lock.is_held(run)
    found = record.read(run)
    assert (found.state, found.reason) == ("stopped", f"signal {number.name}")
    step, _ = run.complete_checkpoints()[-1]
    assert (step, events(run)[-1]["step"]) == (found.step, found.step)


def test_a_loaded_machine_gives_no_fewer_threads_and_a_wish_for_spinning_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_DYNAMIC", "true")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    _set_threading()
    assert (os.environ["OMP_DYNAMIC"], os.environ["GOMP_SPINCOUNT"]) == ("false", "7")


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err == "usage: python -m sdtui.training RUN_DIR\n"


def test_a_folder_that_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone")]) == 1
    assert "gone" in capsys.readouterr().err
