"""Files that other programs read: one module per format, each writing what a method has learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from sdtui.formats import kohya, peft
from sdtui.formats.learned import Adapter

# (path, what was learned, metadata, precision) → bytes written
Writer: TypeAlias = Callable[[Path, Adapter, Mapping[str, str], str], int]

FORMATS: dict[str, Writer] = {
    "kohya": kohya.write,
    "diffusers": peft.write,
}
