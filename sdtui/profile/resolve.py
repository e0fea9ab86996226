"""Paths in a profile: which settings hold them, and what relative ones are relative to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdtui.profile.hub import is_hub_name
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS


def absolute(path: str, start: Path) -> str:
    """`path` with ~ expanded, absolute from `start`, without . and .. parts (links are left as they are)."""
    return os.path.normpath(os.path.join(start, os.path.expanduser(path)))


def workspace_of(folder: Path) -> Path:
    """The workspace a profile in `folder` belongs to: the folder itself, or the one above a folder named profiles."""
    return folder.parent if folder.name == "profiles" else folder


def paths_of(profile: Profile, folder: Path) -> Iterator[tuple[str, str, str, Path]]:
    """Every path setting as (concrete key, kind, value as written, folder it is relative to); `folder` is the profile's."""
    folder = Path(os.path.abspath(folder))
    data = profile.model_dump(by_alias=True)
    for setting in SETTINGS:
        if setting.path:
            start = workspace_of(folder) if setting.path == "output" else folder
            for section, table in _tables(data, setting.section):
                yield f"{section}.{setting.name}", setting.path, table[setting.name], start


def anchored(profile: Profile, path: Path) -> Profile:
    """The profile as read from the file `path`: named after it when it has no name, relative paths made absolute."""
    # Bytes that are not UTF-8 become question marks: a name is text.
    stem = path.stem.encode("utf-8", "replace").decode()
    named = profile if profile.name else profile.model_copy(update={"name": stem})
    return resolved(named, path.parent)


def resolved(profile: Profile, folder: Path) -> Profile:
    """The profile with absolute paths; relative ones start at `folder`, the profile's."""
    folder = Path(os.path.abspath(folder))
    data = profile.model_dump(by_alias=True)
    for setting in SETTINGS:
        if setting.path:
            start = workspace_of(folder) if setting.path == "output" else folder
            for _, table in _tables(data, setting.section):
                table[setting.name] = _placed(table[setting.name], setting.path, start)
    return Profile.model_validate(data)


def _placed(written: str, kind: str, start: Path) -> str:
    """An absolute path; nothing, and the name of a model on the hub, stay as they are."""
    if not written:
        return ""
    path = absolute(written, start)
    return written if kind == "model" and is_hub_name(written) and not os.path.exists(path) else path


def _tables(data: dict[str, Any], section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables a section's key stands for, each with its concrete key: one, or every one of a list."""
    found: list[tuple[str, Any]] = [("", data)]
    for part in section.split("."):
        name = part.removesuffix("[]")
        found = [(f"{key}.{name}" if key else name, table[name]) for key, table in found]
        if part.endswith("[]"):
            found = [(f"{key}[{index}]", row) for key, rows in found for index, row in enumerate(rows)]
    yield from found
