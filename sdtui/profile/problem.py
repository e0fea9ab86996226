"""What is wrong with a profile, in a form that a person, a script and the editor can each read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sdtui.errors import UserError

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has to say about a key, before anyone has looked up where the key stands.

    Args:
        code: stable name of the kind of problem, for scripts: "unknown-key", "out-of-range".
        key: dotted key: "method.rank", "dataset.folders[1].path".
        message: what is wrong, one sentence without a final full stop.
        remedy: what to do about it, without a final full stop; may be empty.
        allowed: what may stand there; may be empty.
        at: the key to point at where it is not `key` itself: one item of a list.
        severity: an error keeps the profile from training, a warning does not.
    """

    code: str
    key: str
    message: str
    remedy: str = ""
    allowed: str = ""
    at: str = ""
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, at one place.

    Args:
        severity, code, key, allowed, message, remedy: as in `Finding`; `key` is empty for some syntax errors.
        path: the file, or "--set" for an override from the command line.
        line: from 1; 0 for an override.
        column: from 1, in characters; 0 for an override.
        found: the value as it stands in the file; may be empty.
    """

    severity: Severity
    code: str
    path: str
    line: int
    column: int
    key: str
    found: str
    allowed: str
    message: str
    remedy: str

    @property
    def where(self) -> str:
        """The place as editors and terminals make it clickable: profile.toml:12:1."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else f"{self.path} {self.key}"

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.severity}: {self.message}"]
        if self.allowed:
            lines.append(f"    allowed: {self.allowed}")
        if self.remedy:
            lines.append(f"    {self.remedy}")
        return "\n".join(map(_harmless, lines))

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def _harmless(line: str) -> str:
    """What a file says must not steer the terminal it is shown on: control characters as their escapes."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)


def order(problem: Problem) -> tuple[int, int, str]:
    """Sort key: by place in the file, overrides first."""
    return problem.line, problem.column, problem.key


class ProfileError(UserError):
    """A profile that has errors; its text lists every one.

    Args:
        path: the profile's file.
        problems: all that was found, warnings too.
    """

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [str(problem) for problem in self.problems if problem.severity == "error"]
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        super().__init__("\n".join([f"{count} in the profile", *errors]), where=str(path))
