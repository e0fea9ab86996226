from __future__ import annotations

import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from sdtui.runs import lock, record
from sdtui.runs.events import Event, encode
from sdtui.runs.figures import Measurement, Preview, Progress, SavedFile
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path, "lora")
    record.write(made, record.RunRecord(state="running"))
    return made


@pytest.fixture
def view(run: RunFolder) -> RunView:
    return RunView(run)


def event(kind: str, **fields: Any) -> Event:
    return {"t": 100.0, "kind": kind, **fields}


def step(number: int, loss: float | None = 0.5) -> Event:
    return event(
        "step", step=number, epoch=1 + number // 10, loss=loss, lr={"unet": 1e-4}, grad_norm=0.1, seconds=0.2, images=2
    )


def said(view: RunView) -> list[tuple[str, str]]:
    return [(message.level, message.text) for message in view.messages]


def test_the_first_event_tells_what_will_be_done(view: RunView) -> None:
    view.fold(
        [event("run", schema=1, steps_total=300, epochs_total=5, images=24, versions={"torch": "2.13"}, device="cpu")]
    )
    assert (view.steps_total, view.epochs_total, view.images, view.device, view.phase) == (300, 5, 24, "cpu", "loading")
    assert view.versions == {"torch": "2.13"}


def test_a_jobs_rate_is_that_since_its_first_event(view: RunView) -> None:
    view.fold([event("progress", t=100.0, job="reading", done=5, total=50)])
    view.fold([event("progress", t=102.0, job="reading", done=50, total=50)])
    view.fold([event("progress", t=110.0, job="encoding", done=10, total=70)])
    assert view.progress == Progress("encoding", 10, 70, "")
    view.fold([event("progress", t=112.0, job="encoding", done=20, total=70)])
    view.fold([event("progress", t=114.0, job="encoding", done=40, total=70)])
    assert view.progress == Progress("encoding", 40, 70, "", per_second=7.5)
    view.fold([event("progress", t=115.0, job="encoding", done=40, total=70, note="429: again in 2 s")])
    assert view.progress.note == "429: again in 2 s"


def test_phases_progress_steps_and_figures(view: RunView) -> None:
    view.fold([event("state", state="caching"), event("progress", job="latents", done=3, total=24, unit="images")])
    assert (view.phase, view.progress) == ("caching", Progress("latents", 3, 24, "images"))
    memory = {"kind": "process", "used_mib": 900, "peak_mib": 950, "total_mib": 8000}
    view.fold(
        [
            event("state", state="training"),
            step(11, 0.25),
            event("stats", step=11, images_per_second=2.5, eta_seconds=60, time={"forward": 0.4}, memory=memory),
        ]
    )
    assert (view.phase, view.progress, view.step, view.epoch, view.loss) == ("training", None, 11, 2, 0.25)
    assert (view.rates, view.images_per_second, view.eta_seconds) == ({"unet": 1e-4}, 2.5, 60)
    assert (view.timing, view.memory) == ({"forward": 0.4}, memory)


def test_the_run_event_may_come_after_a_phase_and_begins_a_process_anew(view: RunView) -> None:
    run = event("run", schema=1, steps_total=9)
    view.fold([event("state", state="caching"), event("progress", job="latents", done=3, total=24, unit="images"), run])
    assert (view.phase, view.progress) == ("caching", Progress("latents", 3, 24, "images"))
    view.fold([event("finished", state="stopped", step=3, seconds=1.0)])
    assert (view.phase, view.ended) == ("stopped", "stopped")
    view.fold([event("state", state="loading"), run])
    assert (view.phase, view.ended) == ("loading", "")


