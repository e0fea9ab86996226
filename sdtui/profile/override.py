"""`--set key=value`: values from the command line laid over what the profile says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sdtui.profile.problem import Finding
from sdtui.profile.settings import Setting, find
from sdtui.profile.syntax import loads

# Setting one of a group on the command line takes the others out of the profile: the command line wins.
EXCLUSIVE = (("training.steps", "training.epochs"),)
_PART = re.compile(r"([A-Za-z0-9_-]+)((?:\[\d+\])*)")


@dataclass(frozen=True, slots=True)
class Overlaid:
    """The data with overrides applied, which keys came from them, and what was wrong with the overrides themselves."""

    data: dict[str, Any]
    keys: dict[str, str]
    findings: tuple[Finding, ...]


def overlay(data: dict[str, Any], overrides: Sequence[str]) -> Overlaid:
    """Apply each "key=value" to `data` in place; a later one wins over an earlier one of the same key.

    The value is read as TOML; where that fails, and for settings that hold text, it is taken as the text it is.
    """
    keys: dict[str, str] = {}
    findings: list[Finding] = []
    for override in overrides:
        key, equals, raw = override.partition("=")
        key, raw = key.strip(), raw.strip()
        path = _path(key)
        if not equals or path is None:
            findings.append(
                Finding("override", override, f"{override!r} is not key=value", "Write it as --set method.rank=8")
            )
        elif not _store(data, path, parse_value(find(key), raw)):
            findings.append(Finding("override", key, f"the profile has no {key} to set", "Rows of a list count from 0"))
        else:
            keys[key] = raw
    for group in EXCLUSIVE:
        given = [key for key in group if key in keys]
        for key in group:
            if given and key not in keys:
                section, _, name = key.rpartition(".")
                data.get(section, {}).pop(name, None)
    return Overlaid(data, keys, tuple(findings))


def parse_value(setting: Setting | None, raw: str) -> Any:
    """The value that `raw` means for `setting`, as the command line and the form's text fields give it.

    What does not fit comes back as it was written, and the check says what is allowed.
    """
    value = _toml(raw)
    if setting is None:
        return raw if value is None else value
    if setting.type_name in {"text", "one of"}:
        return value if isinstance(value, str) else raw
    if setting.type_name == "list" and not isinstance(value, list):
        return _list(setting, raw)
    return raw if value is None else value


def _list(setting: Setting, raw: str) -> Any:
    """A list without its brackets: 0.9,0.99 or attention,projection; a single prompt may hold commas."""
    bare = _toml(f"[{raw}]")
    if bare is not None:
        return bare
    return [item.strip() for item in raw.split(",")] if setting.choices else [raw]


def _toml(raw: str) -> Any:
    try:
        # One value and nothing after it: a line break would let a second setting in.
        return loads(f"value = {raw}")["value"] if "\n" not in raw else None
    except tomllib.TOMLDecodeError:
        return None


def _path(key: str) -> list[str | int] | None:
    path: list[str | int] = []
    for part in key.split("."):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        path.append(match[1])
        path.extend(int(index) for index in re.findall(r"\d+", match[2]))
    return path


def _store(data: dict[str, Any], path: list[str | int], value: Any) -> bool:
    """Put `value` at `path`, making missing sections; False when a list has no such row."""
    holder: Any = data
    for part, following in pairwise(path):
        if isinstance(holder, dict) and isinstance(part, str):
            holder = holder.setdefault(part, [] if isinstance(following, int) else {})
        elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
            holder = holder[part]
        else:
            return False
    last = path[-1]
    if isinstance(holder, dict) and isinstance(last, str):
        holder[last] = value
        return True
    if isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        holder[last] = value
        return True
    return False
