from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.runs import control, lock, record, registry
from sdtui.runs.figures import Progress
from sdtui.runs.job import Job
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from tests.runs.helpers import of_kind


def test_a_job_speaks_a_runs_protocol(tmp_path: Path) -> None:
    folder = tmp_path / "doctor"
    with Job(folder, "doctor") as job:
        job.progress(3, 10, "images")
        job.warning("blurred", where="a.png")
        view = RunView(RunFolder(folder))
        view.refresh()
        assert (view.state, view.progress) == ("running", Progress("doctor", 3, 10, "images"))
    view.refresh()
    assert (view.state, view.over, job.stopped) == ("finished", True, False)
    assert [message.text for message in view.messages] == ["a.png: blurred", "finished at step 0"]
    assert record.read(RunFolder(folder)).kind == "doctor"


def test_stop_ends_it_quietly_and_other_commands_are_refused(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with Job(tmp_path, "doctor") as job:
        pause, stop = control.send(run, "pause"), control.send(run, "stop")
        job.check()
        raise AssertionError("not reached")
    assert job.stopped
    assert [(event["id"], event["status"], event["message"]) for event in of_kind(run, "control")] == [
        (pause, "refused", "a doctor job only knows stop"),
        (stop, "done", ""),
    ]
    assert registry.inspect(run).state == "stopped"


def test_a_stop_from_before_it_began_is_not_for_it(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "doctor")
    control.send(run, "stop")
    with Job(run.path, "doctor") as job:
        job.check()
    assert registry.inspect(run).state == "finished"


@pytest.mark.parametrize(
    ("error", "message", "where"),
    [
        (UserError("no images", where="/set"), "no images", "/set"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero", ""),
    ],
)
def test_a_failure_is_recorded_and_goes_on_to_the_caller(
    tmp_path: Path, error: Exception, message: str, where: str
) -> None:
    with pytest.raises(type(error)), Job(tmp_path, "doctor"):
        raise error
    run = RunFolder(tmp_path)
    (event,) = of_kind(run, "error")
    assert (event["message"], event["where"]) == (message, where)
    assert (registry.inspect(run).state, registry.inspect(run).reason) == ("failed", message)


def test_ctrl_c_is_a_stop_that_the_caller_still_sees(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Job(tmp_path, "doctor"):
        raise KeyboardInterrupt
    assert registry.inspect(RunFolder(tmp_path)).state == "stopped"


def test_a_record_that_cannot_be_written_still_lets_go_of_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise SdtuiError("no space left on the disk")

    job = Job(tmp_path, "doctor")
    with pytest.raises(SdtuiError, match="no space left"), job:
        monkeypatch.setattr(record, "update", full)
    assert not lock.is_held(job.run)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SdtuiError, match="cannot write: Not a directory"), Job(tmp_path / "file" / "doctor", "doctor"):
        raise AssertionError("not reached")
