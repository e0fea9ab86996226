"""What can be told of a regular expression without running it, so that most captions need not be looked at.

Both questions may be answered with "cannot say" at any time; a wrong "yes" would lose images, so anything unusual is none.
"""

from __future__ import annotations

import re

# Within a tag: no class of characters that has a comma, a blank or a line end in it, no anchor, nothing that looks around.
_SIMPLE = re.compile(r"(?:[\w\-+*?|()]|\{\d+(?:,\d*)?\}|\\[dwb]|\\[1-9](?!\d)|\[[0-9A-Za-z_][0-9A-Za-z_-]*\])+")
# Single blanks count as well where nothing can be left out, so that no match begins or ends with one.
_WORDS = re.compile(r"(?:[\w+]|\\[dw]|(?<=[\w+]) (?=[\w\\]))+")
_ESCAPE = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-9]{1,3}|[\s\S])",
)
_TIMES = re.compile(r"\{\d*,?\d*\}")


def stays_within_a_tag(pattern: re.Pattern[str]) -> bool:
    """Whether a text matches exactly if one of its tags, without the blanks around them, does."""
    if pattern.flags & re.VERBOSE or pattern.search(""):
        return False
    return bool(_SIMPLE.fullmatch(pattern.pattern) or _WORDS.fullmatch(pattern.pattern))


def literals(pattern: re.Pattern[str]) -> list[str]:
    """Texts that stand in whatever the pattern matches, apart from case where it ignores that; some may be missing.

    Only plain characters outside of brackets; an alternative outside of brackets leaves nothing.
    """
    text = pattern.pattern
    if pattern.flags & re.VERBOSE or "(?#" in text:
        return []
    found: list[str] = []
    run, at, depth = "", 0, 0
    while at < len(text):
        char, length = text[at], _length(text, at)
        after = text[at + length : at + length + 1]
        plain = _plain(text[at : at + length])
        at += length
        if char == "|" and not depth:
            return []
        depth += (char == "(") - (char == ")")
        if plain and not depth and after not in {"*", "?", "{"}:
            run += plain
            if after != "+":
                continue
        found.append(run)
        run = ""
    return [each for each in (*found, run) if each]


def _length(text: str, at: int) -> int:
    """How many characters of a pattern belong to the part that begins at `at`."""
    if text[at] == "[":
        end = at + 1 + (text[at + 1] == "^")
        end += text[end] == "]"  # at the front of a class it belongs to it
        while text[end] != "]":
            end += 2 if text[end] == "\\" else 1
        return end + 1 - at
    form = {"\\": _ESCAPE, "{": _TIMES}.get(text[at])
    found = form.match(text, at) if form else None
    return len(found[0]) if found else 1


def _plain(part: str) -> str:
    """The character that a part of a pattern stands for, empty where it is no plain one."""
    if len(part) == 2 and part[0] == "\\" and not part[1].isalnum():
        return part[1]
    return part if len(part) == 1 and part not in "^$.|?*+(){\\" else ""
