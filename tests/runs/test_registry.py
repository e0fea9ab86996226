from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from sdtui.errors import UserError
from sdtui.runs import lock, record, registry
from sdtui.runs.events import encode
from sdtui.runs.layout import RunFolder
from tests.runs.helpers import begin, ended, in_step


def made(runs: Path, name: str = "lora", **fields: Any) -> RunFolder:
    run = RunFolder(runs / name)
    run.path.mkdir(parents=True)
    run.make_folders()
    record.write(run, record.RunRecord(**fields))
    return run


def log(run: RunFolder, *events: dict[str, Any]) -> None:
    with run.events_file.open("ab") as stream:
        stream.writelines(encode({"t": time.time(), **event}) for event in events)


def test_a_killed_run_is_killed_even_when_its_pid_lives_again(tmp_path: Path) -> None:
    run = begin(tmp_path, steps=10_000, seconds=0.01)
    pid = in_step(run)
    assert registry.inspect(run).state == "running"
    os.kill(pid, signal.SIGKILL)
    ended(run)
    record.update(run, pid=os.getpid())
    info = registry.inspect(run)
    assert (info.state, info.reason) == ("killed", "its process ended without saying why")
    assert info.step >= 1
    assert (info.live, info.steerable, info.resumable) == (False, False, True)


def test_a_live_run_shows_its_newest_figures(tmp_path: Path) -> None:
    run = made(tmp_path, state="running", launched=time.time() - 5, steps_total=100)
    log(
        run,
        {"kind": "step", "step": 8, "loss": 0.3},
        {"kind": "stats", "eta_seconds": 40},
        {"kind": "step", "step": 9, "loss": 0.2},
    )
    with lock.hold(run):
        info = registry.inspect(run)
    assert (info.state, info.step, info.steps_total, round(info.loss or 0, 4), info.eta_seconds) == (
        "running",
        9,
        100,
        0.2495,
        40,
    )
    assert info.steerable


@pytest.mark.parametrize(
    "line",
    [
        b'{"t": "now", "kind": "step", "step": 9}',
        b'{"t": 9e9, "kind": "step", "step": null}',
        b'{"t": 9e9, "kind": "state", "state": ["finished"]}',
        b'{"t": 9e9, "kind": "stats", "eta_seconds": "soon"}',
        b'{"t": 9e9, "kind": "run", "steps_total": "all"}',
    ],
)
def test_malformed_events_are_left_out(tmp_path: Path, line: bytes) -> None:
    run = RunFolder.create(tmp_path, "lora")
    record.write(run, record.RunRecord(state="running", step=3, steps_total=10, loss=0.5))
    run.events_file.write_bytes(line + b"\n")
    with lock.hold(run):
        info = registry.inspect(run)
    assert (info.state, info.step, info.steps_total, info.loss, info.eta_seconds) == ("running", 3, 10, 0.5, None)


def test_a_paused_run_is_paused_whoever_says_so(tmp_path: Path) -> None:
    run = made(tmp_path, state="running", launched=time.time() - 5)
    log(run, {"kind": "state", "state": "paused"})
    with lock.hold(run):
        assert registry.inspect(run).state == "paused"
        log(run, {"kind": "state", "state": "training"})
        assert registry.inspect(run).state == "running"


def test_what_an_earlier_process_said_does_not_count(tmp_path: Path) -> None:
    run = made(tmp_path, state="starting", launched=time.time() + 60)
    log(run, {"kind": "step", "step": 400, "loss": 0.1}, {"kind": "finished", "state": "failed"})
    with lock.hold(run):
        info = registry.inspect(run)
    assert (info.state, info.step) == ("starting", 0)


def test_a_run_killed_between_its_last_event_and_its_record_has_ended(tmp_path: Path) -> None:
    run = made(tmp_path, state="running", launched=time.time() - 5)
    log(run, {"kind": "finished", "state": "finished", "step": 10})
    assert registry.inspect(run).state == "finished"


