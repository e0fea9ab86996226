"""The WD taggers (v1 to v3) and what has their form: `model.onnx` and `selected_tags.csv` in one folder.

Images are prepared as on their author's page (SmilingWolf's): laid on a white square, resized by bicubic interpolation, BGR,
0 to 255. Other programs do it otherwise and get other scores from the same model.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.tagging.scores import TaggerFacts
from sdtui.tagging.tag_list import CATEGORIES, GENERAL, TagList
from sdtui.tagging.taggers.base import Pixels, Where, file_digest
from sdtui.tagging.taggers.onnx import OnnxModel
from sdtui.tagging.taggers.pixels import on_white_square

MODEL, TAGS = "model.onnx", "selected_tags.csv"
FILES = (MODEL, TAGS)
_HEADER = ["tag_id", "name", "category"]


class WdTagger:
    """A WD tagger."""

    def __init__(self, folder: Path, name: str, where: Where) -> None:
        """Load it; raises UserError where a file is missing, damaged, or belongs to another model."""
        tags = read_tags(folder / TAGS)
        self._model = OnnxModel(folder / MODEL, where)
        self._model.require_outputs(len(tags), TAGS)
        side = self._model.side
        self.facts = TaggerFacts(
            name,
            file_digest(folder / MODEL),
            f"white square, bicubic to {side} × {side}, BGR 0–255 (SmilingWolf)",
            tags,
        )
        self.device = self._model.device
        self.fixed_batch = self._model.batch

    def prepare(self, image: Image.Image) -> Pixels:
        """As `Tagger.prepare`: (side, side, 3) BGR 0–255."""
        square = np.asarray(on_white_square(image, self._model.side), np.float32)
        return np.ascontiguousarray(square[:, :, ::-1])

    def scores(self, batch: Pixels) -> NDArray[np.float32]:
        """As `Tagger.scores`; the model's last layer is a sigmoid."""
        return self._model.run(batch)


def finds(path: Path) -> bool:
    """Whether a folder holds such a tagger."""
    return (path / MODEL).is_file() and (path / TAGS).is_file()


def lacking(path: Path) -> str:
    """Which file a folder lacks that holds all others of such a tagger; empty where it is none of that kind, or whole."""
    missing = [file for file in FILES if not (path / file).is_file()]
    return missing[0] if 0 < len(missing) < len(FILES) else ""


def read_tags(path: Path) -> TagList:
    """The tags of a `selected_tags.csv`: `tag_id,name,category,count`, a line for each score the model gives.

    Raises:
        UserError: it cannot be read or is another kind of file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeError, csv.Error) as error:
        raise UserError(f"cannot read the list of tags: {error}", where=printable(path)) from error
    if not rows or rows[0][:3] != _HEADER:
        raise UserError(
            "not a WD tagger's list of tags",
            where=printable(path),
            remedy=f"Its first line is {','.join(_HEADER)},count",
        )
    listed = [row for row in rows[1:] if row]
    short = next((at for at, row in enumerate(listed, 2) if len(row) < 3 or not row[2].isdigit()), None)
    if short is not None:
        raise UserError("a line without a category", where=f"{printable(path)}:{short}")
    return TagList(tuple(row[1] for row in listed), tuple(CATEGORIES.get(int(row[2]), GENERAL) for row in listed))
