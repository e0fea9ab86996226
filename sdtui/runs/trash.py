"""Deleting a run so that it can be brought back: it moves to `.trash/` beside the other runs."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from sdtui.errors import SdtuiError, UserError
from sdtui.runs import lock, registry
from sdtui.runs.layout import RunFolder

_TRASH = ".trash"


def trash(run: RunFolder) -> Path:
    """Move an ended run to the trash of its runs folder; returns where it lies now, for `restore`.

    Raises:
        UserError: the run is alive, or waits in a queue.
        SdtuiError: it cannot be moved.
    """
    info = registry.inspect(run)
    if info.steerable or lock.is_held(run):
        raise UserError(f"this run is {info.state} and cannot be deleted", where=str(run.path), remedy="Stop it first")
    folder = run.path.parent / _TRASH
    # The time keeps two runs of one name apart, in case one is made again after the other was deleted.
    return _move(run.path, folder / f"{run.name}.{time.time_ns()}")


def restore(trashed: Path) -> RunFolder:
    """Bring a run back from the trash under its old name.

    Raises:
        UserError: its name is taken again, or it is no longer in the trash.
        SdtuiError: it cannot be moved.
    """
    target = trashed.parent.parent / trashed.name.rpartition(".")[0]
    if target.exists():
        raise UserError("a run of this name exists again", where=str(target), remedy="Move that one away first")
    if not trashed.is_dir():
        raise UserError("this run is no longer in the trash", where=str(trashed))
    return RunFolder(_move(trashed, target))


def list_trash(runs_dir: Path) -> list[Path]:
    """The trashed runs, as paths for `restore`, latest deletion first."""
    folder = runs_dir / _TRASH
    found = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted(found, key=lambda path: path.name.rpartition(".")[2], reverse=True)


def empty_trash(runs_dir: Path) -> int:
    """Delete what lies in the trash for good; returns how many runs that were."""
    found = list_trash(runs_dir)
    for path in found:
        shutil.rmtree(path)
    return len(found)


def _move(source: Path, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(source, target)
    except OSError as error:
        raise SdtuiError(f"cannot be moved to {target.parent}: {error.strerror}", where=str(source)) from error
    return target
