"""From what tomllib read to findings about keys, types and ranges, and to the best profile the sound part makes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sdtui.profile import nearest, values
from sdtui.profile.positions import join_key
from sdtui.profile.problem import Finding
from sdtui.profile.schema import SCHEMA, Profile
from sdtui.profile.settings import SECTIONS, SETTINGS, Setting, find, template

Path = tuple[str | int, ...]

# Stands in for a required value that is missing or wrong, so that the other settings can still be judged together.
_PLACEHOLDER = "x"


@dataclass(frozen=True, slots=True)
class Examined:
    """What validation makes of the data: `broken` are the keys that `profile` does not truly have."""

    profile: Profile | None
    findings: tuple[Finding, ...]
    broken: frozenset[str]


def examine(data: dict[str, Any]) -> Examined:
    """Check every key, type and range in `data` (as tomllib reads a profile); nothing is looked up on disk."""
    try:
        return Examined(Profile.model_validate(data), (), frozenset())
    except ValidationError as error:
        errors = error.errors(include_url=False)
    findings: dict[str, Finding] = {}
    sound = copy.deepcopy(data)
    for detail in errors:
        path = _known_part(detail["loc"])
        _take_out(sound, path)
        for finding in _findings(path, detail):
            findings.setdefault(finding.key, finding)
    broken = frozenset(findings)
    for key in broken & _required(broken):
        _put_in(sound, key)
    try:
        profile = Profile.model_validate(sound)
    except ValidationError:
        # A section of the wrong shape took required keys with it; its own finding is already there.
        profile = None
    return Examined(profile, tuple(findings.values()), broken)


def _known_part(location: Sequence[str | int]) -> Path:
    """Pydantic's location up to the setting it belongs to, without the tags it adds for the members of a union."""
    path: list[str | int] = []
    for part in location:
        if find(join_key(*path)) and not isinstance(part, int):
            break
        path.append(part)
    return tuple(path)


def _findings(path: Path, detail: ErrorDetails) -> list[Finding]:
    key = join_key(*path)
    if detail["type"] == "extra_forbidden":
        return [_unknown(path, detail["input"])]
    setting = _setting_of(path)
    if detail["type"] == "missing" and (setting is None or setting.key == template(key)):
        return [_missing(required) for required in _missing_keys(key)]
    if detail["type"] == "missing":
        path = path[:-1]  # a list that is too short, which is what was found, lacks its last items
    return [_wrong_value(setting, path, detail["input"]) if setting else _not_a_table(key)]


def _setting_of(path: Path) -> Setting | None:
    """The setting at `path`, or the list it is an item of."""
    return next((setting for end in range(len(path), 0, -1) if (setting := find(join_key(*path[:end])))), None)


def _unknown(path: Path, found: Any) -> Finding:
    section, name = join_key(*path[:-1]), str(path[-1])
    key = join_key(*path)
    shown = nearest.table_name(section) if section else "the profile"
    if not section and (
        isinstance(found, dict) or (isinstance(found, list) and any(isinstance(row, dict) for row in found))
    ):
        return Finding(
            "unknown-section",
            key,
            f"there is no section [{name}]",
            nearest.section_hint(name),
            nearest.sections_allowed(),
        )
    allowed = nearest.names_allowed(section)
    if not section:
        allowed += f", and the sections {nearest.sections_allowed()}"
    return Finding("unknown-key", key, f"{shown} has no setting {name}", nearest.key_hint(section, name), allowed)


def _missing_keys(key: str) -> list[str]:
    """The key itself, or the required settings of the section that is missing as a whole."""
    if find(key):
        return [key]
    return [setting.key for setting in SETTINGS if setting.required and setting.section == template(key)]


def _missing(key: str) -> Finding:
    setting = find(key)
    assert setting is not None
    section = key.rpartition(".")[0]
    shown = nearest.table_name(section)
    return Finding(
        "missing", key, f"{key} is missing", f"Add {setting.name} = … to {shown}: {setting.help}", setting.allowed
    )


def _not_a_table(key: str) -> Finding:
    base = key.partition("[")[0]
    if f"{base}[]" in SECTIONS:
        message = f"{base} is a list of tables" if base == key else f"{key} is a value, not a table"
        return Finding("wrong-type", key, message, f"Write each as [[{base}]], with its settings below")
    return Finding(
        "wrong-type",
        key,
        f"{key} is a section, not a value",
        f"Write [{key}] on a line of its own and its settings below",
    )


def _wrong_value(setting: Setting, path: Path, found: Any) -> Finding:
    """A finding on the setting; an item of a list is pointed at, but the finding belongs to the whole list."""
    item = join_key(*path)
    key = item if find(item) else item[: item.rindex("[")]
    if key == "schema" and isinstance(found, int) and found > SCHEMA:
        return Finding(
            "newer-schema",
            key,
            f"this profile has format {found}, written for a newer sdtui",
            "Update sdtui",
            setting.allowed,
        )
    verdict = values.judge(setting, found, item=item != key)
    return Finding(verdict.code, key, f"{key} {verdict.message}", verdict.remedy, setting.allowed, at=item)


def _required(keys: frozenset[str]) -> set[str]:
    return {key for key in keys if (setting := find(key)) and setting.required}


def _take_out(data: dict[str, Any], path: Path) -> None:
    """Remove the value a finding is about; of a list, the whole, since half a list means something else."""
    holder: Any = data
    for position, part in enumerate(path):
        try:
            inner = holder[part]
        except (KeyError, IndexError, TypeError):
            return  # An earlier finding has taken it out.
        if isinstance(part, str) and (position == len(path) - 1 or find(join_key(*path[: position + 1]))):
            del holder[part]
            return
        if position == len(path) - 1:
            section = template(join_key(*path))
            holder[part] = {each.name: _PLACEHOLDER for each in SETTINGS if each.required and each.section == section}
        holder = inner


def _put_in(data: dict[str, Any], key: str) -> None:
    """Set the placeholder for a required setting."""
    section, _, name = key.rpartition(".")
    holder: Any = data
    for part in section.replace("]", "").replace("[", ".").split("."):
        holder = holder[int(part)] if isinstance(holder, list) else holder.setdefault(part, {})
    holder[name] = _PLACEHOLDER
