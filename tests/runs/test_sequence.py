from __future__ import annotations

from pathlib import Path

from sdtui.runs import control, launch, lock, registry, sequence
from sdtui.runs.layout import RunFolder
from tests.runs.fake_trainer import MODULE, profile
from tests.runs.helpers import ended, in_step, of_kind, until


def queued(runs: Path, *profiles: str) -> tuple[RunFolder, list[RunFolder]]:
    queue = sequence.new_queue(runs)
    prepared = [launch.prepare(text, runs, "lora", queue=str(queue.path)) for text in profiles]
    sequence.start(queue, prepared, module=MODULE)
    return queue, prepared


def test_runs_follow_one_another_and_a_failed_one_does_not_end_the_queue(tmp_path: Path) -> None:
    queue, runs = queued(tmp_path, profile(3), profile(3, fail="late"), profile(3))
    until(lambda: not queue.path.exists(), "the queue to end")
    assert [registry.inspect(run).state for run in runs] == ["finished", "failed", "finished"]
    begun = [of_kind(run, "run")[0]["t"] for run in runs]
    over = [of_kind(run, "finished")[0]["t"] for run in runs]
    assert over[0] <= begun[1]
    assert over[1] <= begun[2]


def test_a_waiting_run_is_queued_and_can_be_stopped(tmp_path: Path) -> None:
    queue, runs = queued(tmp_path, profile(100_000, 0.01), profile(3), profile(3))
    in_step(runs[0])
    assert [registry.inspect(run).state for run in runs] == ["running", "queued", "queued"]
    asked = [control.send(runs[1], "pause"), control.send(runs[1], "stop")]
    until(lambda: registry.inspect(runs[1]).state == "stopped", "the waiting run to be stopped")
    until(lambda: len(of_kind(runs[1], "control")) == 2, "the answers")
    assert [(event["id"], event["status"]) for event in of_kind(runs[1], "control")] == [
        (asked[0], "refused"),
        (asked[1], "done"),
    ]
    assert registry.inspect(runs[1]).reason == "stopped while it waited"
    control.send(runs[0], "stop")
    until(lambda: not lock.is_held(queue), "the queue to end")
    assert ended(runs[2]).state == "finished"
    assert of_kind(runs[1], "run") == []


def test_a_queue_that_cannot_begin_a_run_says_so_in_its_log_and_goes_on(tmp_path: Path) -> None:
    queue = sequence.new_queue(tmp_path)
    runs = [launch.prepare(profile(3), tmp_path, "lora", queue=str(queue.path)) for _ in range(2)]
    runs[0].run_json.write_text("{")
    sequence.start(queue, runs, module=MODULE)
    until(lambda: not lock.is_held(queue), "the queue to end")
    assert queue.log_file.read_text() == f"{runs[0].path}: run.json is damaged\n"
    assert registry.inspect(runs[1]).state == "finished"
