"""Every folder sdtui uses outside the workspace, by the XDG base directory rules; `sdtui info` prints them."""

from __future__ import annotations

import os
from pathlib import Path


def config_file() -> Path:
    """The user's settings (keys, theme, paths): `$SDTUI_CONFIG`, else `sdtui/config.toml` in the XDG config folder."""
    override = os.environ.get("SDTUI_CONFIG")
    return Path(override) if override else _xdg("XDG_CONFIG_HOME", ".config") / "config.toml"


def cache_dir() -> Path:
    """Cached latents and conditioning: `$SDTUI_CACHE`, else `sdtui` in the XDG cache folder. Safe to delete."""
    override = os.environ.get("SDTUI_CACHE")
    return Path(override) if override else _xdg("XDG_CACHE_HOME", ".cache")


def data_dir() -> Path:
    """What belongs to datasets that cannot be written (marks, edit journals), and the trash."""
    override = os.environ.get("SDTUI_DATA")
    return Path(override) if override else _xdg("XDG_DATA_HOME", ".local/share")


def state_dir() -> Path:
    """Where the app was left, its log and crash reports."""
    override = os.environ.get("SDTUI_STATE")
    return Path(override) if override else _xdg("XDG_STATE_HOME", ".local/state")


def _xdg(variable: str, fallback: str) -> Path:
    base = os.environ.get(variable, "")
    # The specification says that a relative value is to be ignored.
    root = Path(base) if base.startswith("/") else Path.home() / fallback
    return root / "sdtui"
