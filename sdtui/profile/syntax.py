"""TOML that does not parse: every broken line with a hint at the usual cause, and the rest read around them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)
_STATEMENT = re.compile(r"""^[ \t]*(?P<key>[A-Za-z0-9_."'-]+)[ \t]*=[ \t]*(?P<value>[^#]*?)[ \t\r]*(?:#.*)?$""")
_HEADER = re.compile(r"^[ \t]*\[")
_NUMBER_WITH_UNIT = re.compile(r"^[+-]?[0-9][0-9_.]*(?:[eE][+-]?[0-9]+)?[ ]*[A-Za-z%]+$")
# A profile needs four levels; beyond this, the readers behind us would run out of stack.
_DEEPEST = 32
_TOO_DEEP = "brackets nested deeper than a profile ever needs (at line 1, column 1)"
# More than this many broken lines mean that the file is something else than TOML.
_MOST = 20


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """One line that is not TOML: what the parser says, where, and what usually causes it."""

    line: int
    column: int
    key: str
    found: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: `text` is the input with broken lines blanked (None: reading on would mislead)."""

    data: dict[str, Any]
    text: str | None
    problems: tuple[SyntaxProblem, ...]


def loads(text: str) -> dict[str, Any]:
    """What tomllib reads.

    Raises:
        tomllib.TOMLDecodeError: it is no TOML, or nested deeper than any profile.
    """
    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        raise tomllib.TOMLDecodeError(_TOO_DEEP) from error
    level: list[Any] = [data]
    for _ in range(_DEEPEST):
        inner = (each for outer in level for each in (outer.values() if isinstance(outer, dict) else outer))
        level = [each for each in inner if isinstance(each, dict | list)]
    if level:
        raise tomllib.TOMLDecodeError(_TOO_DEEP)
    return data


def read(text: str) -> Reading:
    """Parse `text`; around each broken statement of one line, go on with the rest, so that all problems show at once."""
    problems: list[SyntaxProblem] = []
    while len(problems) < _MOST:
        try:
            return Reading(loads(text), text, tuple(problems))
        except tomllib.TOMLDecodeError as error:
            line, column, what = _place(text, str(error))
        lines = text.split("\n")
        # When even what stands above does not parse, something opened there is still open here.
        fresh = _parses("\n".join(lines[: line - 1]))
        opened = line if fresh else _last_start(lines, line - 1)
        problems.append(_problem(lines[line - 1], line, column, what, opened))
        if what in _TOO_DEEP or not fresh or not lines[line - 1].strip() or _HEADER.match(lines[line - 1]):
            break
        lines[line - 1] = ""
        text = "\n".join(lines)
    return Reading({}, None, tuple(problems))


def _place(text: str, complaint: str) -> tuple[int, int, str]:
    """Line, column and cause out of tomllib's message, which is the only place it tells them (before Python 3.14)."""
    match = _PLACE.match(complaint)
    if match and match["line"]:
        return int(match["line"]), int(match["column"]), match["what"]
    lines = text.split("\n")
    last = max((number for number, content in enumerate(lines, 1) if content.strip()), default=1)
    return last, len(lines[last - 1].rstrip()) + 1, match["what"] if match else complaint


def _parses(text: str) -> bool:
    try:
        loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _last_start(lines: list[str], line: int) -> int:
    """The line, not after `line`, above which everything parses: there the broken statement begins."""
    return next((start for start in range(line, 1, -1) if _parses("\n".join(lines[: start - 1]))), 1)


def _problem(content: str, line: int, column: int, what: str, opened: int) -> SyntaxProblem:
    statement = _STATEMENT.match(content)
    value = statement["value"] if statement else ""
    above = f"What line {opened} opens, a bracket or a quote, has no end, or a comma is missing after it"
    return SyntaxProblem(
        line,
        column,
        key=statement["key"] if statement else "",
        found=content.strip(),
        message=f"not valid TOML: {what[:1].lower()}{what[1:]}",
        remedy=_hint(content, what, value) if opened == line else above,
    )


def _hint(content: str, what: str, value: str) -> str:
    """What usually causes this, judged by the line."""
    if "\\" in content and '"' in content:
        return (
            r"In double quotes \ starts an escape: write paths in single quotes ('C:\images') or with forward slashes"
        )
    if re.search("[“”„‘’«»]", value[:1]):
        return "These are typographic quotes: use plain ones, \"…\" or '…'"
    if what.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate")):
        return "It is written twice: keep one of the two"
    if _HEADER.match(content):
        return "A section is written [name], a row of a list [[name]]"
    return _value_hint(value) if value else "A line is a comment (#), a section ([name]) or a setting (key = value)"


def _value_hint(value: str) -> str:
    if value.endswith(",") and _parses(f"x = {value.rstrip(', ')}"):
        return f"Nothing separates settings: leave the comma after {value.rstrip(', ')} out"
    if value.lower() in {"true", "false"}:
        return f"Write it in lower case: {value.lower()}"
    if value.lower() in {"yes", "no", "on", "off"}:
        return "Write true or false"
    if _NUMBER_WITH_UNIT.match(value):
        return "Write the number alone; the unit is fixed, `sdtui schema --markdown` tells it"
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", value):
        return f"Write a decimal point: {value.replace(',', '.')}"
    if re.fullmatch(r"[+-]?0[0-9]+", value):
        return "Numbers do not start with 0"
    if value[:1] in {'"', "'"}:
        return "Is the closing quote missing?" if value.count(value[0]) % 2 else "Only a comment may follow the value"
    if value[:1] in {"[", "{"}:
        return "Is a comma, a quote or the closing bracket missing?"
    return f'Text stands in quotes: "{value}"'
