"""Where everything in a run folder lies; docs/run-folder.md is the same in words."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sdtui.errors import SdtuiError
from sdtui.files import make_folder, write_failure
from sdtui.profile.naming import safe_name

SCHEMA = 1
"""Version of the run folder's protocol; readers refuse to steer a folder with a higher one."""
ADAPTER = "adapter.safetensors"
"""What a checkpoint's folder calls the adapter as it was then."""
STATE = "state.safetensors"
"""What it calls the tensors that training goes on from."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run on disk; the paths are where the files would be, whether or not they exist yet."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, which is the run's name everywhere."""
        return self.path.name

    @property
    def profile_file(self) -> Path:
        """The frozen profile: the only settings the trainer reads."""
        return self.path / "profile.toml"

    @property
    def run_json(self) -> Path:
        """The run's record (`sdtui.runs.record`)."""
        return self.path / "run.json"

    @property
    def lock_file(self) -> Path:
        """Held with flock by the trainer while it lives."""
        return self.path / "lock"

    @property
    def events_file(self) -> Path:
        """The append-only event log, one JSON object per line."""
        return self.path / "events.jsonl"

    @property
    def control_dir(self) -> Path:
        """Commands for the trainer, one file each."""
        return self.path / "control"

    @property
    def previews_dir(self) -> Path:
        """Preview images, one folder per step."""
        return self.path / "previews"

    @property
    def checkpoints_dir(self) -> Path:
        """Checkpoints, one folder per step."""
        return self.path / "checkpoints"

    @property
    def output_dir(self) -> Path:
        """The finished files."""
        return self.path / "output"

    @property
    def log_file(self) -> Path:
        """Everything the trainer printed."""
        return self.path / "log.txt"

    def preview_dir(self, step: int) -> Path:
        """The folder of the previews made after `step` optimizer steps."""
        return self.previews_dir / step_name(step)

    def checkpoint_dir(self, step: int) -> Path:
        """The folder of the checkpoint taken after `step` optimizer steps."""
        return self.checkpoints_dir / step_name(step)

    def complete_checkpoints(self) -> list[tuple[int, Path]]:
        """Checkpoints whose `complete` marker was written, as (step, folder), oldest first."""
        return sorted(
            (int(marker.parent.name.removeprefix("step-")), marker.parent)
            for marker in self.checkpoints_dir.glob("step-*/complete")
            if marker.parent.name.removeprefix("step-").isdigit()
        )

    def make_folders(self) -> None:
        """Create the folders inside the run folder that are missing."""
        for folder in (self.control_dir, self.previews_dir, self.checkpoints_dir, self.output_dir):
            make_folder(folder)

    @classmethod
    def create(cls, runs_dir: Path, name: str, now: float | None = None) -> RunFolder:
        """A new, empty run folder `<name>-<YYYYmmdd-HHMMSS>` (local time), unique even within one second.

        Raises:
            SdtuiError: the folder cannot be made.
        """
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        try:
            runs_dir.mkdir(parents=True, exist_ok=True)
            run = cls(_first_free(runs_dir, f"{safe_name(name)}-{stamp}"))
        except OSError as error:
            raise write_failure(runs_dir, error) from error
        run.make_folders()
        return run


def step_name(step: int) -> str:
    """`step-000200`: six digits, so that names sort as steps do up to a million."""
    return f"step-{step:06d}"


def _first_free(folder: Path, name: str) -> Path:
    for candidate in _candidates(name):
        try:
            # mkdir is the test and the claim in one, so two launches in one second cannot meet.
            (folder / candidate).mkdir()
        except FileExistsError:
            continue
        return folder / candidate
    raise SdtuiError("no free name for a new run", where=str(folder))  # pragma: no cover


def _candidates(name: str) -> Iterator[str]:
    yield name
    for number in itertools.count(2):
        yield f"{name}-{number}"
