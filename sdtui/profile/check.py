"""Every problem of a profile at once: TOML, keys, types, ranges, contradictions, paths; each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sdtui.errors import UserError
from sdtui.profile.override import Overlaid, overlay
from sdtui.profile.places import misplaced
from sdtui.profile.positions import Layout, Span, scan
from sdtui.profile.problem import Finding, Problem, ProfileError, order
from sdtui.profile.resolve import anchored
from sdtui.profile.rules import contradictions, unused
from sdtui.profile.schema import Profile
from sdtui.profile.syntax import SyntaxProblem, read
from sdtui.profile.validate import examine

_BOM = "\ufeff"
_OVERRIDE = "--set"


@dataclass(frozen=True, slots=True)
class Report:
    """All problems by place, and the profile (absolute paths, name filled in) when none of them is an error.

    Attributes:
        unused: keys of settings that do nothing beside the others, set or not, and why.
    """

    problems: tuple[Problem, ...]
    profile: Profile | None
    unused: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the profile from training."""
        return _errors(self.problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")


def read_text(path: Path) -> str:
    """The text of a profile file, line ends and byte-order mark as they are.

    Raises:
        ProfileError: the file is missing, may not be read, is a folder, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        byte = f"byte 0x{error.object[error.start]:02x}"
        remedy = "Save it as UTF-8 in your editor"
        problem = Problem(
            "error", "encoding", str(path), line, column, "", byte, "UTF-8", f"{byte} is not UTF-8", remedy
        )
        raise ProfileError(path, [problem]) from error
    except OSError as error:
        raise UserError(f"cannot read the profile: {error.strerror}", where=str(path)) from error


Judge = Callable[[Profile], Iterable[Finding]]
"""What can be said of a profile only where more is known than here: what its folders hold, what this machine has."""


def check_file(path: Path, overrides: Sequence[str] = (), judges: Sequence[Judge] = ()) -> Report:
    """Check the profile in a file.

    Raises:
        UserError: the file cannot be read at all.
    """
    return check_text(read_text(path), path, overrides, judges=judges)


def check_text(
    text: str, path: Path, overrides: Sequence[str] = (), *, places: bool = True, judges: Sequence[Judge] = ()
) -> Report:
    """Check a profile's text; `path` says where it is (or will be) saved, for messages and relative paths.

    Args:
        text: the TOML.
        path: the profile's file; it need not exist.
        overrides: "key=value" as the command line gives them; they win over the text.
        places: whether to look at the disk, too. A run's frozen profile is judged without.
        judges: asked when nothing else is wrong; they get absolute paths.
    """
    reading = read(text.removeprefix(_BOM))
    layout = scan(reading.text or "")
    overlaid = overlay(reading.data, overrides)
    locate = _Locator(layout, path, overlaid)
    problems = [locate.syntax(problem) for problem in reading.problems]
    profile, idle = None, {}
    if reading.text is not None:
        unread = frozenset(_unread(layout, problem) for problem in reading.problems)
        profile, findings = _judge(overlaid, path.parent if places else None, unread)
        problems += map(locate.finding, findings)
        idle = unused(profile) if profile is not None else {}
    if profile is not None and not _errors(problems):
        profile = anchored(profile, path)
        problems += [locate.finding(finding) for judge in judges for finding in judge(profile)]
    problems.sort(key=order)
    return Report(tuple(problems), None if _errors(problems) else profile, idle)


def amended(report: Report, text: str, path: Path, findings: Iterable[Finding]) -> Report:
    """The report on a text without overrides, with what judges found elsewhere and at another time, such as in a thread.

    As when judges are asked at once, nothing is added to a profile that has errors of its own.
    """
    if report.profile is None:
        return report
    locate = _Locator(scan(text.removeprefix(_BOM)), path, overlay({}, ()))
    problems = sorted([*report.problems, *map(locate.finding, findings)], key=order)
    return Report(tuple(problems), None if _errors(problems) else report.profile, report.unused)


def _errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity == "error")


def _judge(overlaid: Overlaid, folder: Path | None, unread: frozenset[str]) -> tuple[Profile | None, list[Finding]]:
    """All findings about the data; paths are looked at when `folder`, where relative ones start, is given."""
    examined = examine(overlaid.data)
    # What a broken line wanted to say is neither missing nor contradictory.
    findings = [finding for finding in examined.findings if not (finding.code == "missing" and finding.key in unread)]
    broken = examined.broken | unread
    if examined.profile is not None:
        findings += contradictions(examined.profile, broken)
        findings += misplaced(examined.profile, folder, broken) if folder else []
    return examined.profile, [*overlaid.findings, *findings]


def _unread(layout: Layout, problem: SyntaxProblem) -> str:
    """The key a broken line would have set."""
    above = [table.path for table in layout.tables if layout.place(table.header.start)[0] <= problem.line]
    return f"{above[-1]}.{problem.key}" if above[-1] else problem.key


@dataclass(frozen=True, slots=True)
class _Locator:
    """Turns findings about keys into problems at places."""

    layout: Layout
    path: Path
    overlaid: Overlaid

    def syntax(self, problem: SyntaxProblem) -> Problem:
        return Problem(
            "error",
            "syntax",
            str(self.path),
            problem.line,
            problem.column,
            problem.key,
            problem.found,
            "",
            problem.message,
            problem.remedy,
        )

    def finding(self, finding: Finding) -> Problem:
        override = finding.key if finding.code == "override" else self._override(finding)
        line, column, found = self._place(finding) if override is None else (0, 0, self.overlaid.keys.get(override, ""))
        return Problem(
            finding.severity,
            finding.code,
            str(self.path) if override is None else _OVERRIDE,
            line,
            column,
            override or finding.key,
            found,
            finding.allowed,
            finding.message,
            finding.remedy,
        )

    def _override(self, finding: Finding) -> str | None:
        """The override that the finding is about: of its key, or of one in a section that the file does not have."""
        if finding.key in self.overlaid.keys:
            return finding.key
        inside = (f"{finding.key}.", f"{finding.key}[")
        written = self.layout.table(finding.key) or any(key.startswith(inside) for key in self.layout.entries)
        if finding.code != "unknown-section" or written:
            return None
        return next((key for key in self.overlaid.keys if key.startswith(inside)), None)

    def _place(self, finding: Finding) -> tuple[int, int, str]:
        """Line and column of the value (of the key, when the key itself is wrong), and the value as it stands there."""
        entry = self.layout.entries.get(finding.at or finding.key) or self.layout.entries.get(finding.key)
        if entry is None:
            return *self.layout.locate(finding.key), ""
        span: Span = entry.key if finding.code in {"unknown-key", "unknown-section"} else entry.value
        return *self.layout.place(span.start), self.layout.text[slice(*entry.value)]
