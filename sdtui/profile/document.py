"""A profile being edited: the user's own text, changed in place, with undo, problems as you type, and safe saving."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdtui.errors import SdtuiError, UserError
from sdtui.files import write_atomic
from sdtui.profile import edit
from sdtui.profile.check import Report, amended, check_text, read_text
from sdtui.profile.positions import scan
from sdtui.profile.problem import Finding, Problem
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS, find
from sdtui.profile.syntax import loads

_BOM = "\ufeff"


class DiskConflictError(SdtuiError):
    """The file was changed by another program since it was read; nothing was written."""


@dataclass(frozen=True, slots=True)
class Change:
    """A setting whose value is not its default; `default` is None where it has none."""

    key: str
    default: Any
    value: Any


class ProfileDocument:
    """The text of one profile file, and what of it the disk does not have yet.

    Args:
        path: the file; it need not exist yet.
        text: its text.
        on_disk: the bytes the file had when it was read; None when it is new.
    """

    def __init__(self, path: Path, text: str, on_disk: bytes | None = None) -> None:
        self.path = path
        self._text = text
        self._on_disk = on_disk
        self._undo: list[str] = []
        self._redo: list[str] = []
        # The text, its own report, and that with what was found beyond the text.
        self._checked: tuple[str, Report, Report] | None = None
        self._found: list[tuple[Finding, Any]] = []

    @classmethod
    def load(cls, path: Path) -> ProfileDocument:
        """Read a profile file, whatever state it is in.

        Raises:
            UserError: it cannot be read, or is not UTF-8.
        """
        text = read_text(path)
        return cls(path, text, text.encode("utf-8"))

    @property
    def text(self) -> str:
        """The text as it would be saved, byte-order mark and line ends included."""
        return self._text

    @property
    def saved_text(self) -> str:
        """The text the file had when it was read or last saved; empty for a new one."""
        return (self._on_disk or b"").decode("utf-8")

    @property
    def dirty(self) -> bool:
        """Whether the text differs from what was read or last saved."""
        return self._text.encode("utf-8") != self._on_disk

    # Reading

    def get(self, key: str) -> Any:
        """The value the file gives, else the setting's default (lists as tuples or lists, as each has them).

        Raises:
            KeyError: neither the file nor the declarations have it.
        """
        try:
            return edit.lookup(self._data(), key)
        except KeyError:
            setting = find(key)
            if setting is None:
                raise
            return setting.default

    def is_set(self, key: str) -> bool:
        """Whether the file itself gives the value."""
        try:
            edit.lookup(self._data(), key)
        except KeyError:
            return False
        return True

    def rows(self, path: str) -> int:
        """How many tables the list of tables at `path` ("dataset.folders") has."""
        try:
            found = edit.lookup(self._data(), path)
        except KeyError:
            return 0
        return len(found) if isinstance(found, list) else 0

    def line_of(self, key: str) -> int:
        """The line, from 1, where the key stands, or the nearest table around it; 1 in a text that does not parse."""
        return scan(self._body()).locate(key)[0] if self.parses else 1

    @property
    def parses(self) -> bool:
        """Whether the text is TOML; while it is not, only `replace_text` and `undo` change it."""
        try:
            loads(self._body())
        except tomllib.TOMLDecodeError:
            return False
        return True

    # Problems

    def report(self) -> Report:
        """Everything that is known to be wrong now; computed once for each text, in a few milliseconds."""
        return self._reports()[1]

    @property
    def profile(self) -> Profile | None:
        """The profile that the text says, if the text has no error; what was found beyond it may still forbid training."""
        return self._reports()[0].profile

    def found(self, findings: Sequence[Finding]) -> None:
        """Take what a look beyond the text (at the base model, the machine, the dataset) came to, in place of the last one.

        It stands in the report until the next look, or until the setting it is about has another value.
        """
        data = self._data()
        self._found = [(finding, _held(data, finding.key)) for finding in findings]
        self._checked = None

    def recheck(self) -> Report:
        """The report afresh: paths may have appeared or gone since."""
        self._checked = None
        return self.report()

    def problems(self) -> tuple[Problem, ...]:
        """All problems of the text, by line."""
        return self.report().problems

    def problems_at(self, key: str) -> tuple[Problem, ...]:
        """The problems of one setting; of a whole section or row when `key` names that."""
        return tuple(
            problem
            for problem in self.problems()
            if problem.key == key or problem.key.startswith((f"{key}.", f"{key}["))
        )

    # Changing

    def set(self, key: str, value: Any) -> None:
        """Set one value in place; comments, order, quoting and everything else stay byte for byte.

        Raises:
            UserError: the text is not TOML at the moment.
            SdtuiError: the key stands where it cannot be edited in place.
        """
        self._change(edit.set_value(self._editable(), key, value))

    def unset(self, key: str) -> None:
        """Remove one value, so that its default holds; the raises are those of `set`."""
        self._change(edit.unset_value(self._editable(), key))

    def add_row(self, table: str, /, **values: Any) -> None:
        """Add a table with `values` at the end of the list of tables `table` ("dataset.folders")."""
        self._change(edit.add_table(self._editable(), table, values))

    def remove_row(self, key: str) -> None:
        """Remove one table of a list; `key` is its concrete key ("dataset.folders[1]")."""
        self._change(edit.remove_table(self._editable(), key))

    def replace_text(self, text: str) -> None:
        """Take a whole new text, as the text view or $EDITOR gives it; it may be broken."""
        self._change(text.removeprefix(_BOM))

    def undo(self) -> bool:
        """Take the last change back; False when there is none."""
        return self._step(self._undo, self._redo)

    def redo(self) -> bool:
        """Make the last undone change again; False when there is none."""
        return self._step(self._redo, self._undo)

    # Disk

    def changed_on_disk(self) -> bool:
        """Whether the file is no longer what was read or last saved: changed, gone, or suddenly there."""
        return self._read_disk() != self._on_disk

    def save(self, *, force: bool = False) -> None:
        """Write the text in one step.

        Args:
            force: overwrite even what another program has written since.

        Raises:
            DiskConflictError: the file changed on disk, and `force` is not given.
            SdtuiError: it cannot be written; the file is as it was.
        """
        if not force and self.changed_on_disk():
            raise DiskConflictError(
                "the file was changed by another program",
                where=str(self.path),
                remedy="Look at the difference, then reload or overwrite it",
            )
        data = self._text.encode("utf-8")
        write_atomic(self.path, data)
        self._on_disk = data

    def reload(self) -> None:
        """Take the text on disk, as a change that can be undone.

        Raises:
            UserError: the file cannot be read.
        """
        text = read_text(self.path)
        self._on_disk = text.encode("utf-8")
        if text != self._text:
            self._push(text)

    def diff_disk(self) -> list[str]:
        """What saving would change in the file as it is now: lines of a unified diff; empty when nothing."""
        disk = (self._read_disk() or b"").decode("utf-8", errors="replace")
        lines = difflib.unified_diff(disk.splitlines(), self._text.splitlines(), "on disk", "edited", lineterm="")
        return list(lines)

    def diff_defaults(self) -> list[Change]:
        """The settings this profile gives another value than the default, in the order of the declarations."""
        data = self._data()
        changes = []
        for setting in SETTINGS:
            for key in self._concrete(setting.key):
                try:
                    value = edit.lookup(data, key)
                except KeyError:
                    continue
                if value != (list(setting.default) if isinstance(setting.default, tuple) else setting.default):
                    changes.append(Change(key, setting.default, value))
        return changes

    # Inside

    def _reports(self) -> tuple[Report, Report]:
        if self._checked is None or self._checked[0] != self._text:
            own = check_text(self._text, self.path)
            data = self._data()
            found = [finding for finding, value in self._found if _held(data, finding.key) == value]
            self._checked = (self._text, own, amended(own, self._text, self.path, found))
        return self._checked[1:]

    def _concrete(self, key: str) -> list[str]:
        """The declared key for each row of its list of tables; itself when it is in none."""
        path, brackets, name = key.partition("[]")
        return [f"{path}[{index}]{name}" for index in range(self.rows(path))] if brackets else [key]

    def _body(self) -> str:
        return self._text.removeprefix(_BOM)

    def _data(self) -> dict[str, Any]:
        """What tomllib reads; empty while the text is broken."""
        try:
            return loads(self._body())
        except tomllib.TOMLDecodeError:
            return {}

    def _editable(self) -> str:
        if not self.parses:
            first = self.problems()[0]
            raise UserError(
                "the text is not valid TOML at the moment", where=first.where, remedy="Mend that line first"
            )
        return self._body()

    def _change(self, body: str) -> None:
        mark = _BOM if self._text.startswith(_BOM) else ""
        if mark + body != self._text:
            self._push(mark + body)

    def _push(self, text: str) -> None:
        self._undo.append(self._text)
        self._redo.clear()
        self._text = text

    def _step(self, source: list[str], target: list[str]) -> bool:
        if not source:
            return False
        target.append(self._text)
        self._text = source.pop()
        return True

    def _read_disk(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"cannot read the profile: {error.strerror}", where=str(self.path)) from error


def _held(data: dict[str, Any], key: str) -> Any:
    """What the data has at a key; None where it has nothing."""
    try:
        return edit.lookup(data, key)
    except KeyError:
        return None
