from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from sdtui.runs import record
from sdtui.runs.layout import RunFolder
from sdtui.tagging.__main__ import main
from sdtui.tagging.job import Task, write_task
from sdtui.tagging.scores import taggers

SLOW = """
import sys, time
from sdtui.tagging import __main__, job
from sdtui.tagging.outputs import TagOutput
from tests.tagging.test_job import Fake
class Slow(Fake):
    def scores(self, batch):
        if self.batches:
            print("scored", flush=True)
            time.sleep(60)
        return super().scores(batch)
job.open_output = lambda word, dataset, where, asked: TagOutput(Slow(), dataset)
sys.exit(__main__.main(sys.argv[1:]))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    for number in range(4):
        Image.new("RGB", (2, 2), (number, 0, 0)).save(images / f"{number}.png")
    place = tmp_path / "job"
    place.mkdir()
    write_task(place, Task(str(images), "starter", "cpu", batch=2, threads=1))
    return place


def test_a_job_that_ends_is_a_success(place: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main([str(place)]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    (found,) = taggers(place.parent / "images")
    assert len(found.table()) == 4


def test_a_task_that_cannot_be_done_has_its_exit_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    shutil.rmtree(place.parent / "images")
    try:
        assert main([str(place)]) == 2
        assert main([]) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "error: " in capsys.readouterr().err


def test_a_signal_ends_it_as_stopped_with_what_was_scored(place: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW, str(place)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "scored\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
    assert record.read(RunFolder(place)).state == "stopped"
    (found,) = taggers(place.parent / "images")
    assert len(found.table()) == 2
