"""Small tables of scores to test with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scores import TaggerFacts
from sdtui.tagging.tag_list import TagList

TAGS = TagList(("general", "cat", "night_sky", "tom"), ("rating", "general", "general", "character"))


def digest(image: str) -> str:
    """The digest of an image whose bytes are its name."""
    return hashlib.sha256(image.encode()).hexdigest()


def facts(name: str = "tagger", tags: TagList = TAGS) -> TaggerFacts:
    return TaggerFacts(name, digest(name), "as it is", tags)


def table(images: Mapping[str, list[float]], tags: TagList = TAGS) -> ScoreTable:
    """Dense scores, by image."""
    dense = np.array(list(images.values()), np.float32).reshape(len(images), len(tags))
    return ScoreTable.of(tags, [digest(image) for image in images], dense)


def told(found: ScoreTable, image: str) -> dict[str, float]:
    """What a table says of an image, scores to three decimals."""
    (row,) = found.rows_of([digest(image)]).tolist()
    return {tag.name: round(tag.score, 3) for tag in found.scored(row)}