def test_files_and_answers(view: RunView) -> None:
    view.fold(
        [
            event("preview", step=10, index=0, path="previews/step-000010/00.png", prompt="a cat", seed=7, seconds=1.5),
            event("checkpoint", step=10, path="checkpoints/step-000010", bytes=1_048_576, seconds=0.5),
            event("checkpoint", step=20, path="checkpoints/step-000020", bytes=1_048_576, seconds=0.5),
            event("checkpoint_removed", path="checkpoints/step-000010"),
            event("output", path="output/lora.safetensors", bytes=2_097_152, step=20),
            event("output", path="output/embeddings/my-cat.pt", bytes=2_044, step=20),
            event("control", command="pause", id="1", status="refused", message="the run is paused already"),
        ]
    )
    assert view.previews == [Preview(10, 0, "previews/step-000010/00.png", "a cat", 7, 1.5)]
    assert view.checkpoints == [SavedFile(20, "checkpoints/step-000020", 1_048_576, 0.5)]
    assert view.outputs == [
        SavedFile(20, "output/lora.safetensors", 2_097_152),
        SavedFile(20, "output/embeddings/my-cat.pt", 2_044),
    ]
    assert view.answers == {"1": ("refused", "the run is paused already")}
    assert said(view) == [
        ("info", "saved checkpoints/step-000010 (1.0 MiB, 0.5 s)"),
        ("info", "saved checkpoints/step-000020 (1.0 MiB, 0.5 s)"),
        ("info", "wrote output/lora.safetensors (2.0 MiB)"),
        ("info", "wrote output/embeddings/my-cat.pt (2.0 KiB)"),
        ("warning", "pause refused: the run is paused already"),
    ]


def test_measurements_of_held_out_images(view: RunView) -> None:
    both = {"cats": 0.3, "dogs": 0.2}
    view.fold(
        [
            event("validation", step=0, loss=0.5, folders={"cats": 0.5}, images=4, seconds=1.5),
            event("validation", step=10, loss=0.25, folders=both, images=4, seconds=1.5),
            event("validation", step=20, loss=None, folders={"cats": None}, images=4, seconds=1.5),
        ]
    )
    assert view.measurements[:2] == [
        Measurement(0, 100.0, 0.5, {"cats": 0.5}, 4, 1.5),
        Measurement(10, 100.0, 0.25, both, 4, 1.5),
    ]
    assert math.isnan(view.measurements[2].loss)
    assert said(view)[:2] == [
        ("info", "validation loss 0.5000 at step 0"),
        ("info", "validation loss 0.2500 at step 10 (cats 0.3000, dogs 0.2000)"),
    ]


def test_a_measurement_that_is_made_again_replaces_the_first(view: RunView) -> None:
    view.fold([event("validation", step=number, loss=0.5) for number in (0, 10, 20)])
    view.fold([event("resumed", step=10)])
    assert [measured.step for measured in view.measurements] == [0, 10]
    view.fold([event("validation", step=10, loss=0.25)])
    assert [(measured.step, measured.loss) for measured in view.measurements] == [(0, 0.5), (10, 0.25)]


@pytest.mark.parametrize(
    "wrong",
    [{"loss": "low"}, {"loss": 1e300}, {"folders": [0.5]}, {"folders": {"a": "b"}}, {"images": [1]}, {"step": "x"}],
)
def test_a_measurement_that_makes_no_sense_is_left_out(view: RunView, wrong: dict[str, Any]) -> None:
    view.fold([event("validation", **{"step": 1, "loss": 0.5, **wrong})])
    assert (view.measurements, view.malformed) == ([], 1)


def test_warnings_and_errors_read_like_every_other_message(view: RunView) -> None:
    images = [f"{number}.png" for number in range(7)]
    view.fold(
        [
            event("warning", message="disk nearly full", where="/data", remedy="Free some space"),
            event("error", message="the loss is not a number", where="step 5", remedy="", images=images),
            event("preview_failed", step=5, index=1, prompt="x", message="out of memory"),
        ]
    )
    assert said(view) == [
        ("warning", "/data: disk nearly full. Free some space"),
        ("error", "step 5: the loss is not a number (0.png, 1.png, 2.png, 3.png, 4.png, …)"),
        ("warning", "preview 1 at step 5 failed: out of memory"),
    ]


def test_images_that_a_message_lists_are_not_named_twice(view: RunView) -> None:
    message = "2 images cannot be read:\n  /a.png: empty\n  … 1 more"
    view.fold([event("error", message=message, where="", remedy="Mend them", images=["/a.png", "/b.png"])])
    assert said(view) == [("error", f"{message}\nMend them")]


