"""`<lora:name:0.8>` in a prompt, as AUTOMATIC1111's web UI reads it: which adapters the picture wears, and the text without."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sdtui.errors import UserError
from sdtui.tools.stack import Worn

_TAG = re.compile(r"<(?P<kind>lora|lyco):(?P<what>[^>]*)>", re.IGNORECASE)
# Another kind of adapter of that web UI, of which nothing here knows.
_HYPERNETWORK = re.compile(r"<hypernet:[^>]*>", re.IGNORECASE)
ENDINGS = (".safetensors", ".pt", ".ckpt", ".bin")


def split(prompt: str, known: Mapping[str, Path]) -> tuple[str, list[Worn]]:
    """The prompt without its tags, and what they put on, in their order.

    Args:
        prompt: may hold `<lora:name>`, `<lora:name:0.8>` (both parts), `<lora:name:0.5:1>` (text encoder, then UNet) and
            `te=` or `unet=` by name.
        known: files by the names that may stand there, see `library`.

    Raises:
        UserError: a name is not known, a strength is no number, or a tag calls a hypernetwork.
    """
    other = _HYPERNETWORK.search(prompt)
    if other:
        raise UserError(f"{other[0]}: hypernetworks are not read here", remedy="Leave the tag out")
    worn = [_read(found["what"], found[0], known) for found in _TAG.finditer(prompt)]
    text = re.sub(r"\s{2,}", " ", _TAG.sub("", prompt)).strip(" ") if worn else prompt
    return text, worn


def library(folders: Sequence[Path], files: Sequence[Path] = ()) -> dict[str, Path]:
    """Adapter files by name without ending: those in `folders` and below, and `files`, which count first."""
    inside = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in ENDINGS]
    known: dict[str, Path] = {}
    for path in (*files, *inside):
        known.setdefault(path.stem, path)
    return known


def _read(what: str, tag: str, known: Mapping[str, Path]) -> Worn:
    name, *rest = (part.strip() for part in what.split(":"))
    file = known.get(name) or known.get(Path(name).stem if name.endswith(ENDINGS) else "")
    if file is None:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else "Say with --loras in which folder it lies"
        raise UserError(f"{tag}: no adapter is called {name!r}", remedy=hint)
    strengths: dict[str, float] = {}
    for place, part in zip(("te", "unet"), (each for each in rest if "=" not in each), strict=False):
        strengths[place] = _number(part, tag)
    for part in rest:
        key, equals, value = part.partition("=")
        if equals and key in {"te", "unet"}:
            strengths[key] = _number(value, tag)
        elif equals:
            raise UserError(f"{tag}: {key} is not known", remedy="There are te= and unet=")
    text = strengths.get("te", 1.0)
    return Worn(file, strengths.get("unet", text), text)


def _number(text: str, tag: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{tag}: the strength {text!r} is no number", remedy="Write <lora:name:0.8>") from None
