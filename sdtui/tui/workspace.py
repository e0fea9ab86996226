"""What a workspace holds, as Home lists it: profiles, the datasets they point to, and runs. Read in threads only."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdtui.errors import SdtuiError
from sdtui.runs import registry
from sdtui.runs.registry import RunInfo

if TYPE_CHECKING:
    from sdtui.profile.check import Report

RUNS = "runs"


@dataclass(frozen=True)
class ProfileRow:
    """One profile: its file, what it trains, and what is wrong with it.

    Attributes:
        errors: how many problems keep it from training; -1 while not checked.
        looked: whether its base model, machine and images were looked at, too.
        folders: the dataset folders it names, absolute.
        runs: the folder its runs go to, absolute; None when the file does not say.
    """

    path: Path
    changed: float
    kind: str = ""
    base: str = ""
    length: str = ""
    folders: tuple[Path, ...] = ()
    runs: Path | None = None
    errors: int = -1
    warnings: int = 0
    first_problem: str = ""
    looked: bool = False


@dataclass(frozen=True)
class DatasetRow:
    """One dataset: its folder, how many images it holds and how many lack a caption; -1 while not counted.

    Attributes:
        outside: how many images lie where kohya's layout, which the folder has, does not look.
    """

    path: Path
    images: int = -1
    untagged: int = 0
    problem: str = ""
    outside: int = 0


def profile_files(workspace: Path) -> list[Path]:
    """The profiles: `*.toml` in the workspace and in its `profiles/`, that say what they train."""
    found = []
    for folder in (workspace, workspace / "profiles"):
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".toml") and not name.startswith("."))
        except OSError:
            continue
        found += [folder / name for name in names if name != "pyproject.toml"]
    return found


def quick_row(path: Path) -> ProfileRow:
    """What the file itself says, without checking it; a file that cannot be read or parsed is a row all the same."""
    try:
        changed = path.stat().st_mtime
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return ProfileRow(path, 0.0, errors=1, first_problem=_unread(error))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return ProfileRow(path, changed, errors=1, first_problem=f"not valid TOML: {error}")
    return ProfileRow(
        path,
        changed,
        kind=str(_at(tables, "method", "kind") or ""),
        base=str(_at(tables, "model", "base") or ""),
        length=_length(tables),
        folders=_folders(tables, path.parent),
        runs=_workspace_of(path.parent) / os.path.expanduser(str(_at(tables, "launch", "runs") or RUNS)),
    )


def checked_row(row: ProfileRow) -> ProfileRow:
    """The row with the problems of the text and its paths; takes as long as importing and running the check."""
    from sdtui.profile.check import check_text

    try:
        report = check_text(row.path.read_text(encoding="utf-8"), row.path)
    except (OSError, UnicodeDecodeError) as error:
        return replace(row, errors=1, first_problem=_unread(error))
    return with_report(row, report)


def with_report(row: ProfileRow, report: Report) -> ProfileRow:
    """The row with the problems of a report, and with what is trained where the file leaves that to the default."""
    from sdtui.profile.settings import BY_KEY

    first = (report.errors or report.problems)[:1]
    return replace(
        row,
        kind=row.kind or str(BY_KEY["method.kind"].default),
        errors=len(report.errors),
        warnings=len(report.warnings),
        first_problem=first[0].message if first else "",
    )


def dataset_folders(workspace: Path) -> list[Path]:
    """The folders that the workspace's profiles train on, each once."""
    rows = map(quick_row, profile_files(workspace))
    return list(dict.fromkeys(folder for row in rows for folder in row.folders))


def triggers(workspace: Path, folder: Path) -> list[str]:
    """The words that call what is learned from these images, as the workspace's profiles that use them say."""
    found = []
    for path in profile_files(workspace):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
            continue  # Home tells of it
        if any(_holds(one, folder) for one in _folders(tables, path.parent)):
            found += [_at(tables, "saving", "trigger"), _at(tables, "prior", "trigger")]
    return list(dict.fromkeys(word for word in found if isinstance(word, str) and word.strip()))


def _holds(one: Path, other: Path) -> bool:
    """Whether one of two folders is the other, or lies in it."""
    return one == other or one in other.parents or other in one.parents


def dataset_row(path: Path) -> DatasetRow:
    """Count a dataset's images and the captions that are missing."""
    from sdtui.dataset.layout import outside_kohya
    from sdtui.dataset.library import Library

    try:
        library = Library.scan(path)
    except SdtuiError as error:
        return DatasetRow(path, 0, problem=error.message)
    problem = "" if len(library) else library.why_empty()
    return DatasetRow(path, len(library), library.untagged, problem, outside_kohya(library))


def runs_folders(workspace: Path, profiles: list[ProfileRow]) -> list[Path]:
    """Where runs may lie: the workspace's own `runs/` and wherever the profiles send theirs."""
    folders = [workspace / RUNS, *(row.runs for row in profiles if row.runs is not None)]
    return list(dict.fromkeys(Path(os.path.normpath(folder)) for folder in folders))


def all_runs(folders: list[Path]) -> tuple[list[RunInfo], str]:
    """The runs of all folders, live ones first, then the newest; and why a folder could not be listed, if one could not."""
    infos: list[RunInfo] = []
    trouble = ""
    for folder in folders:
        try:
            infos += registry.list_runs(folder)
        except SdtuiError as error:
            trouble = f"{error.where}: {error.message}"
    return sorted(infos, key=lambda info: (not info.live, -info.created)), trouble


def _unread(error: OSError | UnicodeDecodeError) -> str:
    """Why a profile's text could not be had, in the words of `profile.check.read_text`."""
    if isinstance(error, OSError):
        return f"cannot read the profile: {error.strerror}"
    line = error.object[: error.start].count(b"\n") + 1
    return f"line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8. Save it as UTF-8 in your editor"


def _workspace_of(folder: Path) -> Path:
    """As `profile.resolve.workspace_of`, which costs an import of pydantic that Home must not wait for."""
    return folder.parent if folder.name == "profiles" else folder


def _at(tables: dict[str, Any], section: str, key: str) -> Any:
    value = tables.get(section)
    return value.get(key) if isinstance(value, dict) else None


def _length(tables: dict[str, Any]) -> str:
    for key in ("steps", "epochs"):
        value = _at(tables, "training", key)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value} {key}"
    return ""


def _folders(tables: dict[str, Any], base: Path) -> tuple[Path, ...]:
    entries = _at(tables, "dataset", "folders")
    if not isinstance(entries, list):
        return ()
    paths = [entry.get("path") for entry in entries if isinstance(entry, dict)]
    return tuple(Path(os.path.normpath(base / os.path.expanduser(path))) for path in paths if isinstance(path, str))
