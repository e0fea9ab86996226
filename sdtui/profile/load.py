"""From a profile file to the typed profile, and from that to the frozen TOML that a run keeps."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from sdtui.errors import UserError
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS


class ProfileError(UserError):
    """A profile with problems; the text lists them all."""


def load_profile(path: Path, overrides: Sequence[str] = ()) -> Profile:
    """The checked profile at `path`, with absolute paths, its name filled in, and `key=value` overrides applied.

    Raises:
        ProfileError: the file cannot be read, or has at least one error.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for override in overrides:
            key, _, value = override.partition("=")
            section, _, name = key.rpartition(".")
            data.setdefault(section, {})[name] = tomllib.loads(f"v = {value}")["v"]
        profile = Profile.model_validate(data)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ProfileError(str(error), where=str(path)) from error
    return anchored(profile, path)


def load_frozen(path: Path) -> Profile:
    """The resolved profile of a run, as `freeze` wrote it; nothing on disk but the file itself is looked at.

    Raises:
        ProfileError: the file is missing, or is not a valid profile.
    """
    return load_profile(path)


def freeze(profile: Profile, base_dir: Path) -> str:
    """The profile as TOML with every default written out and every path absolute (relative ones start at `base_dir`)."""
    return tomli_w.dumps(_absolute(profile, base_dir).model_dump(by_alias=True, exclude_none=True))


def anchored(profile: Profile, path: Path) -> Profile:
    """The profile as read from `path`: named after the file when it has no name, relative paths made absolute."""
    named = profile if profile.name else profile.model_copy(update={"name": path.stem})
    return _absolute(named, path.parent)


def workspace_of(folder: Path) -> Path:
    """The workspace a profile in `folder` belongs to: the folder itself, or the one above a folder named profiles."""
    return folder.parent if folder.name == "profiles" else folder


def _absolute(profile: Profile, base_dir: Path) -> Profile:
    folder = Path(os.path.abspath(base_dir))
    data = profile.model_dump(by_alias=True)
    for setting in SETTINGS:
        if setting.path:
            start = workspace_of(folder) if setting.path == "output" else folder
            for table in _tables(data, setting.section):
                if table[setting.name]:
                    table[setting.name] = absolute(table[setting.name], start)
    return Profile.model_validate(data)


def absolute(path: str, start: Path) -> str:
    """`path` with ~ expanded, absolute from `start`, without . and .. parts (links are left as they are)."""
    return os.path.normpath(start / Path(path).expanduser())


def _tables(data: dict[str, Any], section: str) -> list[dict[str, Any]]:
    """The tables a section's key stands for: one, or every one of a list."""
    found: list[Any] = [data]
    for part in section.split("."):
        found = [table[part.removesuffix("[]")] for table in found]
        if part.endswith("[]"):
            found = [row for rows in found for row in rows]
    return found
