"""A file of kohya's as it is on disk: what it holds, and the line at which each name stands."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from sdtui.errors import UserError
from sdtui.profile.positions import Layout, scan

KINDS = "A kohya file is an sd-scripts config TOML, a dataset TOML or a JSON saved by kohya_ss"


class Document:
    """The file at `path`.

    Raises (when made):
        UserError: it is missing, or neither TOML nor JSON, or holds no names.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_json = path.suffix.lower() == ".json"
        try:
            self.text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError("not a text file", where=str(path), remedy=KINDS) from error
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from error
        try:
            data = json.loads(self.text) if self.is_json else tomllib.loads(self.text)
        except ValueError as error:
            language = "JSON" if self.is_json else "TOML"
            raise UserError(f"not {language}: {error}", where=str(path), remedy=KINDS) from error
        if not isinstance(data, dict):
            raise UserError("it holds no options", where=str(path), remedy=KINDS)
        self.data: dict[str, Any] = data

    def place(self, name: str, table: str = "") -> str:
        """`file:line` of a name, in `table` where it may stand in several; only the file where it is not written out."""
        line = self._line_in_json(name) if self.is_json else self._line_in_toml(name, table)
        return f"{self.path}:{line}" if line else str(self.path)

    @cached_property
    def _layout(self) -> Layout:
        return scan(self.text)

    def _line_in_toml(self, name: str, table: str) -> int:
        layout = self._layout
        at = f"{table}.{name}"
        # Sections of a config only group: of two that have a name, the later one counts.
        keys = [key for key in layout.entries if (key == at if table else key.rpartition(".")[2] == name)]
        return layout.place(layout.entries[keys[-1]].key.start)[0] if keys else 0

    def _line_in_json(self, name: str) -> int:
        found = re.search(rf"{re.escape(json.dumps(name))}\s*:", self.text)
        return self.text.count("\n", 0, found.start()) + 1 if found else 0
