"""The stored scores of the images of a library, by their position: what commands and screens ask about scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.digests import Digests
from sdtui.dataset.image import UnreadableImage
from sdtui.dataset.library import Library
from sdtui.tagging.combine import How, combined
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scores import Scores
from sdtui.tagging.survey import Survey
from sdtui.tagging.threshold import Scored

Told = Callable[[int], None]


class ScoredImages:
    """Scores by position in a library."""

    def __init__(self, table: ScoreTable) -> None:
        self.table = table

    @classmethod
    def load(
        cls, library: Library, taggers: Sequence[Scores], how: How = "union", told: Told = lambda _: None
    ) -> ScoredImages:
        """Look up the images of `library`; those whose bytes are not known are read, which can take long.

        Args:
            library: the images.
            taggers: whose scores; of several, `how` says what they come to.
            how: as `combine.How`.
            told: hears how many images are known so far.

        Raises:
            SdtuiError: a file of scores is damaged.
        """
        digests = digests_of(library, told)
        tables = [table.arranged(table.rows_of(digests)) for table in (scores.table() for scores in taggers)]
        return cls(combined(tables, how))

    @cached_property
    def survey(self) -> Survey:
        """For questions about all images at once."""
        return Survey(self.table)

    @cached_property
    def has_scores(self) -> NDArray[np.bool_]:
        """Which images were scored."""
        found: NDArray[np.bool_] = np.any(self.table.digests, axis=1)
        return found

    def scored(self, position: int) -> list[Scored]:
        """The tags of one image, the highest score first."""
        return self.table.scored(position)

    def score_of(self, tag: str) -> NDArray[np.float32]:
        """The tag's score in each image; 0 below the floor, NaN where the image was not scored."""
        return self.survey.score_of(tag)


def digests_of(library: Library, told: Told = lambda _: None) -> list[str]:
    """SHA-256 of each image in hex, remembered from the last time where the file is the same; empty: it cannot be read."""
    known = Digests(library.folder)
    digests = []
    try:
        for done, entry in enumerate(library, 1):
            try:
                digests.append(known.of(entry.path))
            except UnreadableImage:
                digests.append("")
            told(done)
    finally:
        known.save()
    return digests
