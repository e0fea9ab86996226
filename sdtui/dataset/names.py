"""File names: the order people expect, and a form that any terminal and any JSON reader can take."""

from __future__ import annotations

import os
import re
from pathlib import Path

_DIGITS = re.compile(r"(\d+)")
# Control characters, undecodable bytes, and the marks that make a terminal print text in another order.
_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def natural_key(name: str) -> str:
    """Sort key that puts img2 before img10, ignores case, and is the same on every file system.

    Each run of digits is preceded by its length, so that longer numbers come later; the name itself breaks ties
    (`A.png` and `a.png`, `1.png` and `01.png`).
    """
    return f"{_DIGITS.sub(_with_length, name.casefold())}\0{name}"


def _with_length(match: re.Match[str]) -> str:
    digits = match[1].lstrip("0")
    # "0" keeps numbers before letters whatever their length; names are at most 255 bytes, so two hex digits do.
    return f"0{len(digits):02x}{digits}"


def printable(text: Path | str) -> str:
    r"""A name or caption on one line, harmless to a terminal: undecodable bytes and control characters as `\xff`, `\n`."""
    return _UNPRINTABLE.sub(_escaped, os.fspath(text))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # a byte that Python smuggled through as half a surrogate pair
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
