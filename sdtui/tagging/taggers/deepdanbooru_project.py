"""A DeepDanbooru project whose model was exported to ONNX: `project.json`, `tags.txt` and one `.onnx` file in a folder.

Images are prepared as DeepDanbooru does: scaled by area to fit, the rest filled by repeating the edges, RGB 0 to 1.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.tagging.scores import TaggerFacts
from sdtui.tagging.tag_list import CHARACTER, GENERAL, RATING, RATING_START, TagList
from sdtui.tagging.taggers.base import Pixels, Where, file_digest
from sdtui.tagging.taggers.onnx import OnnxModel
from sdtui.tagging.taggers.pixels import within_square

PROJECT, TAGS = "project.json", "tags.txt"
_CATEGORIES = {"General": GENERAL, "Character": CHARACTER, "System": "meta"}


class DeepDanbooruProject:
    """A DeepDanbooru tagger in ONNX."""

    def __init__(self, folder: Path, name: str, where: Where) -> None:
        """Load it; raises UserError where a file is missing, damaged, or belongs to another model."""
        models = sorted(folder.glob("*.onnx"))
        if len(models) != 1:
            raise UserError(
                f"a DeepDanbooru project with {len(models)} .onnx files",
                where=printable(folder),
                remedy="Export its model to ONNX (tf2onnx), and keep one in the folder",
            )
        tags = read_tags(folder)
        self._model = OnnxModel(models[0], where)
        self._model.require_outputs(len(tags), TAGS)
        side = self._model.side
        how = f"by area into {side} × {side}, edges repeated, RGB 0–1 (DeepDanbooru)"
        self.facts = TaggerFacts(name, file_digest(models[0]), how, tags)
        self.device = self._model.device
        self.fixed_batch = self._model.batch

    def prepare(self, image: Image.Image) -> Pixels:
        """As `Tagger.prepare`: (side, side, 3) RGB 0–1."""
        return within_square(image, self._model.side, Resampling.BOX)

    def scores(self, batch: Pixels) -> NDArray[np.float32]:
        """As `Tagger.scores`; the model's last layer is a sigmoid."""
        return self._model.run(batch)


def finds(path: Path) -> bool:
    """Whether a folder holds such a project."""
    return (path / PROJECT).is_file() and (path / TAGS).is_file()


def read_tags(folder: Path) -> TagList:
    """The tags of a project, one a line, with the categories of `categories.json` where there is one.

    Raises:
        UserError: a file cannot be read.
    """
    try:
        names = [line.strip() for line in (folder / TAGS).read_text("utf-8-sig").splitlines() if line.strip()]
        listed = folder / "categories.json"
        starts = json.loads(listed.read_text("utf-8-sig")) if listed.is_file() else []
        begins = sorted((int(entry["start_index"]), str(entry["name"])) for entry in starts)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"cannot read the project's tags: {error}", where=printable(folder)) from error
    categories = [GENERAL] * len(names)
    for begin, name in begins:
        categories[begin:] = [_CATEGORIES.get(name, GENERAL)] * len(categories[begin:])
    rated = [RATING if name.startswith(RATING_START) else found for name, found in zip(names, categories, strict=True)]
    return TagList(tuple(names), tuple(rated))
