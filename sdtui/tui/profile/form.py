"""The form of a profile, made from the declarations: one row a setting, in the order of the schema, with its problem."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sdtui.errors import SdtuiError
from sdtui.profile.check import Report
from sdtui.profile.document import ProfileDocument
from sdtui.profile.problem import Problem
from sdtui.profile.resolve import absolute
from sdtui.profile.settings import SECTIONS, SETTINGS, Setting, find
from sdtui.profile.values import toml
from sdtui.tui.keys import Press
from sdtui.tui.numbers import count

FOLDERS, WORDS = "dataset.folders", "method.words"
LISTS = {WORDS: ("word", "name"), FOLDERS: ("folder", "path")}
"""Lists of tables: what one of them is called, and the setting of it that is filled in first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form.

    Attributes:
        kind: a section's heading; a setting; a key the schema does not know; the offer to add to a list.
        section: the declared section: "method", "dataset.folders[]", "" for the whole profile.
        key: concrete key ("dataset.folders[1].path"); for a heading the section's.
        problem: the first thing wrong with it, an error before any warning.
        more: what else is wrong with it.
        unused: why the setting does nothing beside the others; empty where it counts.
    """

    kind: Literal["heading", "setting", "stray", "add"]
    section: str
    key: str
    title: str
    setting: Setting | None = None
    problem: Problem | None = None
    more: tuple[Problem, ...] = ()
    unused: str = ""

    @property
    def steps_back(self) -> bool:
        """Whether its value says nothing: it is not used, and nobody has tried to."""
        return bool(self.unused) and self.problem is None


def form_rows(document: ProfileDocument, press: Press) -> list[Row]:
    """Every section with its settings, the lists with a row for each table, and unknown keys where they stand.

    A text that is no TOML has no values to show: its form is the place to mend.
    """
    if not document.parses:
        return _broken_rows(document, press)
    rows: list[Row] = []
    for section in SECTIONS:
        if (base := section.removesuffix("[]")) in LISTS:
            rows += _list_rows(document, base)
        else:
            rows += _section_rows(document, section, section, section_title(section))
    return rows


def section_title(section: str) -> str:
    """What the list of sections calls it."""
    noun, _ = LISTS.get(section.removesuffix("[]"), ("", ""))
    return f"{noun}s" if noun else section or "profile"


def list_of(key: str) -> str:
    """The list of tables that a concrete key is in; empty where it is in none."""
    return next((base for base in LISTS if key == base or key.startswith(f"{base}[")), "")


def trial(document: ProfileDocument, key: str, value: Any) -> Problem | None:
    """What would be wrong with `key` if it were `value`: checked on a copy, so that undo knows nothing of it."""
    copy = ProfileDocument(document.path, document.text)
    try:
        if value is None:
            copy.unset(key)
        else:
            copy.set(key, value)
    except SdtuiError as error:
        return Problem("error", "edit", str(document.path), 0, 0, key, "", "", error.message, error.remedy)
    return _by_weight(copy.problems_at(key))[0]


def shown_value(document: ProfileDocument, row: Row) -> str:
    """The value as one would type it; empty for none."""
    try:
        value = document.get(row.key)
    except KeyError:
        return ""
    return as_typed(value)


def as_typed(value: Any) -> str:
    """A value in the words that `parse_typed` takes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(as_typed(item) for item in value)
    if isinstance(value, dict):
        return toml(value)
    return str(value)


def parse_typed(setting: Setting, text: str) -> Any:
    """What was typed as a TOML value; what does not read as the setting's type stays text, for the check to refuse.

    Empty text is None (take the default) except where the setting is a text.
    """
    if setting.type_name == "text" or (setting.type_name == "one of" and text):
        return text
    if not text.strip():
        return None
    return _as_toml(f"[{text}]" if setting.type_name == "list" else text)


def next_choice(setting: Setting, value: Any, by: int) -> Any:
    """The value `by` places on, for settings that are true or false or one of some words; else None."""
    if setting.type_name == "true or false":
        return not value
    if setting.type_name != "one of":
        return None
    at = setting.choices.index(value) if value in setting.choices else 0
    return setting.choices[(at + by) % len(setting.choices)]


def unit_of(setting: Setting, value: Any) -> str:
    """What the number counts, in the singular for one; "steps or share of 1" is steps whole and share in parts."""
    whole, _, part = setting.unit.partition(" or ")
    unit = part if part and isinstance(value, float) else whole
    one = isinstance(value, int) and not isinstance(value, bool) and value == 1
    return {"batches": "batch"}.get(unit, unit.removesuffix("s")) if one else unit


