"""Embedding files as words of a model: those that a prompt names, by their files' names as in web UIs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sdtui.errors import UserError
from sdtui.formats import embedding
from sdtui.models.words import Words, require_fitting

ENDINGS = (".pt", ".safetensors", ".bin", ".png", ".webp")


def library(places: Sequence[Path]) -> dict[str, Path]:
    """Embedding files by name without ending: `places` are files, or folders that hold them.

    Raises:
        UserError: a place is not there.
    """
    known: dict[str, Path] = {}
    for place in places:
        if not place.exists():
            raise UserError("no such file or folder", where=str(place))
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in inside:
            if file.suffix.lower() in ENDINGS:
                known.setdefault(file.stem, file)
    return known


def named(known: dict[str, Path], texts: Iterable[str]) -> dict[str, Path]:
    """Those of `known` whose names stand in one of the texts, case ignored."""
    said = "\n".join(texts).lower()
    return {name: file for name, file in known.items() if name.lower() in said}


def teach(model: Any, known: dict[str, Path]) -> None:
    """Have the model read these names as the vectors in their files.

    Raises:
        UserError: a file holds no embedding, or one for another family of models.
    """
    widths = {
        kind.component: encoder.config.hidden_size
        for kind, (encoder, _) in zip(model.kind.encoders, model.encoders, strict=True)
    }
    words = {}
    for name, file in known.items():
        found = embedding.read(file)
        require_fitting(name, found.vectors, widths, str(file))
        words[name] = {part: rows.to(model.device) for part, rows in found.vectors.items()}
    model.words = Words.of(words) if words else Words()
