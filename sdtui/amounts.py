"""Amounts as people read them, the same in every command, on every screen and in every message."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_text(count: float) -> str:
    """A size in three digits or four, in the binary unit that this takes: "512 B", "18.2 MiB", "141 GiB"."""
    size, unit = count, 0
    # What would be rounded to 1024 is one of the next unit, and what would be rounded to 100.0 needs no tenths.
    while size >= 1023.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    tenths = unit > 0 and size < 99.95
    return f"{size:.{1 if tenths else 0}f} {_UNITS[unit]}"
