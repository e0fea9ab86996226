"""The declarations as documents: JSON schema for editors and scripts, a Markdown page for people."""

from __future__ import annotations

from typing import Any, get_args

from sdtui.profile.nearest import table_name
from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SECTIONS, SETTINGS, Setting, declared
from sdtui.profile.values import toml

_INTRODUCTION = """\
# Settings

Every setting a profile can have. This page is made by `sdtui schema --markdown` from the same declarations that check
profiles, fill the editor's form and read `--set key=value`.

A profile is a TOML file. `sdtui new lora -o my.toml` writes a commented one to start from; what it does not say has the
default below. Relative paths start at the profile's folder.
"""


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a profile, as editors use it to complete and check TOML."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Profile.model_json_schema(by_alias=True)}


def markdown() -> str:
    """The settings page of the documentation."""
    parts = [_INTRODUCTION]
    for section in SECTIONS:
        title = f"`{table_name(section)}`" if section else "Top of the file"
        parts.append(f"## {title}\n\n{_about(section)}\n")
        parts += [_entry(setting) for setting in SETTINGS if setting.section == section]
        if section == "optimizer":
            parts += _optimizers()
    return "\n".join(parts)


def _optimizers() -> list[str]:
    """What `optimizer.args` may hold for each optimizer that has arguments of its own."""
    parts = []
    for name, kind in OPTIMIZERS.items():
        arguments = declared(kind.arguments, "optimizer.args.")
        if arguments:
            parts += [f"### `[optimizer.args]` of {name}\n\n{kind.arguments.__doc__}\n", *map(_entry, arguments)]
    return parts


def _about(section: str) -> str:
    """The docstring of the section's class."""
    model: Any = Profile
    for part in filter(None, section.split(".")):
        found = model.model_fields[part.removesuffix("[]")].annotation
        model = get_args(found)[0] if part.endswith("[]") else found
    return str(model.__doc__)


def _entry(setting: Setting) -> str:
    default = (
        "required"
        if setting.required
        else f"default {toml(setting.default)}"
        if setting.default is not None
        else "no default"
    )
    facts = [setting.allowed, *([setting.unit] if setting.unit else []), default]
    lines = [f"**`{setting.name}`**: {'; '.join(facts)}", "", setting.help]
    if setting.source:
        lines.append(f"Source: {setting.source}.")
    return "\n".join(lines) + "\n"
