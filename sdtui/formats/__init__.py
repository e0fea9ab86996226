"""Files that other programs read: one module per format, each writing what a method has learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from sdtui.formats import kohya
from sdtui.formats.lowrank import LowRank

# (path, what was learned, metadata, precision) → bytes written
Writer: TypeAlias = Callable[[Path, Sequence[LowRank], Mapping[str, str], str], int]

FORMATS: dict[str, Writer] = {
    "kohya": kohya.write,
}
