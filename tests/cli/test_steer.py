from __future__ import annotations

import json
import os
import signal

import pytest

from sdtui.cli import main
from sdtui.runs import record, registry
from sdtui.runs.layout import RunFolder
from tests.cli.conftest import Workspace
from tests.runs.helpers import begin, ended, in_step, until


@pytest.fixture
def run(workspace: Workspace) -> RunFolder:
    made = begin(workspace.runs, steps=100_000, seconds=0.01)
    in_step(made)
    return made


def test_commands_are_answered_and_take_effect(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause", "last"]) == 0
    # The answer comes first, and the new state with the next event.
    until(lambda: registry.inspect(run).state == "paused", "the pause")
    assert main(["unpause", run.name]) == 0
    until(lambda: registry.inspect(run).state == "running", "the run to go on")
    assert main(["set", "lora", "learning_rate_factor=0.5"]) == 0
    assert main(["stop", str(run.path)]) == 0
    assert ended(run).state == "stopped"
    assert capsys.readouterr().err.splitlines()[-1] == f"{run.name}: stop done"


def test_a_refusal_is_exit_1_with_its_reason(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["save", "last"]) == 1
    assert capsys.readouterr().err == f"{run.name}: save refused: no save here\n"


def test_a_run_that_does_not_live_cannot_be_steered(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    os.kill(record.read(run).pid, signal.SIGKILL)
    ended(run)
    assert main(["stop", "last"]) == 2
    told = f"cannot be steered: its process ended without saying why. Go on with it: sdtui resume {run.name}\n"
    assert capsys.readouterr().err == f"sdtui: {run.name}: {told}"
    assert main(["watch", "last"]) == 1
    assert f"go on with it: sdtui resume {run.name}\n" in capsys.readouterr().out
    assert list(run.control_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("finished", "already finished at step 7"),
        ("stopped", "already stopped at step 7. Go on with it: sdtui resume r"),
    ],
)
def test_a_run_that_has_ended_says_so(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], state: record.State, told: str
) -> None:
    run = RunFolder(workspace.runs / "r")
    run.path.mkdir(parents=True)
    record.write(run, record.RunRecord(state=state, reason="stop command", step=7))
    for verb in ("stop", "pause"):
        assert main([verb, "last"]) == 2
        assert capsys.readouterr().err == f"sdtui: r: {told}\n"


def test_a_run_from_a_newer_version_is_refused_with_one_message(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(run.run_json.read_text())
    run.run_json.write_text(json.dumps(content | {"schema": 2}))
    for verb in ("stop", "resume"):
        assert main([verb, run.name]) == 2
        assert "newer sdtui (run folder version 2; this one knows 1)" in capsys.readouterr().err
    assert list(run.control_dir.iterdir()) == []
    run.run_json.write_text(json.dumps(content))


def test_no_answer_in_time_says_that_the_command_waits(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    pid = record.read(run).pid
    os.kill(pid, signal.SIGSTOP)
    try:
        assert main(["pause", "last", "--timeout", "0.2"]) == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "no answer within 0.2 seconds; the command waits in control/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.steps=5", "'training.steps=5' cannot be set on a living run"),
        ("previews.every", "'previews.every' cannot be set on a living run"),
        ("previews.every=often", "'often' is not a number"),
    ],
)
def test_only_two_settings_can_change_while_training(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], assignment: str, message: str
) -> None:
    assert main(["set", "last", assignment]) == 2
    assert message in capsys.readouterr().err
