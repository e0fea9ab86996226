"""A profile in the making: each setting with the option it comes from, and what did not become one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sdtui.profile.kohya.option import Option
from sdtui.profile.kohya.options import OPTIONS
from sdtui.profile.kohya.source import Given, Source, Subset
from sdtui.profile.settings import find

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\|[^/]*\\")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_OFF = (None, "", False, 0, "0", "no", "none", "None")


class Made(NamedTuple):
    """A setting's value, the option it comes from (or the reason, where the file names none), and whether to write it."""

    value: Any
    origin: str
    shown: bool


class Mapped(NamedTuple):
    """An option of the file, its value there, and what it became."""

    kohya: str
    written: Any
    key: str
    value: Any


class Left(NamedTuple):
    """An option of the file that became no setting, and why."""

    kohya: str
    written: Any
    reason: str
    quiet: bool


@dataclass
class Draft:
    """What has been taken from `source` so far; `folder` is where the profile will stand."""

    source: Source
    folder: Path
    made: dict[str, Made] = field(default_factory=dict)
    mapped: list[Mapped] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def put(self, key: str, value: Any, *names: str, note: str = "", subset: Subset | None = None) -> None:
        """Set `key`, from the options `names`: those the file gives, else kohya's default of the first.

        A value that is ours anyway is not written out, unless the file asks for it against kohya's default.
        """
        setting = find(key)
        given = [(name, found) for name in names if (found := self.source.given(name, subset)) is not None]
        for name, found in given:
            self.used.add(name)
            self.mapped.append(Mapped(found.name, found.written, key, value))
        asked = any(_asks(name, found.value, value) for name, found in given)
        is_ours = setting is not None and not setting.required and _same(setting.default, value)
        origin = ", ".join(dict.fromkeys(found.name for _, found in given))
        if not origin and names:
            origin = f"kohya's default of {names[0]}"
        self.made[key] = Made(value, "; ".join(filter(None, (origin, note))), asked or not is_ours)

    def leave(self, name: str, reason: str, subset: Subset | None = None) -> None:
        """The option `name` does not apply; nothing happens where the file does not give it."""
        found = self.source.given(name, subset)
        self.used.add(name)
        if found is not None and _says(OPTIONS[name], found):
            self.left.append(Left(found.name, found.written, reason, quiet=False))

    def leave_rest(self) -> None:
        """All that nothing has used: options without a setting, and options that others leave without effect."""
        tables = (self.source.options, self.source.general, *(t for s in self.source.subsets or () for t in s))
        for name, found in ((name, found) for table in tables for name, found in table.items()):
            option = OPTIONS[name]
            if name not in self.used:
                self.used.add(name)
                self.left += [_left(option, found.name, found.written)] if _says(option, found) else []

    def place(self, written: str, key: str) -> str:
        """A path of the file as the profile has to write it: relative ones start at the file's folder there."""
        if _WINDOWS.match(written):
            self.warnings.append(f"{key}: {written} is a path on Windows; write where that is on this machine")
            return written
        here = self.source.path.parent
        if os.path.isabs(written) or written.startswith("~") or os.path.realpath(here) == os.path.realpath(self.folder):
            return written
        path = here / written
        return written if _HUB_NAME.fullmatch(written) and not path.exists() else os.path.abspath(path)


def _asks(name: str, found: Any, value: Any) -> bool:
    """Whether the file's value is another than kohya's own, or means another."""
    option = OPTIONS[name]
    if found in (None, option.default):
        return False
    return option.codec is None or bool(option.codec.read(option.default) != value)


def _same(ours: Any, value: Any) -> bool:
    return bool(ours == value) and isinstance(ours, bool) == isinstance(value, bool)


def _says(option: Option, found: Given) -> bool:
    """Whether the value asks for anything: forms name every option, most of them to say no."""
    return found.value not in (None, option.default) and (option.default is not None or found.written not in _OFF)


def _left(option: Option, name: str, written: Any) -> Left:
    if option.keys:
        return Left(name, written, "has no effect beside the other options", quiet=False)
    return Left(name, written, option.text, quiet=option.quiet)
