"""Which preview goes onto the pictures that are embeddings: the newest one that shows the word."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sdtui.runs.layout import RunFolder


def cover(run: RunFolder, word: str, step: int) -> Path | None:
    """The first preview with `word` in its prompt, of the last that were made by `step` steps; None where there is none.

    What was drawn before the first step shows what the word meant without it, and is no picture of it.
    """
    # Not `has_trigger`, which finds "my-cat" in "my-cat-2": of words that learn together each has its own pictures.
    name = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
    for folder in sorted(run.previews_dir.glob("step-*"), reverse=True):
        made = folder.name.removeprefix("step-")
        if not made.isdigit() or not 0 < int(made) <= step:
            continue
        for file in sorted(folder.glob("*.json")):
            picture = file.with_suffix(".png")
            if name.search(_prompt(file)) and picture.is_file():
                return picture
    return None


def _prompt(file: Path) -> str:
    """What a preview was drawn from; "" where that was not written to its end."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8")).get("prompt") or "")
    except (OSError, ValueError):
        return ""
