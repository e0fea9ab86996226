from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.runs import control, launch, lock, record, registry
from sdtui.runs.layout import RunFolder
from tests.runs.fake_trainer import MODULE, profile
from tests.runs.helpers import begin, ended, in_step, of_kind, until

FACTS = """
import json, os, signal, sys
facts = {
    "argv": sys.argv, "session": os.getsid(0) == os.getppid(), "leader": os.getsid(0) == os.getpid(),
    "hangup": signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, "stdin": os.readlink("/proc/self/fd/0"),
    "unbuffered": os.environ["PYTHONUNBUFFERED"], "cwd": os.getcwd(),
}
print(json.dumps(facts))
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def test_a_run_is_trained_to_its_end(runs: Path) -> None:
    run = begin(runs, steps=3)
    assert ended(run).state == "finished"
    assert [event["step"] for event in of_kind(run, "step")] == [1, 2, 3]
    assert run.profile_file.read_text() == profile(3)
    assert (run.output_dir / "fake.safetensors").exists()


def test_the_trainer_belongs_to_the_machine(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "facts_module.py").write_text(FACTS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = launch.start(profile(), runs, "lora", module="facts_module")
    until(lambda: not lock.is_held(run), "the process to end")
    facts = json.loads(run.log_file.read_text())
    assert facts == {
        "argv": [str(tmp_path / "facts_module.py"), str(run.path)],
        "session": False,
        "leader": False,
        "hangup": True,
        "stdin": "/dev/null",
        "unbuffered": "1",
        "cwd": str(run.path),
    }


def test_hangup_does_not_end_a_run_and_no_child_is_left_to_reap(runs: Path) -> None:
    run = begin(runs, steps=10_000, seconds=0.01)
    pid = in_step(run)
    assert os.getsid(pid) != os.getsid(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    os.kill(pid, signal.SIGHUP)
    in_step(run, of_kind(run, "step")[-1]["step"] + 5)
    os.kill(pid, signal.SIGTERM)
    assert ended(run).state == "stopped"


def test_the_lock_is_held_from_the_first_instant(runs: Path) -> None:
    run = begin(runs, steps=10_000, seconds=0.01)
    assert lock.is_held(run)
    assert registry.inspect(run).state in {"starting", "running"}
    control.send(run, "stop")
    assert ended(run).state == "stopped"


def test_a_trainer_that_dies_before_its_first_event_is_reported_with_its_last_words(runs: Path) -> None:
    info = ended(begin(runs, fail="early"))
    assert (info.state, info.reason) == (
        "failed", "it ended before its first event; it last printed: ImportError: no module named torch",
    )  # fmt: skip
    assert registry.log_tail(info.run) == ["ImportError: no module named torch"]


def test_an_interpreter_that_is_not_there_is_one_message(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SdtuiError, match="cannot start the trainer: No such file or directory"):
        begin(runs)
    (info,) = registry.list_runs(runs)
    assert (info.state, info.reason, info.held) == (
        "failed",
        "no process could be started: No such file or directory",
        False,
    )


def test_resume_after_kill_9_goes_on_from_the_last_complete_checkpoint(runs: Path) -> None:
    run = begin(runs, steps=100_000, seconds=0.01, save_every=2)
    os.kill(in_step(run, 5), signal.SIGKILL)
    assert ended(run).state == "killed"
    control.send(run, "stop")
    last = run.complete_checkpoints()[-1][0]
    run.profile_file.write_text(profile(last + 3))
    launch.resume(run, module=MODULE)
    info = ended(run)
    assert (info.state, info.record.launches if info.record else 0) == ("finished", 2)
    assert [event["step"] for event in of_kind(run, "resumed")] == [last]
    assert of_kind(run, "step")[-1]["step"] == last + 3


def test_resume_refuses_what_is_alive_or_finished(runs: Path) -> None:
    run = begin(runs, steps=10_000, seconds=0.01)
    with pytest.raises(UserError, match="this run is still going"):
        launch.resume(run, module=MODULE)
    control.send(run, "stop")
    assert ended(run).state == "stopped"
    record.update(run, state="finished")
    with pytest.raises(UserError, match="this run is finished"):
        launch.resume(run, module=MODULE)


def test_resume_refuses_a_newer_folder_and_one_without_profile(runs: Path) -> None:
    run = launch.prepare(profile(), runs, "lora")
    run.profile_file.unlink()
    with pytest.raises(UserError, match=r"profile\.toml is missing"):
        launch.resume(run, module=MODULE)
    run.run_json.write_text('{"schema": 99}')
    with pytest.raises(record.NewerSchemaError):
        launch.resume(run, module=MODULE)


def test_a_read_only_folder_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(SdtuiError, match="cannot write"):
        begin(tmp_path / "runs")


def test_an_environment_with_a_lock_of_another_process_does_not_confuse(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(lock.HANDLE_VARIABLE, "7")
    run = begin(runs)
    assert ended(run).state == "finished"
    assert RunFolder(run.path) == run


def test_a_resume_that_comes_second_drops_no_command(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = launch.prepare(profile(3), runs, "lora")
    record.update(run, state="stopped")
    with lock.acquire(run.lock_file):
        # It looked before the first one had the lock, and asks for the lock after.
        monkeypatch.setattr(lock, "is_held", lambda _run: False)
        monkeypatch.setattr(lock, "_PROBE_SECONDS", 0.0)
        control.send(run, "stop")
        with pytest.raises(UserError, match="already has a living process"):
            launch.resume(run, module=MODULE)
    assert [command.name for command in control.Inbox(run).take()] == ["stop"]


def test_a_job_is_started_in_place_of_one_that_ended(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    run = RunFolder(folder)

    def leave() -> None:
        run.profile_file.write_text(profile(10_000, 0.01))

    for _ in range(2):
        launch.start_job(folder, "tagging", MODULE, before=leave)
        in_step(run)
        with pytest.raises(UserError, match="already has a living process"):
            launch.start_job(folder, "tagging", MODULE)
        control.send(run, "stop")
        until(lambda: not lock.is_held(run), "the job to end")
    assert record.read(run).kind == "tagging"
    # Of the first one nothing is left.
    assert len(of_kind(run, "run")) == 1
