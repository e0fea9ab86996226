"""What can be told of a regular expression without running it, so that most captions need not be looked at, or at less cost.

Each question may be answered with "cannot say" at any time; a wrong answer would lose images, so anything unusual has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# What cannot match a comma or a line end: no class that has one in it, no anchor, nothing that looks around.
_CLASS = r"\[[0-9A-Za-z_][0-9A-Za-z_-]*\]"
_SAFE = re.compile(rf"(?:[\w\- +*?|()]|\{{\d+(?:,\d*)?\}}|\\[dwb]|\\[1-9](?!\d)|{_CLASS})+")
# What is there in any match, and no blank, at its front and at its end.
_SOLID = rf"(?:(?<!\\)\w|\\[dw]|{_CLASS}|\((?:\w+\|)*\w+\))"
_FRONT = re.compile(rf"(?:\\b)*{_SOLID}(?![*?{{])")
_END = re.compile(rf"{_SOLID}\+?(?:\\b)*$")
# Classes that lowering the text changes nothing for.
_LOWER_CLASS = re.compile(r"\[\^?(?:[a-z]-[a-z]|[0-9]-[0-9]|\\[wds]|[a-z0-9_ ,.'])+\]")
_LOWER_ESCAPE = re.compile(r"\\(?:[wdsbWDSBnt1-9]|[^0-9A-Za-z])")
_ESCAPE = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-9]{1,3}|[\s\S])",
)
NUMBER_OF_TIMES = re.compile(r"\{\d*,?\d*\}")


def stays_within_a_tag(pattern: re.Pattern[str]) -> bool:
    """Whether a text matches exactly if one of its tags, without the blanks around them, does."""
    text = pattern.pattern
    if pattern.flags & re.VERBOSE or pattern.search("") or not _SAFE.fullmatch(text):
        return False
    if " " not in text:
        return True
    return bool(_FRONT.match(text) and _END.search(text)) and not any(
        part == "|" and not depth for part, depth in pattern_parts(text)
    )


def lowered(pattern: re.Pattern[str]) -> re.Pattern[str] | None:
    """A pattern that finds in an ASCII text made lower-case what `pattern` finds in the text, several times faster.

    None where the pattern does not ignore case, or nothing can be said.
    """
    text = pattern.pattern
    if not pattern.flags & re.IGNORECASE or pattern.flags & re.VERBOSE or not text.isascii():
        return None
    if re.search(r"\(\?[^:=!]", text):
        return None
    parts = []
    for part, _depth in pattern_parts(text):
        if len(part) > 1 and part[0] != "{" and not (_LOWER_CLASS.fullmatch(part) or _LOWER_ESCAPE.fullmatch(part)):
            return None
        parts.append(part.lower() if len(part) == 1 else part)
    return re.compile("".join(parts))


def literals(pattern: re.Pattern[str]) -> list[str]:
    """Texts that stand in whatever the pattern matches, apart from case where it ignores that; some may be missing.

    Only plain characters outside of brackets; an alternative outside of brackets leaves nothing.
    """
    text = pattern.pattern
    if pattern.flags & re.VERBOSE or "(?#" in text:
        return []
    parts = list(pattern_parts(text))
    found: list[str] = []
    run = ""
    for at, (part, depth) in enumerate(parts):
        if part == "|" and not depth:
            return []
        after = parts[at + 1][0] if at + 1 < len(parts) else ""
        plain = _plain(part)
        if plain and not depth and after[:1] not in {"*", "?", "{"}:
            run += plain
            if after != "+":
                continue
        found.append(run)
        run = ""
    return [each for each in (*found, run) if each]


def pattern_parts(text: str) -> Iterator[tuple[str, int]]:
    """A pattern's parts (a character, an escape, a class, a number of times) and in how many brackets each stands."""
    at = depth = 0
    while at < len(text):
        part = text[at : at + _length(text, at)]
        depth -= part == ")"
        yield part, depth
        depth += part == "("
        at += len(part)


def _length(text: str, at: int) -> int:
    """How many characters of a pattern belong to the part that begins at `at`."""
    if text[at] == "[":
        end = at + 1 + (text[at + 1] == "^")
        end += text[end] == "]"  # at the front of a class it belongs to it
        while text[end] != "]":
            end += 2 if text[end] == "\\" else 1
        return end + 1 - at
    form = {"\\": _ESCAPE, "{": NUMBER_OF_TIMES}.get(text[at])
    found = form.match(text, at) if form else None
    return len(found[0]) if found else 1


def _plain(part: str) -> str:
    """The character that a part of a pattern stands for, empty where it is no plain one."""
    if len(part) == 2 and part[0] == "\\" and not part[1].isalnum():
        return part[1]
    return part if len(part) == 1 and part not in "^$.|?*+(){\\" else ""
