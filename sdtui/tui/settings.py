"""The user's settings for the screens: the `[tui]` and `[keys]` tables of the config file, read once before the app starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdtui import paths
from sdtui.config import read_config
from sdtui.errors import UserError

KNOWN = ("theme", "ascii", "picture")
# What pictures are drawn with; `auto` is the finest that the terminal's colours allow.
PICTURES = ("auto", "quadrant", "half", "ascii")


@dataclass(frozen=True)
class Settings:
    """What the user chose; every field has the default of an absent file.

    Attributes:
        theme: `sdtui`, `sdtui-light`, or any theme Textual ships.
        ascii: draw the chrome, pictures and charts with ASCII only.
        picture: what pictures are drawn with, one of PICTURES; some fonts lack quadrants.
        keys: action id to keys, as in docs/keys.md (`"captions.add_tag" = "a,f6"`).
    """

    theme: str = "sdtui"
    ascii: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    picture: str = "auto"


def read_settings(path: Path | None = None) -> Settings:
    """The settings in `path` (the user's config file unless told), or the defaults where there is none.

    Raises:
        UserError: the file is not TOML, or holds an unknown key or a value of the wrong type.
    """
    path = path or paths.config_file()
    tables = read_config(path)
    return _checked(tables.get("tui", {}), tables.get("keys", {}), str(path))


def _checked(tui: object, keys: object, where: str) -> Settings:
    if not isinstance(tui, dict) or not isinstance(keys, dict):
        raise UserError("[tui] and [keys] are tables", where=where)
    if unknown := sorted(set(tui) - set(KNOWN)):
        raise UserError(f"unknown key tui.{unknown[0]}", where=where, remedy=f"Known: {', '.join(KNOWN)}")
    theme, ascii_only = tui.get("theme", "sdtui"), tui.get("ascii", False)
    if not isinstance(theme, str) or not isinstance(ascii_only, bool):
        raise UserError("tui.theme is a string and tui.ascii is true or false", where=where)
    if (picture := tui.get("picture", "auto")) not in PICTURES:
        raise UserError(f"tui.picture is {', '.join(PICTURES[:-1])} or {PICTURES[-1]}", where=where)
    if wrong := [name for name, value in keys.items() if not isinstance(value, str)]:
        raise UserError(f'keys."{wrong[0]}" must be a string of keys', where=where, remedy='Write it like "a,f6"')
    return Settings(theme, ascii_only, keys, picture)
