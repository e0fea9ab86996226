"""How a tag is written: blanks or underscores, brackets with or without backslashes, upper and lower case."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

Case = Literal["lower", "upper", "title"]
Test = Callable[[str], bool]

# Tags that are faces, which lose their meaning without the underscore: those that the WD taggers' own code leaves alone.
KAOMOJI = frozenset(
    [
        "0_0",
        "(o)_(o)",
        "+_+",
        "+_-",
        "._.",
        "<o>_<o>",
        "<|>_<|>",
        "=_=",
        ">_<",
        "3_3",
        "6_9",
        ">_o",
        "@_@",
        "^_^",
        "o_o",
        "u_u",
        "x_x",
        "|_|",
        "||_||",
    ]
)
_ESCAPED = re.compile(r"\\([\\()\[\]])")
_ROUND = re.compile(r"\\[\\()\[\]]|[\\()]")
_ALL = re.compile(r"\\[\\()\[\]]|[\\()\[\]]")
_BRACKET = re.compile(r"\\.|[()\[\]]", re.DOTALL)
_ANY_BRACKET = re.compile(r"\\.|[()\[\]{}]", re.DOTALL)
_WORD = re.compile(r"\S+")


def spaces(tag: str) -> str:
    """Blanks for underscores; faces, and tags of nothing but underscores, stay."""
    if "_" not in tag or unescape(tag) in KAOMOJI:
        return tag
    return tag.replace("_", " ").strip() or tag


def underscores(tag: str) -> str:
    """Underscores for blanks."""
    return tag.replace(" ", "_")


def escape(tag: str, *, square: bool = False) -> str:
    r"""A backslash before each bracket and backslash that has none: `saber (fate)` becomes `saber \(fate\)`.

    Brackets around the whole tag are weights, as in `(long hair:1.2)`, and stay. `square`: those as well, not round ones only.
    """
    around = _around(tag)
    inner = tag[around : len(tag) - around]
    escaped = (_ALL if square else _ROUND).sub(lambda found: found[0] if len(found[0]) == 2 else f"\\{found[0]}", inner)
    return tag[:around] + escaped + tag[len(tag) - around :]


def unescape(tag: str) -> str:
    """Without the backslashes before brackets and backslashes."""
    return _ESCAPED.sub(r"\1", tag) if "\\" in tag else tag


def key_of(tag: str) -> str:
    r"""What two spellings of one tag share: `Long_Hair` and `long hair`, `saber \(fate\)` and `saber_(fate)`."""
    return keys_of(tag).strip()


def keys_of(tags: str) -> str:
    """The same for many tags in one text, faster than one by one; blanks around them stay."""
    return unescape(tags).casefold().replace("_", " ")


def cased(tag: str, case: Case) -> str:
    """In lower case, in upper case, or with a capital for each word; faces stay."""
    if tag in KAOMOJI:
        return tag
    if case == "title":
        return _WORD.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), tag)
    return tag.lower() if case == "lower" else tag.upper()


def keeping(change: Callable[[str], str], *keep: Test) -> Callable[[str], str]:
    """As `change`, but for tags that one of `keep` is true of."""
    return lambda tag: tag if any(test(tag) for test in keep) else change(tag)


def lone_brackets(text: str) -> list[int]:
    """Places of the brackets in a caption that nothing closes or opens; escaped ones count for nothing."""
    partner = {")": "(", "]": "[", "}": "{"}
    waiting: list[tuple[str, int]] = []
    alone = []
    for found in _ANY_BRACKET.finditer(text):
        bracket = found[0]
        if len(bracket) == 2:
            continue
        if bracket not in partner:
            waiting.append((bracket, found.start()))
        elif waiting and waiting[-1][0] == partner[bracket]:
            waiting.pop()
        else:
            alone.append(found.start())
    return sorted(alone + [at for _bracket, at in waiting])


def _around(tag: str) -> int:
    """How many pairs of brackets hold the whole tag."""
    closed_at: dict[int, int] = {}
    opened: list[int] = []
    for found in _BRACKET.finditer(tag):
        if found[0] in {"(", "["}:
            opened.append(found.start())
        elif found[0] in {")", "]"} and opened:
            closed_at[opened.pop()] = found.start()
    return next(at for at in range(len(tag) + 1) if closed_at.get(at) != len(tag) - 1 - at)
