"""The ready profiles that come with sdtui: one for each task, found in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

import sdtui


def folder() -> Path:
    """The folder of shipped profiles: `sdtui/_profiles` in a wheel, `profiles/` beside the package in a checkout."""
    package = Path(sdtui.__file__).parent
    packed = package / "_profiles"
    return packed if packed.is_dir() else package.parent / "profiles"


def profiles() -> list[Path]:
    """The shipped profiles' files, by name."""
    return sorted(folder().glob("*.toml"))