def test_a_run_that_died_after_its_first_event_was_killed(tmp_path: Path) -> None:
    run = made(tmp_path, state="starting", launched=time.time() - 5)
    log(run, {"kind": "run", "steps_total": 7})
    info = registry.inspect(run)
    assert (info.state, info.steps_total) == ("killed", 7)


@pytest.mark.parametrize(
    ("content", "state", "reason"),
    [
        (
            '{"schema": 2}',
            "newer",
            "this run was made by a newer sdtui (run folder version 2; this one knows 1). Upgrade sdtui",
        ),
        ("{", "unreadable", "run.json is damaged"),
        (None, "unreadable", "run.json is missing"),
    ],
)
def test_damaged_and_newer_folders_are_listed_with_their_cause(
    tmp_path: Path, content: str | None, state: str, reason: str
) -> None:
    run = made(tmp_path)
    run.profile_file.touch()
    if content is None:
        run.run_json.unlink()
    else:
        run.run_json.write_text(content)
    (info,) = registry.list_runs(tmp_path)
    assert (info.state, info.reason, info.steerable, info.resumable) == (state, reason, False, False)


def test_a_run_of_another_host_is_not_declared_dead_for_an_unseen_lock(tmp_path: Path) -> None:
    run = made(tmp_path, state="running", launched=time.time() - 5, host="node7")
    log(run, {"kind": "step", "step": 3})
    info = registry.inspect(run)
    assert (info.state, info.host, info.reason) == (
        "running",
        "node7",
        "on host node7; its lock cannot be seen from here",
    )
    os.utime(run.events_file, (1, 1))
    info = registry.inspect(run)
    assert (info.state, info.reason) == ("killed", "on host node7")


def test_a_queued_run_whose_queue_has_died_will_not_start(tmp_path: Path) -> None:
    queue = RunFolder.create(tmp_path / ".queues", "queue")
    run = made(tmp_path, state="queued", queue=str(queue.path))
    with lock.hold(queue):
        assert registry.inspect(run).state == "queued"
    info = registry.inspect(run)
    assert (info.state, info.reason) == ("killed", "the queue that was to start it has ended; resume starts it")


def test_the_list_is_newest_first_and_without_what_is_no_run(tmp_path: Path) -> None:
    for name, created in (("old", 1.0), ("new", 3.0), ("middle", 2.0)):
        made(tmp_path, name, state="finished", created=created)
    made(tmp_path, ".trash", state="finished")
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").touch()
    assert [info.run.name for info in registry.list_runs(tmp_path)] == ["new", "middle", "old"]
    assert registry.list_runs(tmp_path / "none") == []


def test_find_takes_a_path_a_name_a_unique_beginning_or_last(tmp_path: Path) -> None:
    first = made(tmp_path, "lora-20260101-120000", created=1.0)
    second = made(tmp_path, "lora-20260102-120000", created=2.0)
    assert registry.find(str(first.path), []) == first
    assert registry.find("lora-20260101-120000", [tmp_path]) == first
    assert registry.find("lora-20260102", [tmp_path]) == second
    assert registry.find("last", [tmp_path]) == second


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lora", "'lora' fits 2 runs: lora-1, lora-2. Give more of the name"),
        ("ti", "no run 'ti'. See them with: sdtui runs"),
        ("", "no run ''. See them with: sdtui runs"),
    ],
)
def test_find_names_the_choices(tmp_path: Path, text: str, message: str) -> None:
    made(tmp_path, "lora-1")
    made(tmp_path, "lora-2")
    with pytest.raises(UserError) as caught:
        registry.find(text, [tmp_path])
    assert str(caught.value).removeprefix(f"{tmp_path}: ") == message


def test_no_runs_at_all_have_no_last_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run 'last'"):
        registry.find("last", [tmp_path])


def test_log_tail(tmp_path: Path) -> None:
    run = made(tmp_path)
    assert registry.log_tail(run) == []
    run.log_file.write_bytes(b"one\ntwo\nthr\xffee\n\n")
    assert registry.log_tail(run, 2) == ["two", "thr\ufffdee"]
