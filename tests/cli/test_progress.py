from __future__ import annotations

import io
import os
import signal
import threading
from pathlib import Path

import pytest

from sdtui.cli import progress
from sdtui.runs import lock, record
from sdtui.runs.control import Inbox
from sdtui.runs.events import EventWriter
from sdtui.runs.figures import Progress
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from tests.runs.helpers import begin, ended, until


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("sdtui.cli.progress.time.monotonic", lambda: now[0])
    return now


def test_a_pipe_gets_a_line_every_ten_seconds(clock: list[float]) -> None:
    stream = io.StringIO()
    line = progress.ProgressLine(stream)
    for second in range(25):
        clock[0] = 1000.0 + second
        line.status(f"step {second}")
    line.note("saved")
    assert stream.getvalue() == "step 0\nstep 10\nstep 20\nsaved\n"


def test_a_terminal_gets_one_line_rewritten_twice_a_second(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((9, 24)))
    stream = Terminal()
    line = progress.ProgressLine(stream)
    for tenth in range(6):
        clock[0] = 1000.0 + tenth / 10
        line.status(f"step {tenth}, more")
    line.note("saved")
    assert stream.getvalue() == "\rstep 0, \x1b[K\rstep 5, \x1b[K\r\x1b[Ksaved\n"


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    progress.ProgressLine(stream).status("step 1")
    assert stream.getvalue() == "step 1\n"


def test_nothing_a_file_name_holds_is_obeyed_by_the_terminal() -> None:
    stream = io.StringIO()
    progress.ProgressLine(stream).note("saved \x1b[2J\x9b\udce9.png")
    assert stream.getvalue() == "saved �[2J��.png\n"


def test_a_message_of_several_lines_stays_one(clock: list[float]) -> None:
    stream = io.StringIO()
    line = progress.ProgressLine(stream)
    line.note("2 images cannot be read:\n  a.png: empty\n  b.png: cut short\nMend them")
    assert stream.getvalue() == "2 images cannot be read:\n  a.png: empty\n  b.png: cut short\nMend them\n"
    listed = "failed  2 images cannot be read:\n  a.png: empty\n  b.png: cut short"
    assert progress.one_line(listed) == "failed  2 images cannot be read: a.png: empty; b.png: cut short"