def said_at_row(row: Row, folder: str = "") -> str:
    """The problem in the words that fit beside the setting: its name and value stand there already.

    Args:
        row: the setting's.
        folder: the folder that the setting names, absolute; a file in it is told by its name in there.
    """
    problem = row.problem
    if problem is None:
        return ""
    # In front, as the end is what a narrow window cuts off.
    first = f"1 of {len(row.more) + 1}: " if row.more else ""
    if row.setting is None:
        return f"{first}{problem.message}. {problem.remedy}" if problem.remedy else f"{first}{problem.message}"
    if problem.code == "out-of-range":
        return f"{first}allowed: {problem.allowed}"
    message = problem.message.removeprefix(problem.key).removeprefix(":").strip()
    if folder and message.startswith(folder):
        message = message.removeprefix(folder).lstrip(f"{os.sep}: ")
    return f"{first}{message}, allowed: {problem.allowed}" if problem.allowed else f"{first}{message}"


def named_folder(document: ProfileDocument, row: Row) -> str:
    """The absolute path that the row's setting names; empty where it names none."""
    if row.setting is None or not row.setting.path:
        return ""
    written = shown_value(document, row)
    return absolute(written, document.path.parent) if written else ""


def report_words(report: Report) -> str:
    """How much is wrong: "2 problems, 1 warning"; "no problems"."""
    counts = ((len(report.errors), "problem"), (len(report.warnings), "warning"))
    return ", ".join(count(number, noun) for number, noun in counts if number) or "no problems"


def is_number(setting: Setting) -> bool:
    """Whether the value is one number."""
    return setting.type_name in {"whole number", "number"}


def is_text_list(setting: Setting) -> bool:
    """Whether the value is a list of words or lines, which has a dialog of its own."""
    return setting.type_name == "list" and (bool(setting.choices) or setting.default == ())


def help_lines(setting: Setting, unused: str = "") -> list[tuple[str, str]]:
    """(words, style) of the help for a setting: what it does, what may stand there, default, where that comes from.

    Why it is `unused`, if it is, comes first.
    """
    lines = [(setting.name, "bold $strong"), (setting.help, "$foreground"), ("", "")]
    if unused:
        lines[1:1] = [(f"not used: {unused}", "$warning"), ("", "")]
    unit = f", in {setting.unit}" if setting.unit else ""
    lines.append((f"{setting.allowed}{unit}", "$soft"))
    default = as_typed(setting.default)
    lines.append(("required" if setting.required else f"default {default}" if default else "no default", "$soft"))
    if setting.source:
        lines.append((setting.source, "$soft"))
    return lines


def _broken_rows(document: ProfileDocument, press: Press) -> list[Row]:
    ways = f"{press('profile.edit')} shows the place, {press('profile.editor')} opens the text in $EDITOR"
    rows = [Row("heading", "", "", "profile")]
    for problem in document.problems():
        remedy = ". ".join(filter(None, [ways, problem.remedy]))
        rows.append(Row("stray", "", problem.key, f"line {problem.line}", None, replace(problem, remedy=remedy)))
    return rows


def _section_rows(document: ProfileDocument, section: str, prefix: str, title: str) -> list[Row]:
    dot = f"{prefix}." if prefix else ""
    declared = [setting for setting in SETTINGS if setting.section == section]
    unused = document.report().unused
    rows = [Row("heading", section, prefix, title)]
    for setting in declared:
        key = f"{dot}{setting.name}"
        problem, more = _by_weight(document.problems_at(key))
        rows.append(Row("setting", section, key, setting.name, setting, problem, more, unused.get(key, "")))
    return rows + _strays(document, section, prefix, {row.key for row in rows})


def _list_rows(document: ProfileDocument, base: str) -> list[Row]:
    rows: list[Row] = []
    section, (noun, _) = f"{base}[]", LISTS[base]
    for index in range(document.rows(base)):
        rows += _section_rows(document, section, f"{base}[{index}]", f"{noun} {index + 1}")
    heading = [] if rows else [Row("heading", section, base, f"{noun}s")]
    missing = [problem for problem in document.problems() if problem.key == base]
    return [*rows, *heading, Row("add", section, base, f"add a {noun}", None, *_by_weight(missing))]


def _strays(document: ProfileDocument, section: str, prefix: str, known: set[str]) -> list[Row]:
    """Keys with problems that stand in this section and are no settings of it: misspelt ones, mostly."""
    rows: list[Row] = []
    for problem in document.problems():
        parent, _, name = problem.key.rpartition(".")
        stray = problem.key not in known and find(problem.key) is None and problem.key not in SECTIONS
        if parent == prefix and stray and (parent or not list_of(problem.key)) and problem.key not in LISTS:
            rows.append(Row("stray", section, problem.key, name or f"line {problem.line}", None, problem))
    return rows


def _by_weight(problems: Sequence[Problem]) -> tuple[Problem | None, tuple[Problem, ...]]:
    """The first problem, errors before warnings, and the others."""
    ordered = sorted(problems, key=lambda problem: problem.severity != "error")
    return (ordered[0], tuple(ordered[1:])) if ordered else (None, ())


def _as_toml(text: str) -> Any:
    try:
        found = tomllib.loads(f"value = {text}\n")
    except tomllib.TOMLDecodeError:
        return text
    # A second key smuggled in behind a line break is no value.
    return found["value"] if len(found) == 1 else text
