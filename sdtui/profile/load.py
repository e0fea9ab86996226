"""From a profile file to the typed profile, and from that to the frozen TOML that a run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tomli_w

from sdtui.profile.check import Report, check_text, read_text
from sdtui.profile.problem import ProfileError
from sdtui.profile.resolve import resolved
from sdtui.profile.schema import Profile

__all__ = ["ProfileError", "freeze", "load_frozen", "load_profile"]


def load_profile(path: Path, overrides: Sequence[str] = (), *, places: bool = True) -> Profile:
    """The checked profile at `path`, with absolute paths, its name filled in, and `key=value` overrides applied.

    Args:
        path: the profile's file.
        overrides: "key=value" as the command line gives them.
        places: whether what it names must be on this machine.

    Raises:
        UserError: the file cannot be read.
        ProfileError: it has at least one error; the text lists all.
    """
    return _sound(path, check_text(read_text(path), path, overrides, places=places))


def load_frozen(path: Path) -> Profile:
    """The resolved profile of a run, as `freeze` wrote it. Whether its paths still exist is for the trainer to see.

    Raises:
        UserError: the file cannot be read.
        ProfileError: it is not a valid profile, or was written by a newer sdtui.
    """
    return _sound(path, check_text(read_text(path), path, places=False))


def freeze(profile: Profile, base_dir: Path) -> str:
    """The profile as TOML with every default written out and every path absolute (relative ones start at `base_dir`)."""
    return tomli_w.dumps(resolved(profile, base_dir).model_dump(by_alias=True, exclude_none=True))


def _sound(path: Path, report: Report) -> Profile:
    if report.profile is None:
        raise ProfileError(path, report.problems)
    return report.profile
