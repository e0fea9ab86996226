"""Captions of many images in one file: kohya's metadata JSON and JSON lines, and `metadata.jsonl` of Hugging Face datasets.

What sdtui does not know of an image (kohya's sizes, columns of one's own) stays as it is when a file is written again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sdtui.dataset.names import printable
from sdtui.errors import UserError

Kind = Literal["kohya-json", "kohya-jsonl", "metadata-jsonl"]

# The column that names the image, by which the two kinds of lines are told apart; kohya's JSON has the names for keys.
_NAMES: dict[Kind, str] = {"kohya-jsonl": "image_path", "metadata-jsonl": "file_name"}
_COLUMN: dict[Kind, str] = {"kohya-json": "caption", "kohya-jsonl": "caption", "metadata-jsonl": "text"}
# kohya's trainer reads the caption, then the tags.
_TAGS = "tags"
_JOIN = ", "

Row = dict[str, Any]


@dataclass
class Metadata:
    """One file's rows by the name that each gives its image.

    Attributes:
        path: where it is, or will be.
        kind: which of the formats.
        column: what holds the caption; None: what the format itself calls so, with kohya's tags after it.
        rows: what is known of each image, its name apart.
    """

    path: Path
    kind: Kind
    column: str | None = None
    rows: dict[str, Row] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, column: str | None = None) -> Metadata:
        """Read a file, whose kind is told by what is in it.

        Raises:
            UserError: it cannot be read, or is none of the formats.
        """
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise UserError(f"cannot read the captions: {error.strerror}", where=printable(path)) from error
        except UnicodeDecodeError as error:
            raise UserError("the file of captions is not UTF-8", where=printable(path)) from error
        rows: dict[str, Row] = {}
        kind = _kind_of_lines(text)
        if kind is None:
            return cls(path, "kohya-json", column, _object(path, text))
        for where, line in _lines(path, text):
            name = line.pop(_NAMES[kind], None)
            if not isinstance(name, str):
                raise UserError(f"a line without {_NAMES[kind]}", where=where)
            if name in rows:
                raise UserError(f"{printable(name)} is named twice", where=where, remedy="Leave one of the lines")
            rows[name] = line
        return cls(path, kind, column, rows)

    def text(self, name: str) -> str | None:
        """The caption of one image as a trainer would read it; None where the row has none.

        Raises:
            UserError: it is no text.
        """
        row = self.rows[name]
        parts = [self._words(name, row[column]) for column in self._columns if row.get(column) is not None]
        return _JOIN.join(part for part in parts if part) if parts else None

    def put(self, name: str, text: str) -> None:
        """Give one image this caption. kohya's tags stay apart from the caption as long as the text begins with that."""
        row = self.rows.setdefault(name, {})
        if self.text(name) == text:
            return
        main, *more = self._columns
        caption = row.get(main)
        if more and row.get(_TAGS) is not None:
            if not caption:
                row[_TAGS] = text
                return
            if text.startswith(f"{caption}{_JOIN}"):
                row[_TAGS] = text.removeprefix(f"{caption}{_JOIN}")
                return
            del row[_TAGS]
        row[main] = text

    def to_bytes(self) -> bytes:
        """The file. Names that are no text stand in it as Python's readers of JSON expect them."""
        if self.kind == "kohya-json":
            return _encoded(self.rows, indent=2) + b"\n"
        name = _NAMES[self.kind]
        return b"".join(_encoded({name: key, **row}) + b"\n" for key, row in self.rows.items())

    @property
    def _columns(self) -> tuple[str, ...]:
        main = _COLUMN[self.kind]
        if self.column is not None:
            return (self.column,)
        return (main,) if self.kind == "metadata-jsonl" else (main, _TAGS)

    def _words(self, name: str, value: object) -> str:
        """A caption as text; several captions of one image, as some data sets have, are its lines."""
        if isinstance(value, str):
            return value
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return "\n".join(value)
        raise UserError(f"the caption of {printable(name)} is no text", where=printable(self.path))


def _kind_of_lines(text: str) -> Kind | None:
    """Which kind of JSON lines the first line tells; None: none."""
    try:
        first = json.loads(text.lstrip().partition("\n")[0])
    except (ValueError, RecursionError):
        return None
    named = [kind for kind, name in _NAMES.items() if isinstance(first, dict) and isinstance(first.get(name), str)]
    return named[0] if named else None


def _lines(path: Path, text: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"{printable(path)}, line {number}"
            row = _parsed(where, line)
            if not isinstance(row, dict):
                raise UserError("a line that is no JSON object", where=where)
            yield where, row


def _object(path: Path, text: str) -> dict[str, Row]:
    rows = _parsed(printable(path), text)
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise UserError(
            "this is no file of captions",
            where=printable(path),
            remedy="Known are kohya's metadata JSON and JSON lines with file_name or image_path",
        )
    return rows


def _parsed(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        raise UserError(f"this is no JSON: {error.msg} at {place}", where=where) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"this JSON cannot be read: {error}", where=where) from error


def _encoded(value: object, indent: int | None = None) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode("ascii")
