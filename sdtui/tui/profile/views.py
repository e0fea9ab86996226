"""The same document as text: its lines with numbers and problems, and what differs from the disk or from the defaults."""

from __future__ import annotations

import os
from collections.abc import Callable

from textual.content import Content

from sdtui.profile.document import ProfileDocument
from sdtui.tui.literal import literal
from sdtui.tui.profile.form import as_typed

Lines = list[Content]
DIFF_STYLES = {"+": "$success", "-": "$error", "@": "$accent"}


def text_lines(document: ProfileDocument, ascii_only: bool) -> Lines:
    """Every line with its number; behind it, what is wrong there."""
    # Of a line's problems the first error, else the first warning.
    by_weight = sorted(document.problems(), key=lambda problem: problem.severity != "error")
    wrong = {problem.line: problem for problem in reversed(by_weight)}
    lines = document.text.removeprefix("\ufeff").splitlines()
    width = len(str(max(len(lines), 1)))
    rows: Lines = []
    for number, line in enumerate(lines, 1):
        problem = wrong.get(number)
        sign, style = _sign(problem.severity if problem else "")
        row = Content.assemble((f"{sign} {number:>{width}}  ", style), _coloured(line, ascii_only))
        if problem:
            # What lies beside the profile is told from there: the end of a long path is what a window cuts off.
            message = problem.message.replace(f"{document.path.parent}{os.sep}", "")
            row += literal(f"   {message}", style, ascii_only=ascii_only)
        rows.append(row)
    return rows


def diff_disk_lines(document: ProfileDocument, ascii_only: bool) -> Lines:
    """What writing would change in the file."""
    found = document.diff_disk()
    if not found:
        return [Content.styled("nothing differs from the file on disk", "$soft")]
    return [literal(line, DIFF_STYLES.get(line[:1], "$soft"), ascii_only=ascii_only) for line in found]


def diff_default_lines(document: ProfileDocument, ascii_only: bool) -> Lines:
    """Settings that are not at their default."""
    changes = document.diff_defaults()
    if not changes:
        return [Content.styled("every setting has its default", "$soft")]
    width = max(len(change.key) for change in changes)
    rows: Lines = []
    for change in changes:
        default = "no default" if change.default is None else f"default {as_typed(change.default) or '(empty)'}"
        value = literal(f"{as_typed(change.value) or '(empty)'}", "bold $foreground", ascii_only=ascii_only)
        known = literal(f"   {default}", "$soft", ascii_only=ascii_only)
        rows.append(literal(f"{change.key:<{width}}  ", "$soft", ascii_only=ascii_only) + value + known)
    return rows


VIEWS: dict[str, tuple[str, Callable[[ProfileDocument, bool], Lines]]] = {
    "text": ("TOML", text_lines),
    "disk": ("changes since the file on disk", diff_disk_lines),
    "defaults": ("differences from the defaults", diff_default_lines),
}


def _sign(severity: str) -> tuple[str, str]:
    return {"error": ("!", "$error"), "warning": ("?", "$warning")}.get(severity, (" ", "$faint"))


def _coloured(line: str, ascii_only: bool) -> Content:
    """Headers stand out and comments step back; no more than that."""
    start = line.lstrip()[:1]
    return literal(line, {"#": "$soft", "[": "bold $accent"}.get(start, "$foreground"), ascii_only=ascii_only)
