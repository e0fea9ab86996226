"""Embedding files as words of a model: those that a prompt names, by their files' names as in web UIs, and those in adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass
class Vocabulary:
    """The words that a model reads; `teach` has it know what a picture asks, and forget the rest.

    Args:
        model: whose words they are.
    """

    model: Any
    _known: tuple[dict[str, Path], list[Path]] = field(default_factory=lambda: ({}, []))

    def teach(self, said: Mapping[str, Path], worn: Sequence[Path] = ()) -> None:
        """Have the model read these names as the vectors in their files, and those that adapter files bring along.

        Raises:
            UserError: a file holds no embedding, or one for another family of models.
        """
        asked = dict(said), list(worn)
        if asked == self._known:
            return
        widths = {
            kind.component: encoder.config.hidden_size
            for kind, (encoder, _) in zip(self.model.kind.encoders, self.model.encoders, strict=True)
        }
        found = {name: (file, embedding.read(file)) for name, file in said.items()}
        for file in worn:
            found |= {word.name: (file, word) for word in embedding.read_bundle(file) if word.name not in said}
        for name, (file, word) in found.items():
            require_fitting(name, word.vectors, widths, str(file))
        self.model.words = Words.of(
            {
                name: {part: rows.to(self.model.device) for part, rows in word.vectors.items()}
                for name, (_, word) in found.items()
            }
        )
        self._known = asked