def test_a_resumed_run_forgets_what_it_does_again(view: RunView) -> None:
    view.fold(
        [step(1), step(2), step(3, 0.9), event("checkpoint", step=2, path="c2"), event("checkpoint", step=3, path="c3")]
    )
    view.fold([event("preview", step=3, index=0, path="p")])
    assert len(view.ema(0.5)) == 3
    view.fold([event("run", schema=1, steps_total=9), event("resumed", step=2), step(3, 0.1)])
    assert list(view.series.steps) == [1, 2, 3]
    assert list(view.series.losses) == [0.5, 0.5, 0.1]
    assert [saved.path for saved in view.checkpoints] == ["c2"]
    assert view.previews == []
    assert list(view.ema(0.5)) == pytest.approx([0.5, 0.5, (0.375 + 0.1 * 0.5 - 0.1875) / 0.875])


def test_curves_never_run_back_even_if_the_resumed_event_was_lost(view: RunView) -> None:
    view.fold([step(1), step(2), step(3)])
    view.ema(0.5)
    view.fold([step(2, 0.1)])
    assert (list(view.series.steps), list(view.series.losses), view.step) == ([1, 2], [0.5, 0.1], 2)
    assert len(view.ema(0.5)) == 2


def test_unknown_kinds_are_skipped_and_malformed_ones_counted(view: RunView) -> None:
    view.fold([event("mood", value=1), event("step"), event("progress", job="x"), event("state"), step(4)])
    assert (view.step, view.malformed, len(view.series)) == (4, 3, 1)


@pytest.mark.parametrize("wrong", ["x", [], {"a": "b"}, float("nan"), float("-inf"), pytest.param(10**400, id="huge")])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("run", "steps_total"),
        ("progress", "done"),
        ("stats", "eta_seconds"),
        ("stats", "memory"),
        ("stats", "time"),
        ("checkpoint", "bytes"),
        ("finished", "step"),
        ("finished", "t"),
    ],
)
def test_what_watchers_calculate_with_is_a_number_or_left_out(
    view: RunView, kind: str, name: str, wrong: object
) -> None:
    sound = {"job": "latents", "done": 1, "total": 2, "step": 1, "path": "c", "index": 0}
    view.fold([event("run", steps_total=10), event(kind, **{**sound, name: wrong})])
    assert (view.malformed, view.steps_total) == (1, 10)


def test_a_changed_smoothing_is_a_new_curve(view: RunView) -> None:
    view.fold([step(1, 1.0), step(2, 2.0)])
    assert list(view.ema(0.5)) == pytest.approx([1.0, 5 / 3])
    assert list(view.ema(0.0)) == [1.0, 2.0]


def test_refresh_says_whether_anything_changed(run: RunFolder, view: RunView) -> None:
    with lock.hold(run):
        assert view.refresh()
        assert (view.state, view.over) == ("running", False)
        assert not view.refresh()
        run.events_file.write_bytes(encode(step(1)))
        assert view.refresh()
        assert view.step == 1
    assert view.refresh()
    assert (view.state, view.over) == ("killed", True)


def test_a_run_is_not_over_before_it_has_let_go(run: RunFolder, view: RunView) -> None:
    with lock.hold(run):
        record.update(run, state="finished")
        view.refresh()
        assert (view.state, view.over) == ("finished", False)
    view.refresh()
    assert view.over


def test_a_truncated_log_is_told_anew(run: RunFolder, view: RunView) -> None:
    run.events_file.write_bytes(encode(step(1)) + encode(step(2)) + encode(event("warning", message="old")))
    view.refresh()
    run.events_file.write_bytes(encode(step(1, 0.7)))
    view.refresh()
    assert (list(view.series.losses), list(view.messages)) == ([0.7], [])


def test_a_log_emptied_first_and_written_later_is_told_anew(run: RunFolder, view: RunView) -> None:
    run.events_file.write_bytes(encode(event("warning", message="old")))
    view.refresh()
    run.events_file.write_bytes(b"")
    assert view.refresh()
    assert said(view) == []
    run.events_file.write_bytes(encode(event("warning", message="new")))
    view.refresh()
    assert said(view) == [("warning", "new")]


def test_a_long_log_is_folded_without_being_held(run: RunFolder, view: RunView) -> None:
    with run.events_file.open("wb") as stream:
        stream.writelines(encode(step(number)) for number in range(1, 20_001))
    tracemalloc.start()
    view.refresh()
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (view.step, len(view.series)) == (20_000, 20_000)
    # Columns of 8 bytes each, and one portion of the log; the events as objects would take more than 20 MB.
    assert peak_bytes < 6_000_000
