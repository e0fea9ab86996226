from __future__ import annotations

import os
import signal

import pytest

from sdtui.cli import main
from sdtui.runs import registry
from tests.cli.conftest import Workspace, interrupted_while_starting
from tests.runs.fake_trainer import profile
from tests.runs.helpers import begin, ended, in_step


def test_resume_follows_to_the_end(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    run = begin(workspace.runs, steps=100_000, seconds=0.01, save_every=2)
    os.kill(in_step(run, 3), signal.SIGKILL)
    ended(run)
    last = run.complete_checkpoints()[-1][0]
    run.profile_file.write_text(profile(last + 2))
    assert main(["resume", "last"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{run.path}/output/fake.safetensors\n"
    assert f"{run.name} goes on from step {last}" in err
    assert main(["resume", "last"]) == 2
    assert "this run is finished" in capsys.readouterr().err


def test_resume_without_a_checkpoint_begins_again_and_can_detach(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begin(workspace.runs, steps=100_000, seconds=0.01)
    os.kill(in_step(run), signal.SIGKILL)
    ended(run)
    assert main(["resume", run.name, "--detach"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{run.path}\n"
    assert "the beginning, for want of a complete checkpoint" in err
    assert registry.inspect(run).live


def test_an_interrupt_between_start_and_following_stops_the_run_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(workspace.runs, steps=100_000, seconds=0.01)
    os.kill(in_step(run), signal.SIGKILL)
    ended(run)
    interrupted_while_starting(monkeypatch, "resume")
    assert main(["resume", run.name]) == 130
    assert registry.inspect(run).state == "stopped"


def test_watch_follows_a_finished_run_to_its_end_at_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begin(workspace.runs, steps=2)
    ended(run)
    assert main(["watch", "last"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{run.name} finished: 2 steps"
