"""Two machines train one run, here both on this one: each has a run folder of its own, and the first is what counts."""

from __future__ import annotations

import gc
import os
import signal
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sdtui.runs import record
from sdtui.runs.control import send
from sdtui.runs.layout import RunFolder
from sdtui.training import crew
from sdtui.training.__main__ import main
from tests.training.workplace import events, make_run, start, wait_for


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def machines(place: Path, steps: int, **launch: Any) -> list[RunFolder]:
    meeting = {"machines": 2, "main_address": "127.0.0.1", "main_port": free_port(), **launch}
    changes = {"training": {"steps": steps}, "saving": {"every_steps": 2}}
    return [make_run(place, {**changes, "launch": {**meeting, "machine_rank": rank}}) for rank in (0, 1)]


def test_two_machines_take_the_steps_of_one(workplace: Path) -> None:
    runs = machines(workplace, 4)
    alone = make_run(workplace, {"training": {"steps": 4, "accumulation": 2}})
    for run in (runs[0], alone):
        send(run, "set", key="learning_rate_factor", value=3.0)
    for process in [start(run) for run in (*runs, alone)]:
        process.join(120)
        assert process.exitcode == 0, [run.log_file.read_text() for run in runs]
    losses = [[event["loss"] for event in events(run, "step")] for run in (*runs, alone)]
    assert losses[0] == losses[1] == pytest.approx(losses[2], rel=1e-5)
    assert [event["lr"] for event in events(runs[1], "step")] == [{"unet": 3e-3}] * 4
    assert [event["step"] for event in events(runs[0], "checkpoint")] == [2, 4]
    assert (events(runs[1], "checkpoint"), events(runs[1], "output")) == ([], [])
    assert [record.read(run).state for run in runs] == ["finished", "finished"]


def test_a_stop_on_any_machine_stops_all_of_them(workplace: Path) -> None:
    runs = machines(workplace, 10_000)
    processes = [start(run) for run in runs]
    wait_for(lambda: events(runs[1], "step"), "a step", processes[1])
    refused, obeyed = send(runs[1], "pause"), send(runs[1], "stop")
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    answers = {event["id"]: event for event in events(runs[1], "control")}
    assert (answers[refused]["status"], answers[obeyed]["status"]) == ("refused", "done")
    assert answers[refused]["message"] == (
        "unknown command 'pause'; known here, as the run is steered on machine 0: stop"
    )
    found = [record.read(run) for run in runs]
    assert [one.state for one in found] == ["stopped", "stopped"]
    assert found[0].reason == "another machine was told to stop"
    assert runs[0].complete_checkpoints()[-1][0] == found[0].step


def test_a_machine_that_is_gone_is_told_of(workplace: Path) -> None:
    runs = machines(workplace, 10_000)
    processes = [start(run) for run in runs]
    wait_for(lambda: events(runs[0], "step"), "a step", processes[0])
    os.kill(processes[1].pid or 0, signal.SIGKILL)
    processes[0].join(60)
    assert processes[0].exitcode == 1
    (error,) = events(runs[0], "error")
    assert error["message"].startswith("the connection to the other processes of the run broke: ")


def test_machines_that_train_on_other_things(workplace: Path) -> None:
    runs = machines(workplace, 4)
    runs[1].profile_file.write_text(runs[1].profile_file.read_text().replace("seed = 3", "seed = 4"))
    processes = [start(run) for run in runs]
    for process in processes:
        process.join(60)
        assert process.exitcode == 2
    (error,) = events(runs[1], "error")
    assert (
        error["message"]
        == "the settings of [training] of process 0 on machine 0 differ from those of process 1 on machine 1"
    )


def test_a_machine_that_does_not_come(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_MEETING", timedelta(seconds=1))
    first, second = machines(workplace, 4)
    assert main([str(first.path)]) == 2
    # A process that ends closes its meeting place; in this one it lives on in the error's frames, and the other would find it.
    gc.collect()
    assert main([str(second.path)]) == 2
    assert events(first, "error")[0]["message"] == "machine 1 did not come in 0 minutes"
    assert events(second, "error")[0]["message"].startswith("machine 0 cannot be reached at 127.0.0.1, port ")


def test_a_name_that_is_nobodys(workplace: Path) -> None:
    run = machines(workplace, 4, main_address="no-such-machine.invalid")[1]
    assert main([str(run.path)]) == 2
    (error,) = events(run, "error")
    assert error["message"].startswith("machine 0 cannot be reached at no-such-machine.invalid, port ")
    assert error["where"] == "launch.main_address"


def test_a_port_that_is_taken(workplace: Path) -> None:
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        run = machines(workplace, 4, main_port=port)[0]
        assert main([str(run.path)]) == 2
    (error,) = events(run, "error")
    assert error["message"] == f"the processes of the run cannot meet at port {port}: Address already in use"
