"""Which known key someone meant who wrote an unknown one."""

from __future__ import annotations

import difflib
import re

from sdtui.profile.settings import SECTIONS, SETTINGS, Setting, template


def key_hint(section: str, name: str) -> str:
    """What to say about the unknown key `name` in `section` (empty: top of the file); empty when nothing is near.

    In this order: a name other trainers use, the same name in another section, a similar name in this section, a
    similar name anywhere.
    """
    plain = _plain(name)
    section = template(section)
    here = [setting for setting in SETTINGS if setting.section == section]
    for setting in SETTINGS:
        if plain in setting.aka:
            return f"It is called {setting.name} here{_elsewhere(setting, section)}"
    if any(setting.name == plain for setting in here):
        return f"Did you mean {plain}?"
    homes = [setting for setting in SETTINGS if setting.name == plain]
    if homes:
        return f"{plain} belongs to {' or '.join(map(_brackets, homes))}"
    near = difflib.get_close_matches(plain, [setting.name for setting in here], n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    far = difflib.get_close_matches(plain, [setting.name for setting in SETTINGS], n=1, cutoff=0.75)
    if far:
        # That of a section before that of the tables of a list.
        setting = min((each for each in SETTINGS if each.name == far[0]), key=lambda each: "[]" in each.section)
        return f"Did you mean {setting.name}{_elsewhere(setting, section)}?"
    return ""


def section_hint(name: str) -> str:
    """What to say about an unknown section; empty when nothing is near."""
    near = difflib.get_close_matches(_plain(name), _tables(), n=1, cutoff=0.6)
    return f"Did you mean {table_name(near[0])}?" if near else ""


def sections_allowed() -> str:
    """The sections there are, as they are written."""
    return " ".join(map(table_name, _tables()))


def names_allowed(section: str) -> str:
    """The keys of a section; at the top of the file, the few that stand before the first section."""
    return ", ".join(setting.name for setting in SETTINGS if setting.section == template(section))


def choice_hint(found: object, choices: tuple[str, ...]) -> str:
    """The choice that looks like `found`; empty when none does."""
    plain = _plain(str(found))
    started = [choice for choice in choices if plain and choice.startswith(plain)]
    near = started if len(started) == 1 else difflib.get_close_matches(plain, choices, n=1, cutoff=0.5)
    return f'Did you mean "{near[0]}"?' if near else ""


def table_name(section: str) -> str:
    """A section as its header is written: "dataset.folders[0]" → "[[dataset.folders]]"."""
    name = template(section)
    return f"[[{name.removesuffix('[]')}]]" if name.endswith("[]") else f"[{name}]"


def _plain(name: str) -> str:
    """batchSize, batch-size and BATCH_SIZE all mean batch_size."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _tables() -> list[str]:
    return [section for section in SECTIONS if section]


def _brackets(setting: Setting) -> str:
    return table_name(setting.section) if setting.section else "the top of the file, before the first [section]"


def _elsewhere(setting: Setting, section: str) -> str:
    return "" if setting.section == section else f", in {_brackets(setting)}"
