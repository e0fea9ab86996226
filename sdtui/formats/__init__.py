"""Files that other programs read: one module per format, each writing what a method has learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from sdtui.formats import kohya, peft, whole

# (path, what was learned, metadata, precision) → bytes written. Each takes results of one kind: `LAYOUTS` in
# `sdtui.profile.naming` tells which method makes it.
Writer: TypeAlias = Callable[[Path, Any, Mapping[str, str], str], int]

FORMATS: dict[str, Writer] = {
    "kohya": kohya.write,
    "diffusers": peft.write,
    "single-file": whole.write_file,
    "folder": whole.write_folder,
}
