from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sdtui.dataset.digests import Digests
from sdtui.dataset.image import content_digest
from sdtui.errors import UserError
from sdtui.runs import control
from sdtui.runs.events import Event, EventReader
from sdtui.runs.layout import RunFolder
from sdtui.tagging import job
from sdtui.tagging.describers.base import Asked, BusyError, RefusedImageError
from sdtui.tagging.job import Task, job_folder, read_task, run, write_task
from sdtui.tagging.outputs import TagOutput
from sdtui.tagging.scores import Scores, TaggerFacts
from sdtui.tagging.tag_list import TagList
from sdtui.tagging.taggers.base import Pixels, Where

FACTS = TaggerFacts("fake", "ab" * 32, "as it is", TagList.plain(["red", "dark"]))
KILLED_AFTER = """
import os, signal, sys
from tests.tagging import test_job
from sdtui.tagging import job
class Mortal(test_job.Fake):
    def scores(self, batch):
        if len(self.batches) == {batches}:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().scores(batch)
job._KEEP_SECONDS = 0
from sdtui.tagging.outputs import TagOutput
job.open_output = lambda word, dataset, where, asked: TagOutput(Mortal(), dataset)
from pathlib import Path
job.run(Path(sys.argv[1]))
"""


class Fake:
    """Scores an image by its first pixel; remembers its batches."""

    facts = FACTS
    device = "cpu"

    def __init__(self, fixed: int | None = None) -> None:
        self.fixed_batch = fixed
        self.batches: list[int] = []

    def prepare(self, image: Image.Image) -> Pixels:
        return np.asarray(image, np.float32)[:1, :1]

    def scores(self, batch: Pixels) -> NDArray[np.float32]:
        self.batches.append(len(batch))
        red = batch[:, 0, 0, 0] / 255
        return np.stack([red, 1 - red], axis=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    for number in range(7):
        Image.new("RGB", (2, 2), (number * 40, 0, 0)).save(images / f"{number}.png")
    return images


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(job, "open_output", lambda _word, dataset, _where, _asked: TagOutput(made, dataset))
    return made


def begun(folder: Path, **options: object) -> Path:
    task = replace(Task(str(folder), "fake", batch=3), **options)  # type: ignore[arg-type]
    place = job_folder(task)
    place.mkdir(parents=True, exist_ok=True)
    write_task(place, task)
    return place


def told(place: Path, kind: str) -> list[Event]:
    return [event for event in EventReader(place / "events.jsonl").poll() if event["kind"] == kind]


def scores(folder: Path) -> list[dict[str, float]]:
    table = Scores.of(folder, FACTS).table()
    rows = table.rows_of([content_digest(folder / f"{number}.png") for number in range(7)]).tolist()
    return [{tag.name: round(tag.score, 3) for tag in table.scored(row)} for row in rows]


def test_every_image_is_scored_and_the_outcome_told(folder: Path, fake: Fake) -> None:
    place = begun(folder)
    assert run(place)
    assert fake.batches == [3, 3, 1]
    assert scores(folder)[:2] == [{"dark": 1.0}, {"dark": 0.843, "red": 0.157}]
    (outcome,) = told(place, "tagged")
    assert (outcome["scored"], outcome["skipped"], outcome["unreadable"]) == (7, 0, 0)
    assert outcome["tagger"] == "fake-abababab"
    assert told(place, "progress")[-1]["done"] == told(place, "progress")[-1]["total"] == 7


def test_an_ended_job_leaves_one_file(folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_KEEP_SECONDS", 0)
    run(begun(folder))
    assert fake.batches == [3, 3, 1]
    assert len(list(Scores.of(folder, FACTS).home.glob("*.safetensors"))) == 1
    assert all(scores(folder))


def test_what_has_scores_is_passed_over_unless_told_again(folder: Path, fake: Fake) -> None:
    run(begun(folder))
    fake.batches.clear()
    Image.new("RGB", (2, 2), (255, 0, 0)).save(folder / "3.png")
    place = begun(folder)
    run(place)
    assert fake.batches == [1]
    assert scores(folder)[3] == {"red": 1.0}
    assert told(place, "tagged")[-1]["skipped"] == 6
    run(begun(folder, again=True))
    assert sum(fake.batches) == 8


def test_corrupt_images_are_listed_and_not_fatal(folder: Path, fake: Fake) -> None:
    (folder / "1.png").write_bytes(b"junk")
    (folder / "5.png").write_bytes((folder / "5.png").read_bytes()[:45])
    place = begun(folder)
    assert run(place)
    assert [Path(event["where"]).name for event in told(place, "warning")] == ["1.png", "5.png"]
    assert told(place, "tagged")[-1]["unreadable"] == 2
    assert sum(fake.batches) == 5


def test_a_model_of_fixed_batches_gets_full_ones(folder: Path, fake: Fake) -> None:
    fake.fixed_batch = 4
    run(begun(folder))
    assert fake.batches == [4, 4]
    assert scores(folder)[6] == {"red": 0.941, "dark": 0.059}


def test_folders_inside_can_be_left_out(folder: Path, fake: Fake) -> None:
    (folder / "inner").mkdir()
    (folder / "6.png").rename(folder / "inner" / "6.png")
    run(begun(folder, flat=True))
    assert sum(fake.batches) == 6


def test_a_stop_keeps_what_was_scored(folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdtui.runs.job._LOOK_SECONDS", 0)
    place = begun(folder)
    score = fake.scores

    def stopping(batch: Pixels) -> NDArray[np.float32]:
        control.send(RunFolder(place), "stop")
        return score(batch)

    monkeypatch.setattr(fake, "scores", stopping)
    assert not run(place)
    assert told(place, "finished")[-1]["state"] == "stopped"
    assert told(place, "tagged")[-1]["scored"] == 3
    assert [bool(found) for found in scores(folder)] == [True] * 3 + [False] * 4


def test_a_killed_job_goes_on_where_its_scores_end(folder: Path, fake: Fake) -> None:
    place = begun(folder)
    code = KILLED_AFTER.format(batches=2)
    done = subprocess.run([sys.executable, "-c", code, str(place)], check=False)
    assert done.returncode == -9
    assert [bool(found) for found in scores(folder)] == [True] * 6 + [False]
    assert run(place)
    assert fake.batches == [1]
    assert all(scores(folder))


def test_what_is_wrong_with_the_tagger_ends_the_job(folder: Path) -> None:
    place = begun(folder, tagger="nonsense")
    with pytest.raises(UserError, match="there is no tagger nonsense"):
        run(place)
    (error,) = told(place, "error")
    assert (error["message"], error["exit_code"]) == ("there is no tagger nonsense", 2)


def test_the_options_reach_the_tagger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[object]] = []

    def opened(word: str, dataset: Path, where: Where, words: Asked) -> TagOutput:
        asked.append((word, dataset, where, words))
        return TagOutput(Fake(), dataset)

    monkeypatch.setattr(job, "open_output", opened)
    run(begun(folder, device="cpu", threads=2, prompt="a photo of", max_tokens=9, model="m"))
    assert asked == [("fake", folder, Where("cpu", 2), Asked("a photo of", 9, "m"))]


def test_a_task_is_read_as_it_was_written(tmp_path: Path) -> None:
    task = Task("/images", "starter", "cuda", 8, 2, again=True, flat=True, prompt="p", terms=("a.txt", "b.txt"))
    write_task(tmp_path, task)
    assert read_task(tmp_path) == task
    (tmp_path / "task.json").write_text('{"folder": 1, "more": 2}')
    with pytest.raises(UserError, match="no task can be read"):
        read_task(tmp_path)
    with pytest.raises(UserError, match="-1 is out of range"):
        Task("/images", "starter", batch=-1)


def test_a_model_without_its_last_layer_is_said(folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake, "scores", lambda batch: np.full((len(batch), 2), 7.25, np.float32))
    with pytest.raises(UserError, match=r"scores of up to 7\.25"):
        run(begun(folder))
    assert len(Scores.of(folder, FACTS).table()) == 0


def test_a_stopped_job_stores_its_digests_when_no_thread_writes_them(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdtui.runs.job._LOOK_SECONDS", 0)
    place = begun(folder, batch=1)
    alive: list[str] = []

    def stopping(batch: Pixels) -> NDArray[np.float32]:
        control.send(RunFolder(place), "stop")
        return np.zeros((len(batch), 2), np.float32)

    def saved(_: Digests) -> None:
        alive.extend(thread.name for thread in threading.enumerate() if thread.name.startswith("images"))

    monkeypatch.setattr(fake, "scores", stopping)
    monkeypatch.setattr(Digests, "save", saved)
    assert not run(place)
    assert alive == []


@pytest.mark.parametrize(
    ("refused", "ends", "outcome"),
    [({40, 120}, "finished", (5, 2)), (set(range(0, 241, 40)), "failed", (0, 4))],
    ids=["some", "all"],
)
def test_refused_images_are_listed_unless_all_are(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, refused: set[int], ends: str, outcome: tuple[int, int]
) -> None:
    def choosy(batch: Pixels) -> NDArray[np.float32]:
        if int(batch[0, 0, 0, 0]) in refused:
            raise RefusedImageError("not this one")
        return np.zeros((len(batch), 2), np.float32)

    monkeypatch.setattr(fake, "scores", choosy)
    place = begun(folder, batch=1)
    with nullcontext() if ends == "finished" else pytest.raises(RefusedImageError):
        run(place)
    assert told(place, "finished")[-1]["state"] == ends
    (last,) = told(place, "tagged")
    assert (last["scored"], last["refused"]) == outcome
    assert len(told(place, "warning")) == outcome[1]


def test_a_busy_model_is_asked_again_and_what_it_waits_for_is_told(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdtui.tagging.patience._FIRST_SECONDS", 0.01)
    answers = iter([BusyError("429 Too Many Requests"), BusyError("503 Busy", seconds=0.02), None, None, None])
    score = fake.scores

    def busy(batch: Pixels) -> NDArray[np.float32]:
        if (trouble := next(answers)) is not None:
            raise trouble
        return score(batch)

    monkeypatch.setattr(fake, "scores", busy)
    place = begun(folder)
    assert run(place)
    notes = [event["note"] for event in told(place, "progress") if "note" in event]
    assert notes == ["429 Too Many Requests: again in 1 s", "503 Busy: again in 1 s"]
    assert all(scores(folder))
    assert told(place, "warning") == []


def test_a_model_that_stays_busy_ends_the_job_with_what_was_scored(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = fake.scores

    def busy(batch: Pixels) -> NDArray[np.float32]:
        if fake.batches:
            raise BusyError("429 Too Many Requests", seconds=3600)
        return score(batch)

    monkeypatch.setattr(fake, "scores", busy)
    place = begun(folder)
    with pytest.raises(BusyError):
        run(place)
    assert [bool(found) for found in scores(folder)] == [True] * 3 + [False] * 4
