"""Scoring a folder of images as a job: followed, stopped and gone on with like any other long work.

The job's folder holds `task.json`, which says what to do, and what `runs.job` keeps there. Scores are stored every few
seconds, so a killed job loses no more than that; started again it passes over what has scores.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sdtui.dataset import sidecar
from sdtui.dataset.digests import Digests
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.files import write_atomic
from sdtui.profile.naming import safe_name
from sdtui.runs.job import Job
from sdtui.tagging.feed import Fed, feed
from sdtui.tagging.score_table import DIGEST_BYTES, ScoreTable, joined
from sdtui.tagging.scores import Scores
from sdtui.tagging.taggers import name_of, open_tagger
from sdtui.tagging.taggers.base import Device, Pixels, Tagger, Where

KIND = "tagging"
TASK = "task.json"
# What is scored but not stored yet is lost when the process is killed.
_KEEP_SECONDS = 5.0
_KEEP_IMAGES = 2000
_TELL_SECONDS = 0.25
_BATCH = {"cpu": 4, "cuda": 32}
# Preparing an image takes a tenth of a model's time or less; more threads than these only take the model's cores.
_LOADERS = 4


@dataclass(frozen=True)
class Task:
    """What to score, with what.

    Attributes:
        folder: the images.
        tagger: as `taggers.open_tagger` understands it.
        device: what to compute on.
        batch: images at once; 0: what suits the device.
        threads: of the processor for the model; 0: as many as it likes.
        again: also score what has scores.
        flat: leave out the folders inside `folder`.
    """

    folder: str
    tagger: str
    device: Device = "auto"
    batch: int = 0
    threads: int = 0
    again: bool = False
    flat: bool = False

    def __post_init__(self) -> None:
        for name in ("batch", "threads"):
            if getattr(self, name) < 0:
                raise UserError(f"{name} is {getattr(self, name)}", remedy="Give 0 or more")


@dataclass
class Outcome:
    """What a job came to so far: images scored, passed over because they had scores, and not readable."""

    scored: int = 0
    skipped: int = 0
    unreadable: int = 0
    seconds: float = 0.0

    def facts(self) -> dict[str, Any]:
        """For the event."""
        rate = self.scored / self.seconds if self.seconds else 0.0
        return {**asdict(self), "seconds": round(self.seconds, 3), "images_per_second": round(rate, 2)}


def job_folder(task: Task) -> Path:
    """Where the job of this tagger on this dataset lives; one at a time."""
    return sidecar.home(Path(task.folder), "jobs") / f"tag-{safe_name(name_of(task.tagger))}"


def write_task(folder: Path, task: Task) -> None:
    """Leave the task in a job's folder; raises SdtuiError when the disk does not take it."""
    write_atomic(folder / TASK, json.dumps(asdict(task)))


def read_task(folder: Path) -> Task:
    """The task of a job's folder; raises UserError where there is none that can be read."""
    try:
        return Task(**json.loads((folder / TASK).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"no task can be read: {error}", where=printable(folder / TASK)) from error


def run(folder: Path) -> bool:
    """Do the job of `folder`; whether it went to its end. What went wrong is in its event log and raised."""
    with Job(folder, KIND) as job:
        task = read_task(folder)
        library = Library.scan(Path(task.folder), recursive=not task.flat)
        tagger = open_tagger(task.tagger, Where(task.device, task.threads))
        work = _Work(job, task, tagger, library)
        try:
            work.score_all()
            work.join()
        finally:
            work.end()
    return not job.stopped


class _Work:
    """One job under way."""

    def __init__(self, job: Job, task: Task, tagger: Tagger, library: Library) -> None:
        self._job, self._task, self._tagger, self._library = job, task, tagger, library
        self._scores = Scores.of(library.folder, tagger.facts)
        self._digests = Digests(library.folder)
        self._batch = tagger.fixed_batch or task.batch or _BATCH.get(tagger.device, 1)
        self._rows: list[ScoreTable] = []
        self._outcome = Outcome()
        self._begun = self._kept = time.monotonic()
        self._told = 0.0

    def score_all(self) -> None:
        """Score every image that has no scores yet, or every image."""
        done = frozenset[str]() if self._task.again else _Known(self._scores.table())
        paths = [entry.path for entry in self._library]
        waiting: list[Fed] = []
        threads = min(_LOADERS, os.cpu_count() or 1)
        fed = feed(paths, self._tagger.prepare, self._digests, done, threads=threads, ahead=2 * self._batch + threads)
        for image in fed:
            self._job.check()
            self._take(image, waiting)
            if len(waiting) == self._batch:
                self._score(waiting)
        if waiting:
            self._score(waiting)

    def join(self) -> None:
        """Leave the scores in one file, which is read the fastest."""
        self._keep()
        self._scores.compact()

    def end(self) -> None:
        """Store what was scored, and tell what it came to; also when the job is stopped or fails."""
        self._keep()
        self._digests.save()
        self._outcome.seconds = time.monotonic() - self._begun
        self._tell()
        tagger = self._scores.id
        self._job.events.write("tagged", tagger=tagger, device=self._tagger.device, **self._outcome.facts())

    def _take(self, image: Fed, waiting: list[Fed]) -> None:
        if image.error is not None:
            self._outcome.unreadable += 1
            self._job.warning(image.error.message, where=image.error.where, remedy=image.error.remedy)
        elif image.pixels is None:
            self._outcome.skipped += 1
        else:
            waiting.append(image)
        if time.monotonic() - self._told > _TELL_SECONDS:
            self._tell()

    def _score(self, waiting: list[Fed]) -> None:
        """Score a batch and empty it."""
        pixels = [image.pixels for image in waiting if image.pixels is not None]
        found = self._tagger.scores(_batch(pixels, self._tagger.fixed_batch))[: len(pixels)]
        self._rows.append(ScoreTable.of(self._tagger.facts.tags, [image.digest for image in waiting], found))
        self._outcome.scored += len(waiting)
        waiting.clear()
        if time.monotonic() - self._kept > _KEEP_SECONDS or sum(map(len, self._rows)) >= _KEEP_IMAGES:
            self._keep()

    def _keep(self) -> None:
        if self._rows:
            self._scores.append(joined(self._rows))
            self._rows.clear()
        self._kept = time.monotonic()

    def _tell(self) -> None:
        outcome = self._outcome
        self._told = time.monotonic()
        self._job.progress(outcome.scored + outcome.skipped + outcome.unreadable, len(self._library), "images")


class _Known:
    """The images that a table has scores of, asked by digest in hex."""

    def __init__(self, table: ScoreTable) -> None:
        self._rows = table.rows

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and bytes.fromhex(digest)[:DIGEST_BYTES] in self._rows


def _batch(pixels: list[Pixels], fixed: int | None) -> Pixels:
    """The images stacked; a model of fixed batches gets the last image again where there are too few."""
    missing = (fixed or len(pixels)) - len(pixels)
    return np.stack([*pixels, *[pixels[-1]] * missing])