def test_status_names_every_figure_with_its_unit(tmp_path: Path) -> None:
    view = RunView(RunFolder(tmp_path / "lora-1"))
    view.fold(
        [
            {"kind": "run", "t": 1.0, "steps_total": 300},
            {"kind": "state", "t": 1.0, "state": "training"},
            {"kind": "step", "t": 2.0, "step": 90, "loss": 0.125},
            {"kind": "validation", "t": 2.0, "step": 80, "loss": 0.2},
            {"kind": "stats", "t": 2.0, "images_per_second": 1.9, "eta_seconds": 3725.2},
        ]
    )
    view.state = "running"
    assert progress.status(view) == (
        "lora-1  training  step 90/300 (30 %)  loss 0.1250  validation 0.2000  1.90 images/s  ETA 1:02:05"
    )
    view.fold([{"kind": "step", "t": 3.0, "step": 300, "loss": 0.125}])
    assert progress.status(view).endswith("1.90 images/s")
    view.host, view.progress = "node7", Progress("sampling", 1, 4, "images")
    assert progress.status(view).split("  ")[2] == "sampling 1/4 images"
    view.progress = Progress("sampling", 2, 4, "images", per_second=0.25)
    assert progress.status(view).split("  ")[3] == "0.2 images/s"
    view.progress = Progress("sampling", 2, 4, "images", note="429: again in 2 s")
    assert progress.status(view).split("  ")[3] == "429: again in 2 s"
    assert progress.status(view).endswith("on host node7")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00:00"), (59.6, "0:01:00"), (3725, "1:02:05"), (90_000, "1 d 1:00:00")]
)
def test_duration(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text


def test_follow_tells_how_a_run_failed(tmp_path: Path) -> None:
    stream = io.StringIO()
    run = begin(tmp_path, fail="late")
    assert progress.follow([run], stream, stop_on_interrupt=False) == 1
    assert "error: step 2: loss is not a number (a.png)" in stream.getvalue()
    assert f"{run.name} failed" in stream.getvalue()


@pytest.mark.parametrize("code", [1, 2])
def test_follow_returns_what_the_trainer_returned(tmp_path: Path, code: int) -> None:
    run = RunFolder.create(tmp_path, "run")
    record.write(run, record.RunRecord(state="failed"))
    with EventWriter(run.events_file) as events:
        events.write("error", message="no CUDA device can be used here", exit_code=code)
        events.write("finished", state="failed", step=0, seconds=1.0)
    assert progress.follow([run], io.StringIO(), stop_on_interrupt=False) == code


def test_what_is_wrong_with_the_input_is_told_once_and_without_the_log(tmp_path: Path) -> None:
    run, stream = RunFolder.create(tmp_path, "run"), io.StringIO()
    record.write(run, record.RunRecord(state="failed", reason="2 images cannot be read"))
    run.log_file.write_text("computing on cpu\n")
    with EventWriter(run.events_file) as events:
        events.write("error", message="2 images cannot be read:\n  a.png: empty\n  b.png: empty", exit_code=2)
        events.write("state", state="failed", reason="2 images cannot be read")
        events.write("finished", state="failed", step=0, seconds=1.0)
    assert progress.follow([run], stream, stop_on_interrupt=False) == 2
    told = stream.getvalue()
    assert "error: 2 images cannot be read:\n  a.png: empty\n  b.png: empty\n" in told
    assert (told.count("2 images"), told.count("a.png")) == (1, 1)
    assert told.endswith(f"{run.name} failed\n")
    assert "log.txt" not in told


def test_what_failed_is_not_told_again_from_the_log(tmp_path: Path) -> None:
    run, stream = RunFolder.create(tmp_path, "job"), io.StringIO()
    record.write(run, record.RunRecord(kind="tagging", state="failed", reason="no answer"))
    run.log_file.write_text("a warning of a library\nerror: http://host/v1: no answer. Is the server running?\n")
    with EventWriter(run.events_file) as events:
        events.write("error", message="no answer", where="http://host/v1", remedy="Is it running?", exit_code=1)
        events.write("finished", state="failed", step=0, seconds=1.0)
    assert progress.follow([run], stream, stop_on_interrupt=False) == 1
    told = stream.getvalue()
    assert (told.count("no answer"), told.count("a warning of a library")) == (1, 1)


def test_follow_shows_the_log_of_a_trainer_that_died_at_once(tmp_path: Path) -> None:
    stream = io.StringIO()
    assert progress.follow([begin(tmp_path, fail="early")], stream, stop_on_interrupt=False) == 1
    assert "  log.txt: ImportError: no module named torch\n" in stream.getvalue()


def test_messages_from_before_are_not_told_again(tmp_path: Path) -> None:
    run = begin(tmp_path, steps=2)
    ended(run)
    stream = io.StringIO()
    assert progress.follow([run], stream, stop_on_interrupt=False) == 0
    assert "wrote output" not in stream.getvalue()


def test_a_run_stopped_from_elsewhere_counts_as_interrupted(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "lora")
    record.write(run, record.RunRecord(state="stopped", reason="on request"))
    with lock.hold(run), EventWriter(run.events_file) as events:
        events.write("finished", state="stopped", step=5)
    stream = io.StringIO()
    assert progress.follow([run], stream, stop_on_interrupt=False) == 130
    assert f"{run.name} stopped: on request\n" in stream.getvalue()


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_second_interrupt_leaves_a_run_that_was_told_to_stop(tmp_path: Path, *, later: bool) -> None:
    run = RunFolder.create(tmp_path, "lora")
    record.write(run, record.RunRecord(state="running", pid=os.getpid()))
    stream = io.StringIO()
    before = signal.getsignal(signal.SIGTERM)

    def press_twice() -> None:
        until(lambda: signal.getsignal(signal.SIGTERM) is not before, "somebody who listens")
        os.kill(os.getpid(), signal.SIGINT)
        if later:
            until(lambda: any(run.control_dir.iterdir()), "the stop to be sent")
        os.kill(os.getpid(), signal.SIGTERM)

    with lock.hold(run):
        hand = threading.Thread(target=press_twice)
        hand.start()
        assert progress.follow([run], stream, stop_on_interrupt=True) == 130
        hand.join()
    assert [command.name for command in Inbox(run).take()] == ["stop"]
    assert "stopping: the run saves first" in stream.getvalue()
    assert f"{run.name} is saving and will end by itself; see it with: sdtui watch {run.name}\n" in stream.getvalue()
