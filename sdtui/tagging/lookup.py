"""A tag's score in every image of a library, for queries: loaded when first asked, and again when there are new scores."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.tagging.rule_words import known_tag
from sdtui.tagging.scored_images import ScoredImages
from sdtui.tagging.scores import taggers


class ScoreLookup:
    """As `dataset.query.Searcher` wants it; several threads may ask. Of several taggers the highest score counts."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._seen: list[tuple[str, int]] = []
        self._images: ScoredImages | None = None

    def __call__(self, tag: str) -> NDArray[np.float32]:
        """The scores by position: 0 below the floor, NaN where an image was not scored.

        Raises:
            UserError: no tagger has scored the images, or none knows the tag.
            SdtuiError: a file of scores is damaged.
        """
        with self._lock:
            images = self._loaded()
            known_tag(tag, images.table.tags)
            return images.score_of(tag)

    def _loaded(self) -> ScoredImages:
        found = taggers(self._library.folder)
        if not found:
            raise UserError(
                "no tagger has scored these images",
                where=printable(self._library.folder),
                remedy="Score them with `sdtui tag DIR --tagger NAME`",
            )
        now = [(scores.id, scores.newest) for scores in found]
        if self._images is None or now != self._seen:
            self._images, self._seen = ScoredImages.load(self._library, found, "maximum"), now
        return self._images
