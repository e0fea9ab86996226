"""Where every key and value of a TOML text stands, so that problems have lines and edits touch nothing else.

tomllib reads values but tells no positions; this scanner finds positions and reads no values. It expects text that
tomllib has accepted, so it never has to judge.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

# Longest form first: """ would otherwise be read as an empty string. Up to two quotes may stand before the closing three.
_STRING = r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})' + r"|'''.*?'''(?:'{0,2})" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'"
STRING = re.compile(_STRING, re.DOTALL)
_PART = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_SCALAR = re.compile(r"[^,\]}#\n]+")


class Span(NamedTuple):
    """Character offsets, the end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key = value`, or one item of an array (whose key span is the item itself)."""

    key: Span
    value: Span
    inline: bool
    """Whether it stands inside brackets or braces, not on lines of its own."""
    dotted: str
    """The key as it is written in the file, up to its last part: "method." for `method.rank = 8`."""


@dataclass(slots=True)
class Table:
    """One `[header]` (or the part before the first one) with the entries written under it."""

    path: str
    header: Span
    entries: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Layout:
    """Positions in one text: entries by concrete key ("dataset.folders[0].path"), tables in file order."""

    text: str
    entries: dict[str, Entry] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, the column in characters."""
        if not self._lines:
            self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def table(self, path: str) -> Table | None:
        """The table whose header names `path`; "" is the part before the first header."""
        return next((table for table in self.tables if table.path == path), None)

    def locate(self, key: str) -> tuple[int, int]:
        """Line and column of `key`, or of the nearest table around it; (1, 1) when the file does not mention it."""
        while key:
            if key in self.entries:
                return self.place(self.entries[key].key.start)
            table = self.table(key)
            if table:
                return self.place(table.header.start)
            inside = next(
                (entry for name, entry in self.entries.items() if name.startswith((f"{key}.", f"{key}["))), None
            )
            if inside:
                return self.place(inside.key.start)
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return 1, 1


def scan(text: str) -> Layout:
    """The layout of `text`, which must be valid TOML."""
    return _Scanner(text).run()


class _Scanner:
    """A cursor over the text; every method leaves it behind what it has read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.key_end = 0
        self.layout = Layout(text)
        self.counts: dict[str, int] = {}

    def run(self) -> Layout:
        table = Table("", Span(0, 0))
        self.layout.tables.append(table)
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
                self.layout.tables.append(table)
            else:
                table.entries.append(self._entry(table.path, inline=False))
        return self.layout

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _header(self) -> Table:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        path = self._resolve(self._key())
        self.at += 2 if many else 1
        if many:
            index = self.counts.get(path, 0)
            self.counts[path] = index + 1
            path = f"{path}[{index}]"
        return Table(path, Span(start, self.at))

    def _resolve(self, parts: list[str]) -> str:
        """A header's path with the index of the newest row wherever it passes through a list of tables."""
        path = ""
        for position, part in enumerate(parts):
            path = f"{path}.{part}" if path else part
            if position < len(parts) - 1 and path in self.counts:
                path = f"{path}[{self.counts[path] - 1}]"
        return path

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_SPACE)
            start = self.at
            self._skip(_PART)
            parts.append(_unquote(self.text[start : self.at]))
            end = self.at
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                # Spaces between the key and what follows belong to what follows.
                self.key_end = end
                return parts
            self.at += 1

    def _entry(self, prefix: str, *, inline: bool) -> str:
        start = self.at
        parts = self._key()
        key = Span(start, self.key_end)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        path = ".".join([prefix, *parts] if prefix else parts)
        value = self._value(path)
        dotted = "".join(f"{part}." for part in parts[:-1])
        self.layout.entries[path] = Entry(key, value, inline, dotted)
        return path

    def _value(self, path: str) -> Span:
        start = self.at
        opening = self.text[start]
        if opening in "\"'":
            self._skip(STRING)
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)
            self.at = start + len(self.text[start : self.at].rstrip())
        return Span(start, self.at)

    def _array(self, path: str) -> None:
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != "]":
            item = f"{path}[{index}]"
            span = self._value(item)
            self.layout.entries[item] = Entry(span, span, inline=True, dotted="")
            index += 1
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: str) -> None:
        self.at += 1
        while self.text[self._skip(_BLANK)] != "}":
            self._entry(path, inline=True)
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1


def _unquote(part: str) -> str:
    """A key part as `join_key` writes it. Escapes stay as written: no setting's name has any."""
    return part if part[:1] not in {'"', "'"} else join_key(part[1:-1])


def join_key(*parts: str | int) -> str:
    """The dotted key of a path: ("dataset", "folders", 0, "path") → "dataset.folders[0].path"."""
    key = ""
    for part in parts:
        if isinstance(part, int):
            key += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else f'"{part}"'
            key += f".{name}" if key else name
    return key
