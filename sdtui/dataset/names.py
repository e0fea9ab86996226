"""File names: the order people expect, and a form that any terminal and any JSON reader can take."""

from __future__ import annotations

import os
import re
from pathlib import Path

_DIGITS = re.compile(r"(\d+)")


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


def printable(path: Path | str) -> str:
    r"""The name with undecodable bytes as `\xff`, so that printing it can never fail."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
