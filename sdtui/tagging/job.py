"""Scoring or describing a folder of images as a job: followed, stopped and gone on with like any other long work.

The job's folder holds `task.json`, which says what to do, and what `runs.job` keeps there. Results are stored every few
seconds, so a killed job loses no more than that; started again it passes over what has some.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import time
from collections.abc import Container, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sdtui.dataset import sidecar
from sdtui.dataset.digests import Digests
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.files import write_atomic
from sdtui.profile.naming import safe_name
from sdtui.runs.job import Job
from sdtui.tagging import patience
from sdtui.tagging.describers.base import Asked, BusyError, RefusedImageError
from sdtui.tagging.feed import Fed, feed
from sdtui.tagging.outputs import Output, open_output
from sdtui.tagging.taggers import name_of
from sdtui.tagging.taggers.base import Device, Where

KIND = "tagging"
TASK = "task.json"
# What is scored but not stored yet is lost when the process is killed.
_KEEP_SECONDS = 5.0
_KEEP_IMAGES = 2000
_TELL_SECONDS = 0.25
_BATCH = {"cpu": 4, "cuda": 32}
# So many refusals one after another are not about the images.
_REFUSALS = 5
# Of images at once, threads, tokens: more than any machine has use for.
_MOST = 4096
# Preparing an image takes a tenth of a model's time or less; more threads than these only take the model's cores.
_LOADERS = 4


@dataclass(frozen=True)
class Task:
    """What to score, with what.

    Attributes:
        folder: the images.
        tagger: as `outputs.open_output` understands it.
        device: what to compute on.
        batch: images at once; 0: what suits the device.
        threads: of the processor for the model; 0: as many as it likes.
        again: also images that have results.
        flat: leave out the folders inside `folder`.
        prompt, max_tokens, model, terms: as in `describers.base.Asked`.
    """

    folder: str
    tagger: str
    device: Device = "auto"
    batch: int = 0
    threads: int = 0
    again: bool = False
    flat: bool = False
    prompt: str = ""
    max_tokens: int = Asked.max_tokens
    model: str = ""
    terms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        limits = (("batch-size", self.batch, 0), ("threads", self.threads, 0), ("max-tokens", self.max_tokens, 1))
        for name, given, least in limits:
            if not least <= given <= _MOST:
                raise UserError(f"{given} is out of range", where=f"--{name}", remedy=f"Give {least} to {_MOST}")

    @property
    def where(self) -> Where:
        """What the model may compute on."""
        return Where(self.device, self.threads)

    @property
    def asked(self) -> Asked:
        """What a describer is asked."""
        return Asked(self.prompt, self.max_tokens, self.model, self.terms)


@dataclass
class Outcome:
    """What a job came to so far: images scored or described, passed over because they were before, not readable, refused."""

    scored: int = 0
    skipped: int = 0
    unreadable: int = 0
    refused: int = 0
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
        raw = json.loads((folder / TASK).read_bytes())
        return Task(**{**raw, "terms": tuple(raw.get("terms", ()))})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"no task can be read: {error}", where=printable(folder / TASK)) from error


def run(folder: Path) -> bool:
    """Do the job of `folder`; whether it went to its end. What went wrong is in its event log and raised."""
    with Job(folder, KIND) as job:
        task = read_task(folder)
        library = Library.scan(Path(task.folder), recursive=not task.flat)
        output = open_output(task.tagger, library.folder, task.where, task.asked)
        work = _Work(job, task, output, library)
        try:
            work.go_through()
            output.join()
        finally:
            work.end()
    return not job.stopped


class _Work:
    """One job under way."""

    def __init__(self, job: Job, task: Task, output: Output, library: Library) -> None:
        self._job, self._task, self._output, self._library = job, task, output, library
        self._digests = Digests(library.folder)
        self._batch = output.fixed_batch or task.batch or _BATCH.get(output.device, 1)
        self._outcome = Outcome()
        self._begun = self._kept = time.monotonic()
        self._told = 0.0
        self._refused = 0

    def go_through(self) -> None:
        """Every image that has no results yet, or every image."""
        done: Container[str] = () if self._task.again else self._output.done()
        paths = [entry.path for entry in self._library]
        waiting: list[Fed] = []
        threads = min(_LOADERS, os.cpu_count() or 1)
        ahead = 2 * self._batch + threads
        images = feed(paths, self._output.prepare, self._digests, done, threads=threads, ahead=ahead)
        # Closed also where the job is stopped: its threads still write into the digests that `end` stores.
        with closing(images):
            for image in images:
                self._job.check()
                self._sort_out(image, waiting)
                if len(waiting) == self._batch:
                    self._take(waiting)
        if waiting:
            self._take(waiting)

    def end(self) -> None:
        """Store what was done, and tell what it came to; also when the job is stopped or fails."""
        self._output.keep()
        self._digests.save()
        self._outcome.seconds = time.monotonic() - self._begun
        self._tell()
        output = self._output
        self._job.events.write("tagged", tagger=output.id, device=output.device, **self._outcome.facts())

    def _sort_out(self, image: Fed, waiting: list[Fed]) -> None:
        if image.error is not None:
            self._outcome.unreadable += 1
            self._job.warning(image.error.message, where=image.error.where, remedy=image.error.remedy)
        elif image.prepared is None:
            self._outcome.skipped += 1
        else:
            waiting.append(image)
        if time.monotonic() - self._told > _TELL_SECONDS:
            self._tell()

    def _take(self, waiting: list[Fed]) -> None:
        """Run the model on a batch and empty it."""
        try:
            self._have_answered(waiting)
            self._outcome.scored += len(waiting)
            self._refused = 0
        except RefusedImageError as error:
            self._list_refused(waiting, error)
        waiting.clear()
        if time.monotonic() - self._kept > _KEEP_SECONDS or self._output.waiting >= _KEEP_IMAGES:
            self._output.keep()
            self._kept = time.monotonic()

    def _have_answered(self, images: Sequence[Fed]) -> None:
        """Run the model; where it is busy wait, and try again."""
        for tries in itertools.count(1):
            try:
                self._output.take([image.digest for image in images], [image.prepared for image in images])
            except BusyError as error:
                self._wait(patience.seconds_before(tries, error), error.message)
            else:
                return

    def _wait(self, seconds: float, why: str) -> None:
        patience.wait(seconds, self._job.check, lambda left: self._tell(f"{why}: again in {math.ceil(left)} s"))

    def _list_refused(self, images: Sequence[Fed], error: RefusedImageError) -> None:
        """Go on without them, unless the model refuses one image after another."""
        self._refused += 1
        if self._refused == _REFUSALS:
            raise error
        self._outcome.refused += len(images)
        for image in images:
            self._job.warning(error.message, where=printable(image.path), remedy=error.remedy)

    def _tell(self, note: str = "") -> None:
        outcome = self._outcome
        self._told = time.monotonic()
        done = outcome.scored + outcome.skipped + outcome.unreadable + outcome.refused
        self._job.progress(done, len(self._library), "images", note)
