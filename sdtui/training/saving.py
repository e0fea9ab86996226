"""When a run saves and what it does when the disk is full: wait, say so, and go on when there is room."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from sdtui.errors import SdtuiError
from sdtui.files import make_folder
from sdtui.formats import writer
from sdtui.formats.learned import Adapter, Embedding
from sdtui.profile.naming import WORD_FOLDER, outputs
from sdtui.runs.layout import ADAPTER, RunFolder
from sdtui.training import checkpoint
from sdtui.training.checkpoint import Progress
from sdtui.training.cover import cover
from sdtui.training.disk import DiskGuard, is_full
from sdtui.training.optimizer import GuardedStep
from sdtui.training.report import Report
from sdtui.training.steering import Steering

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile, Saving
    from sdtui.training.methods.method import Trainable

_RETRY_SECONDS = 10.0


class SavePlan:
    """When a checkpoint is due by the profile's `[saving]`."""

    def __init__(self, saving: Saving, steps_per_epoch: int) -> None:
        self._every = [every for every in (saving.every_steps, saving.every_epochs * steps_per_epoch) if every]
        self._seconds = saving.every_minutes * 60
        self._last = time.monotonic()

    def due(self, step: int) -> bool:
        """Whether to save after `step` steps."""
        late = self._seconds and time.monotonic() - self._last >= self._seconds
        return bool(late) or any(step % every == 0 for every in self._every)

    def saved(self) -> None:
        """The minutes count from here."""
        self._last = time.monotonic()


@dataclass
class Saver:
    """Writes checkpoints and the finished file.

    Args:
        run: where to.
        report: told of every file.
        steering: obeyed while waiting for disk space.
        profile: names, formats, how many to keep.
        trainable: what was learned.
        apply: its optimizer's state is part of a checkpoint, and it knows the weights that are written.
        describe: metadata of a file made after so many steps.
    """

    run: RunFolder
    report: Report
    steering: Steering
    profile: Profile
    trainable: Trainable
    apply: GuardedStep
    describe: Callable[[int], dict[str, str]]

    def __post_init__(self) -> None:
        """Watch the disk that the run folder is on."""
        self.disk = DiskGuard(self.run.path, self.profile.saving.min_free_mib)
        self._overruled = False

    def checkpoint(self, progress: Progress) -> Path:
        """Save everything needed to go on from here, then remove what is too old.

        Raises:
            SdtuiError: it cannot be written, for another reason than a full disk or because the run is to end.
        """
        started = time.perf_counter()
        parameters, average = self.trainable.state(), self._average()
        moments = checkpoint.optimizer_tensors(self.apply.optimizer)
        usable = self._usable(progress.step)
        again = parameters if usable else {}
        need = sum(
            tensor.nbytes for tensor in [*again.values(), *parameters.values(), *average.values(), *moments.values()]
        )
        path: Path = self._patiently(
            lambda: checkpoint.save(self.run, progress, parameters, moments, usable, average=average), need
        )
        self.report.write(
            "checkpoint", step=progress.step, path=self._relative(path), bytes=checkpoint.size_of(path),
            seconds=round(time.perf_counter() - started, 3),
        )  # fmt: skip
        self.report.saved()
        for old in checkpoint.prune(self.run, self.profile.saving.keep_last):
            self.report.write("checkpoint_removed", path=self._relative(old))
        return path

    def output(self, step: int) -> None:
        """Write the finished file in each of the profile's layouts; raises SdtuiError as `checkpoint` does."""
        need = sum(tensor.nbytes for tensor in self.trainable.state().values())
        for output in outputs(self.profile):
            path = self.run.output_dir / output.path
            make_folder(path.parent)
            size = self._patiently(partial(self._write, path, step, output.layout, output.result), need)
            self.report.write("output", path=self._relative(path), bytes=size, step=step)

    def wait_for_space(self, need: int = 0) -> None:
        """Stay here while the disk is too full for a file of `need` bytes, unless the user says to go on regardless."""
        shortage = self.disk.shortage(need)
        if shortage and not self._overruled:
            self._hold(shortage, lambda: self.disk.shortage(need) is None)
            shortage = self.disk.shortage(need)
        self._overruled = shortage is not None

    def _hold(self, reason: str, until: Callable[[], bool]) -> None:
        """Pause until `until`, an `unpause` or a stop; the user is told once."""
        if self.steering.stopping:
            return
        self.report.state("paused", reason)
        self.report.warning(
            SdtuiError(
                reason,
                where=str(self.run.path),
                remedy="Free some space: the run goes on by itself, or at once with sdtui unpause",
            )
        )
        wanted, self.steering.paused = self.steering.paused, True
        while self.steering.paused and not self.steering.stopping and not until():
            self.steering.wait()
        # A pause that the user had asked for before stays.
        self.steering.paused = self.steering.paused and wanted

    def _patiently(self, write: Callable[[], Any], need: int) -> Any:
        """Write when there is room, and again after a write that found none."""
        self.wait_for_space(need)
        while True:
            self.report.state("saving")
            try:
                return write()
            except SdtuiError as error:
                if not is_full(error) or self.steering.stopping:
                    raise
                # There seems to be room and yet we are refused (a quota, reserved blocks): ask again now and then.
                again = time.monotonic() + _RETRY_SECONDS
                self._hold(error.message, partial(self._room_again, again, need))

    def _room_again(self, after: float, need: int) -> bool:
        return time.monotonic() > after and self.disk.shortage(need) is None

    def _average(self) -> dict[str, Tensor]:
        """The moving average by the names of the trained tensors; empty if none is kept."""
        if self.apply.average is None:
            return {}
        with self.apply.average.in_place():
            return self.trainable.state()

    def _usable(self, step: int) -> dict[str, Callable[[Path], object]]:
        """What writes the files of a checkpoint that are usable as they are: the adapter, and each word."""
        words = [word.name for word in self.profile.method.words]
        found: dict[str, Callable[[Path], object]] = {
            f"{WORD_FOLDER}/{word}.safetensors": partial(self._write, step=step, layout="kohya", result=word)
            for word in words
        }
        if self.trainable.format:
            found[ADAPTER] = partial(self._write, step=step, layout=self.trainable.format)
        return found

    def _write(self, path: Path, step: int, layout: str, result: str = "") -> int:
        with self.apply.finished_weights():
            results = self.trainable.results()
            made = results[result]
            if isinstance(made, Embedding):
                made = replace(made, step=step, cover=cover(self.run, made.name, step))
            if layout == "bundle" and isinstance(made, Adapter):
                made = replace(made, words=[one for one in results.values() if isinstance(one, Embedding)])
            return writer(made, layout)(path, made, self.describe(step), self.profile.saving.precision)

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.run.path))
