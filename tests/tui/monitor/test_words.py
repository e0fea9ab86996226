"""A run in words, to the letter."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sdtui.runs.figures import Message, Progress, SavedFile
from sdtui.tui.glyphs import UNICODE
from sdtui.tui.keys import KeyTable
from sdtui.tui.monitor import words
from sdtui.tui.monitor.device import DeviceTotals
from sdtui.tui.monitor.snapshot import Snapshot
from sdtui.tui.widgets.figures import Piece
from tests.tui.monitor.actor import Actor

PRESS = KeyTable().press


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    with Actor(tmp_path) as actor:
        actor.step(1880)
        actor.stats(1880)
        return actor.snapshot()


def text(pieces: Sequence[Piece]) -> str:
    return "".join(piece for piece, _ in pieces).rstrip()


def test_the_status_of_a_run_that_goes(snapshot: Snapshot) -> None:
    assert text(words.status_line(snapshot, UNICODE, 80, PRESS)) == (
        "training   step 1 880 / 3 000   ETA 0:41    1.9 images/s   epoch 1 / 8"
    )
    assert " 63 % " in text(words.status_line(snapshot, UNICODE, 120, PRESS))


@pytest.mark.parametrize(
    ("state", "says", "role"),
    [
        ("killed", "R starts over", "error"),
        ("stopped", "R starts over", "accent"),
        ("paused", "space goes on", "warning"),
    ],
)
def test_a_state_that_wants_something_says_what(snapshot: Snapshot, state: str, says: str, role: str) -> None:
    line = words.status_line(replace(snapshot, state=state, over=state != "paused"), UNICODE, 80, PRESS)
    assert text(line).endswith(says)
    assert line[0] == (f"{state:<10}", role)


def test_the_longest_state_moves_nothing(snapshot: Snapshot) -> None:
    measuring = replace(snapshot, state="running", phase="validating")
    assert text(words.status_line(measuring, UNICODE, 80, PRESS)).startswith("validating step 1 880 / 3 000   ETA 0:41")


def test_an_ended_run_says_where_it_would_go_on_and_leaves_the_epoch_to_wide_windows(snapshot: Snapshot) -> None:
    stopped = replace(
        snapshot, state="stopped", over=True, checkpoints=(SavedFile(1500, "checkpoints/step-001500", 1),)
    )
    assert text(words.status_line(stopped, UNICODE, 80, PRESS)) == (
        "stopped    step 1 880 / 3 000   R resumes from step 1 500"
    )
    assert "epoch 1 / 8   R resumes" in text(words.status_line(stopped, UNICODE, 120, PRESS))


def test_why_a_run_is_not_well(snapshot: Snapshot) -> None:
    assert words.notice(snapshot) == ("", "")
    killed = replace(snapshot, state="killed", reason="its process ended without saying why")
    assert words.notice(killed) == ("its process ended without saying why", "$error")
    paused = replace(snapshot, state="paused", reason="the disk is nearly full")
    assert words.notice(paused) == ("the disk is nearly full", "$warning")
    failed = replace(snapshot, state="failed", reason="out of memory")
    assert words.notice(failed) == ("out of memory", "$error")
    said = Message(0.0, "error", "error", "out of memory. Lower training.batch_size")
    ended = Message(1.0, "finished", "error", "failed at step 1 880")
    assert words.notice(replace(failed, messages=(said, ended))) == (said.text, "$error")
    assert words.notice(replace(snapshot, state="finished", reason="all done")) == ("", "")


def test_a_finished_run_tells_how_long_it_took(snapshot: Snapshot) -> None:
    line = text(words.status_line(replace(snapshot, state="finished", over=True, seconds=95.0), UNICODE, 80, PRESS))
    assert line.startswith("finished   step 1 880 / 3 000   took 1 min 35 s")
    assert "ETA" not in line


def test_progress_of_another_job(snapshot: Snapshot) -> None:
    caching = replace(snapshot, phase="caching", progress=Progress("latents", 3, 24, "images"))
    assert text(words.status_line(caching, UNICODE, 80, PRESS)).endswith("latents 3 / 24 images")
    faster = replace(caching, progress=Progress("latents", 3, 24, "images", per_second=2.5))
    assert text(words.status_line(faster, UNICODE, 80, PRESS)).endswith("latents 3 / 24 images, 2.5 a second")


def test_work_before_the_first_step_has_the_line_to_itself(snapshot: Snapshot) -> None:
    drawing = Progress("drawing class images", 30, 200, "images", per_second=0.5)
    before = replace(snapshot, phase="sampling", step=0, progress=drawing)
    line = "sampling   drawing class images 30 / 200 images   ETA 5:40    0.5 a second"
    assert text(words.status_line(before, UNICODE, 80, PRESS)) == line
    assert text(words.status_line(before, UNICODE, 80, PRESS, ["stop"])) == f"{line}   stop asked"
    assert text(words.status_line(before, UNICODE, 140, PRESS)).endswith(" 15 %")
    held = replace(before, progress=Progress("encoding images", 0, 0, "images", note="the disk is full"))
    assert text(words.status_line(held, UNICODE, 140, PRESS)) == (
        "sampling   encoding images 0 / 0 images   the disk is full"
    )


def test_a_word_is_told_by_its_name(snapshot: Snapshot) -> None:
    line = words.rates_line(replace(snapshot, rates={"words.my_cat": array("d", [5e-4])}))
    assert text(line) == "rate  word my_cat 5.00e-04   gradient 0.21"


def test_rates_memory_time_device_and_files(snapshot: Snapshot) -> None:
    assert text(words.rates_line(snapshot)) == "rate  unet 1.00e-04   text encoder 4.00e-06   gradient 0.21"
    assert text(words.memory_line(snapshot)) == "memory  900 MiB now  2.0 GiB peak of 16.0 GiB (process)"
    assert text(words.time_line(snapshot)) == (
        "time    data 1 %  forward 38 %  backward 57 %  optimizer 3 %  other 1 %"
    )
    assert text(words.device_line(snapshot)) == "device  cpu"
    assert text(words.files_line(snapshot)) == "files   no checkpoint yet"


def test_the_part_of_the_loss_that_teaches_what_to_keep(snapshot: Snapshot) -> None:
    assert text(words.rates_line(replace(snapshot, prior_loss=0.01234))).endswith("gradient 0.21   prior loss 0.0123")


def test_parts_of_memory_and_totals_of_the_device(snapshot: Snapshot) -> None:
    parts = {"kind": "cuda", "used_mib": 8192, "peak_mib": 9216, "total_mib": 81920, "parts": {"weights": 1741}}
    assert text(words.memory_line(replace(snapshot, memory=parts))) == (
        "memory  8.0 GiB now  9.0 GiB peak of 80.0 GiB  weights 1.7 GiB"
    )
    totals = DeviceTotals("H200", 18637, 142336, 97, 71)
    assert text(words.device_line(replace(snapshot, totals=totals))) == (
        "device  H200  18.2 GiB of 139 GiB  97 % busy  71 °C"
    )


def test_before_anything_was_reported(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        bare = actor.snapshot()
    assert text(words.memory_line(bare)) == "memory  not reported yet"
    assert text(words.time_line(bare)) == "time    not reported yet"
    assert text(words.rates_line(bare)) == ""


def test_checkpoints_and_output(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        actor.events.write("checkpoint", step=500, path="checkpoints/step-000500", bytes=1, seconds=1)
        assert text(words.files_line(actor.snapshot())) == "files   1 checkpoint  at step 500"
        actor.events.write("checkpoint", step=1000, path="checkpoints/step-001000", bytes=1, seconds=1)
        assert text(words.files_line(actor.snapshot())) == "files   2 checkpoints  at step 500, 1 000"
        actor.finish(3000)
        assert text(words.files_line(actor.snapshot())) == "files   1 written  10.0 MiB"


def test_a_message_has_its_level_as_colour() -> None:
    clock, said, colour = words.message_line(Message(0.0, "warning", "warning", "mind"))
    assert (len(clock), said, colour) == (8, "mind", "$warning")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00"), (41.4, "0:41"), (725, "12:05"), (4815, "1 h 20"), (-3, "0:00")]
)
def test_clock(seconds: float, said: str) -> None:
    assert words.clock(seconds) == said


def test_commands_not_answered_yet_take_the_place_of_the_epoch(snapshot: Snapshot) -> None:
    asked = ["save", "preview"]
    assert text(words.status_line(snapshot, UNICODE, 80, PRESS, asked)) == (
        "training   step 1 880 / 3 000   ETA 0:41    1.9 images/s   save, preview asked"
    )
    assert text(words.status_line(snapshot, UNICODE, 120, PRESS, asked)).endswith("epoch 1 / 8   save, preview asked")


def test_what_to_press_is_what_the_user_made_it(snapshot: Snapshot) -> None:
    press = KeyTable({"monitor.resume": "f2", "monitor.pause": "f3"}).press
    paused = replace(snapshot, state="paused")
    assert "f3 goes on" in text(words.status_line(paused, UNICODE, 120, press))
    assert "f2 starts over" in text(
        words.status_line(replace(snapshot, state="killed", over=True), UNICODE, 120, press)
    )
