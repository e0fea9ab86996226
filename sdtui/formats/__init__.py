"""Files that other programs read: one module per format, each writing what a method has learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from sdtui.formats import embedding, kohya, peft, whole
from sdtui.formats.learned import Embedding, Result

# (path, what was learned, metadata, precision) → bytes written. Each takes results of one kind: `LAYOUTS` in
# `sdtui.profile.naming` tells which method makes it.
Writer: TypeAlias = Callable[[Path, Any, Mapping[str, str], str], int]

FORMATS: dict[str, Writer] = {
    "kohya": kohya.write,
    "bundle": kohya.write_bundle,
    "diffusers": peft.write,
    "single-file": whole.write_file,
    "folder": whole.write_folder,
}

# Words are small, and stay fp32 whatever the precision.
WORD_FORMATS: dict[str, Writer] = {
    "kohya": lambda path, word, metadata, _: embedding.write_safetensors(path, word, metadata),
    "webui": lambda path, word, *_: embedding.write_webui(path, word),
    "webui-png": lambda path, word, *_: embedding.write_card(path, word, "PNG"),
    "webui-webp": lambda path, word, *_: embedding.write_card(path, word, "WEBP"),
    "diffusers": lambda path, word, metadata, _: embedding.write_diffusers(path, word, metadata),
}


def writer(made: Result, layout: str) -> Writer:
    """What writes `made` in that layout; "kohya" and "diffusers" are layouts of words, too."""
    return (WORD_FORMATS if isinstance(made, Embedding) else FORMATS)[layout]
