"""What commands print: JSON for scripts on stdout, and numbers with units as people read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

SCHEMA = 1


def emit_json(obj: Mapping[str, Any]) -> None:
    """Print one object on stdout, `"schema": 1` first; paths and other odd values become text."""
    text = json.dumps({"schema": SCHEMA, **obj}, ensure_ascii=False, indent=2, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # A file name with undecodable bytes, or a terminal that is not UTF-8: escapes get through either.
        text = json.dumps({"schema": SCHEMA, **obj}, indent=2, default=str)
    print(text)


def duration_text(seconds: float) -> str:
    """A length of time: "41 s", "12 min", "1 h 50 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def count_text(number: float) -> str:
    """A whole number with its thousands set off: "3 010"."""
    return f"{number:,.0f}".replace(",", " ")


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun: "1 image", "3 010 images"."""
    return f"{count_text(count)} {one if count == 1 else many or f'{one}s'}"
