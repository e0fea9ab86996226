"""What a run says: to watchers, to run.json, to the log."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.runs import record
from sdtui.runs.layout import RunFolder
from sdtui.training import report
from sdtui.training.report import Aside, Report
from tests.training.workplace import events


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder.create(tmp_path, "run")
    record.write(run, record.RunRecord(state="starting", launches=3))
    return run


def test_a_state_is_said_once_and_recorded(run: RunFolder) -> None:
    said = Report(run)
    for state in ("loading", "training", "training", "saving", "paused"):
        said.state(state)
    assert [event["state"] for event in events(run, "state")] == ["loading", "training", "saving", "paused"]
    found = record.read(run)
    assert (found.state, found.launches) == ("paused", 3)


def test_the_end_is_an_event_and_a_time(run: RunFolder) -> None:
    said = Report(run)
    said.reached(7, 0.5)
    said.end("stopped", "stop command")
    assert {**events(run)[-1], "t": 0, "seconds": 0} == {
        "t": 0, "kind": "finished", "state": "stopped", "step": 7, "seconds": 0,
    }  # fmt: skip
    found = record.read(run)
    assert (found.state, found.reason, found.step, found.loss) == ("stopped", "stop command", 7, 0.5)
    assert found.ended > 0


def test_the_last_validation_loss_is_recorded(run: RunFolder) -> None:
    said = Report(run)
    said.measured(0.25)
    assert record.read(run).validation_loss == 0.25
    said.measured(float("nan"))
    assert record.read(run).validation_loss is None


def test_errors_and_warnings_reach_the_log_too(run: RunFolder) -> None:
    said = Report(run)
    said.warning(SdtuiError("odd", where="here", remedy="Look"))
    said.error(UserError("wrong", where="there"), ["a.png"])
    assert {**events(run)[0], "t": 0} == {
        "t": 0,
        "kind": "warning",
        "message": "odd",
        "where": "here",
        "remedy": "Look",
    }
    assert (events(run)[1]["images"], events(run)[1]["exit_code"]) == (["a.png"], 2)
    log = run.log_file.read_text()
    assert "warning: here: odd. Look" in log
    assert "error: there: wrong" in log


def test_progress_is_told_now_and_then_and_at_its_end(run: RunFolder) -> None:
    said = Report(run)
    for done in range(1, 101):
        said.progress("work", done, 100, "images")
    told = [event["done"] for event in events(run, "progress")]
    assert told[0] == 1
    assert told[-1] == 100
    assert len(told) < 50


def test_a_record_that_cannot_be_written_does_not_end_the_run(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Report(run)

    def full(*_: object) -> None:
        raise SdtuiError("no space left on the disk") from OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(record, "write", full)
    said.state("training")
    assert events(run, "state")[0]["state"] == "training"
    assert "no space left" in run.log_file.read_text()


def test_a_log_that_takes_nothing_does_not_end_the_run(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.log_file.symlink_to("/dev/full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stderr", full)
        said = Report(run)
        said.warning(SdtuiError("the disk is full"))
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
    assert events(run, "warning")[0]["message"] == "the disk is full"


def test_resumed_is_told_by_all_but_the_first_process(run: RunFolder) -> None:
    first = Report(run)
    first.resumed(0)
    first.write("state", state="loading")
    first.close()
    second = Report(run)
    second.resumed(0)
    assert [event["step"] for event in events(run, "resumed")] == [0]


@pytest.mark.parametrize(
    ("changes", "torch", "told"),
    [
        ({}, "2.13.0", []),
        ({"threads": 2}, "2.13.0", ["2 instead of 4 as its number of threads"]),
        ({"threads": 2, "device": "cuda:0"}, "2.13.0", ["cuda:0 instead of cpu"]),
        ({}, "2.14.0", ["PyTorch 2.14.0 instead of 2.13.0"]),
    ],
    ids=["the-same", "threads", "device", "torch"],
)
def test_a_resume_that_computes_otherwise_warns(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], torch: str, told: list[str]
) -> None:
    begun: dict[str, Any] = {
        "total": 9, "epochs": 1, "images": 1, "device": "cpu", "precision": "fp32", "threads": 4, "processes": 1,
        "resumed_from": None,
    }  # fmt: skip
    monkeypatch.setattr(report, "versions", lambda: {"torch": "2.13.0"})
    first = Report(run)
    first.begin(**begun)
    first.close()
    monkeypatch.setattr(report, "versions", lambda: {"torch": torch})
    Report(run).begin(**{**begun, **changes})
    found = [event["message"] for event in events(run, "warning")]
    assert found == [
        f"the run goes on with {each}: its last bits differ from those of an uninterrupted run" for each in told
    ]
    remedies = {event["remedy"] for event in events(run, "warning")}
    assert ("With training.threads = 4 it takes as many as before" in remedies) == (
        "2 instead of 4 as its number of threads" in told
    )


def test_versions_name_what_decides_the_numbers() -> None:
    assert {"python", "torch", "transformers", "diffusers", "bitsandbytes", "pytorch_optimizer"} <= set(
        report.versions()
    )


def test_a_process_aside_says_only_what_went_wrong(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = run.run_json.read_bytes() if run.run_json.exists() else b""
    aside = Aside(run)
    aside.begin(total=1, epochs=1, images=1, device="cpu", precision="fp32", threads=1, processes=2, resumed_from=None)
    aside.state("training")
    aside.reached(1, 0.5)
    aside.resumed(1)
    aside.measured(0.5)
    aside.saved()
    aside.dataset("abc")
    aside.progress("measuring", 1, 1, "images")
    aside.log("what all of them know")
    aside.warning(SdtuiError("what it alone met"))
    aside.close()
    assert not run.events_file.exists()
    assert (run.run_json.read_bytes() if run.run_json.exists() else b"") == before
    assert capsys.readouterr().err == "warning: what it alone met\n"
