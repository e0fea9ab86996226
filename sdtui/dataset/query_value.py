"""What stands after a field of a query: a text with wildcards, a regular expression, a comparison of numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from sdtui.dataset.names import printable
from sdtui.errors import UserError

Operator = Literal["=", "!=", "<", "<=", ">", ">=", ".."]

_OPERATORS: dict[str, Operator] = {"==": "=", "=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NUMBER = re.compile(r"(==|=|!=|<=|>=|<|>)?(\d[\d.:/]*)")
_RANGE = re.compile(r"(\d[\d:/]*(?:\.\d+)?)?\.\.(\d[\d.:/]*)?")
_DECIMAL = r"\d+(?:\.\d+)?|\.\d+"
_SCORE = re.compile(rf"(.+?)\s*(==|=|!=|<=|>=|<|>)\s*({_DECIMAL})")
_SCORE_RANGE = re.compile(rf"(.+?)\s*=\s*({_DECIMAL})?\.\.({_DECIMAL})?")
_ESCAPED = '*?"\\'


class QueryError(UserError):
    """A query that cannot be understood; `start` and `end` tell which characters of `text` are meant."""

    def __init__(self, text: str, start: int, end: int, message: str, remedy: str = "") -> None:
        super().__init__(message, where=f"query, column {start + 1}", remedy=remedy)
        self.text, self.start, self.end = text, start, max(end, start + 1)

    def pointed(self) -> str:
        """The query on one line, and below it carets under what is meant."""
        before, meant = _width(self.text[: self.start]), _width(self.text[self.start : self.end])
        return f"{printable(self.text)}\n{' ' * before}{'^' * max(1, meant)}"


class Wildcard(Enum):
    """`*`: any characters, none included; `?`: one."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True)
class Text:
    """A text to look for, wildcards between its parts; two literal parts never stand beside each other."""

    parts: tuple[str | Wildcard, ...]

    @property
    def plain(self) -> str | None:
        """The text itself, None with wildcards."""
        if not self.parts:
            return ""
        first = self.parts[0]
        return first if len(self.parts) == 1 and isinstance(first, str) else None


@dataclass(frozen=True)
class Regex:
    """A regular expression of Python's `re`, found anywhere unless it is anchored."""

    pattern: str


@dataclass(frozen=True)
class Number:
    """A comparison: with `low`, or for `..` from `low` to `high`, both included; None: no border."""

    operator: Operator
    low: float | None
    high: float | None = None


@dataclass(frozen=True)
class Choice:
    """One of the words a field knows."""

    word: str


@dataclass(frozen=True)
class Score:
    """A tagger's score of one tag, compared."""

    tag: str
    number: Number


Value = Text | Regex | Number | Choice | Score


def read_text(raw: str) -> Text:
    r"""A text as it is written: `*` and `?` are wildcards unless a backslash stands before them.

    Before anything but `*`, `?`, `"` and `\` a backslash is itself, as in the escaped brackets of many captions.
    """
    parts: list[str | Wildcard] = []
    literal = ""
    at = 0
    while at < len(raw):
        char = raw[at]
        if char == "\\" and raw[at + 1 : at + 2] and raw[at + 1] in _ESCAPED:
            at += 1
            literal += raw[at]
        elif char in "*?":
            parts += [literal, Wildcard(char)] if literal else [Wildcard(char)]
            literal = ""
        else:
            literal += char
        at += 1
    return Text((*parts, literal) if literal else tuple(parts))


def quoted(text: str) -> str:
    r"""How a text is written so that `read_text` reads exactly it, in quotes: `a "b"*` is `"a \"b\"\*"`."""
    return '"' + "".join(f"\\{char}" if char in _ESCAPED else char for char in text) + '"'


def wildcard_pattern(parts: Sequence[str | Wildcard], one: str, some: str, *, whole: bool) -> str:
    """A pattern that takes time in proportion to the text, however many `*` there are.

    What stands between two `*` may be where it is first found: if the rest does not follow from there, it follows from
    nowhere. So nothing is tried twice (an atomic group), but for what must be at the very end.

    Args:
        parts: literal ones are patterns already.
        one: what a `?` stands for.
        some: what a `*` stands for any number of; one character of the text, or one byte.
        whole: the pattern is to match a whole text, not a part of one.
    """
    pieces = [""]
    for part in parts:
        if part is Wildcard.ANY:
            pieces.append("")
        else:
            pieces[-1] += one if isinstance(part, Wildcard) else part
    first, *others = pieces
    last = [f"{some}*{others.pop()}"] if others and whole else []
    return "".join([first, *(f"(?>{some}*?{piece})" for piece in others), *last])


def read_number(raw: str, *, ratio: bool) -> Number | None:
    """`5`, `=5`, `!=5`, `<5`, `5..9`, `5..`, `..9` …; None when it is none of these. `ratio`: also 1.5, 3:2 and 3/2."""
    if (found := _NUMBER.fullmatch(raw)) and (low := _number(found[2], ratio)) is not None:
        return Number(_OPERATORS[found[1] or "="], low)
    if (found := _RANGE.fullmatch(raw)) and (found[1] or found[2]):
        low, high = (_number(part, ratio) if part else None for part in found.groups())
        if (low is None) == (found[1] is None) and (high is None) == (found[2] is None):
            return Number("..", low, high)
    return None


def read_score(raw: str) -> Score | None:
    """`solo>0.5`, `long hair=0.3..0.5` …; None when it is none of these."""
    if found := _SCORE.fullmatch(raw):
        return Score(found[1], Number(_OPERATORS[found[2]], float(found[3])))
    if (found := _SCORE_RANGE.fullmatch(raw)) and (found[2] or found[3]):
        low, high = (float(part) if part else None for part in (found[2], found[3]))
        return Score(found[1], Number("..", low, high))
    return None


def _number(raw: str, ratio: bool) -> float | None:
    """A whole number, or with `ratio` a decimal or a quotient; None for anything else."""
    try:
        if not ratio:
            return int(raw)
        width, _, height = raw.replace("/", ":").partition(":")
        return float(width) / float(height or 1)
    except (ValueError, ZeroDivisionError):
        return None


def _width(text: str) -> int:
    """Columns of a terminal that a text takes, as near as Unicode's own tables tell."""
    shown = printable(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in shown)
    return len(shown) + wide - sum(unicodedata.combining(char) > 0 for char in shown)
