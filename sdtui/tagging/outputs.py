"""What a job's model makes of images and where that is kept: scores of a tagger, descriptions of a describer."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.tagging import describers
from sdtui.tagging.describers import is_address
from sdtui.tagging.describers.base import Asked, Describer
from sdtui.tagging.descriptions import Descriptions
from sdtui.tagging.score_table import DIGEST_BYTES, ScoreTable, joined
from sdtui.tagging.scores import Scores
from sdtui.tagging.taggers import is_clip, kind_of, name_of, open_tagger, resolved
from sdtui.tagging.taggers.base import Tagger, Where

# From here on it is no 1 that was rounded.
_OVER = 1.0005


class Output(Protocol):
    """The results of one model for one dataset, as a job sees them."""

    @property
    def id(self) -> str:
        """What the dataset calls them."""
        ...

    @property
    def device(self) -> str:
        """What the model computes on."""
        ...

    @property
    def fixed_batch(self) -> int | None:
        """How many images the model takes at once; None: any number."""
        ...

    @property
    def waiting(self) -> int:
        """How many results are not kept yet."""
        ...

    def done(self) -> Container[str]:
        """Digests, in hex, of the images that have results."""
        ...

    def prepare(self, image: Image.Image) -> Any:
        """An image as the model reads it; called by several threads at once."""
        ...

    def take(self, digests: Sequence[str], prepared: Sequence[Any]) -> None:
        """Run the model on a batch; raises RefusedImageError where it says nothing of these images and may of others, BusyError where it may later."""
        ...

    def keep(self) -> None:
        """Store what is waiting; raises SdtuiError when the disk does not take it."""
        ...

    def join(self) -> None:
        """All images are done: put the results into the order that is read the fastest."""
        ...


def open_output(word: str, dataset: Path, where: Where, asked: Asked) -> Output:
    """The model that `word` means, loaded, and its results for a dataset.

    Args:
        word: as `taggers.checked`; a tagger, or a model that describes.
        dataset: the folder of images.
        where: what it may compute on.
        asked: what a model that describes is asked.

    Raises:
        UserError: it is neither, is damaged, or what it needs is not installed.
    """
    if is_address(word):
        if asked.terms:
            raise UserError("terms are for CLIP models", where=word, remedy="Leave --terms out")
        from sdtui.tagging.describers.endpoint import Endpoint

        return DescriptionOutput(Endpoint(word, asked), dataset)
    path = resolved(word)
    if asked.model:
        raise UserError("only an address has several models", where="--model", remedy="Leave it out")
    if is_clip(path) != bool(asked.terms):
        what = "terms are for CLIP models" if asked.terms else "a CLIP model needs terms to choose from"
        raise UserError(what, where=printable(path), remedy="Leave --terms out" if asked.terms else "Give --terms FILE")
    if describers.finds(path) and kind_of(path) is None and not asked.terms:
        from sdtui.tagging.describers.huggingface import HuggingFaceDescriber

        return DescriptionOutput(HuggingFaceDescriber(path, name_of(word), where, asked), dataset)
    if asked.prompt or asked.max_tokens != Asked.max_tokens:
        raise UserError(
            "a tagger is not asked in words", where=printable(path), remedy="Leave --prompt and --max-tokens out"
        )
    if asked.terms:
        from sdtui.tagging.taggers.clip import ClipTagger

        return TagOutput(ClipTagger(path, name_of(word), where, [Path(file) for file in asked.terms]), dataset)
    return TagOutput(open_tagger(word, where), dataset)


class TagOutput:
    """A tagger's scores."""

    def __init__(self, tagger: Tagger, dataset: Path) -> None:
        self._tagger = tagger
        self._scores = Scores.of(dataset, tagger.facts)
        self._tables: list[ScoreTable] = []
        self.id = self._scores.id
        self.device = tagger.device
        self.fixed_batch = tagger.fixed_batch
        self.prepare = tagger.prepare

    @property
    def waiting(self) -> int:
        """As `Output.waiting`."""
        return sum(map(len, self._tables))

    def done(self) -> Container[str]:
        """As `Output.done`."""
        return _Rows(self._scores.table())

    def take(self, digests: Sequence[str], prepared: Sequence[Any]) -> None:
        """As `Output.take`; a model of fixed batches gets the last image again where there are too few."""
        missing = (self.fixed_batch or len(prepared)) - len(prepared)
        found = self._tagger.scores(np.stack([*prepared, *[prepared[-1]] * missing]))
        if (found > _OVER).any():
            raise UserError(
                f"the model gives scores of up to {found.max():.3g}, and a score is 0 to 1",
                where=self.id,
                remedy="Use a model whose last layer is a sigmoid",
            )
        self._tables.append(ScoreTable.of(self._tagger.facts.tags, digests, found[: len(prepared)]))

    def keep(self) -> None:
        """As `Output.keep`."""
        if self._tables:
            self._scores.append(joined(self._tables))
            self._tables.clear()

    def join(self) -> None:
        """As `Output.join`."""
        self.keep()
        self._scores.compact()


class DescriptionOutput:
    """A describer's words, which are kept as they come."""

    waiting = 0

    def __init__(self, describer: Describer, dataset: Path) -> None:
        self._describer = describer
        self._descriptions = Descriptions.of(dataset, describer.facts)
        self.id = self._descriptions.id
        self.fixed_batch = describer.fixed_batch
        self.device = describer.device

    def done(self) -> Container[str]:
        """As `Output.done`."""
        return self._descriptions.texts()

    def prepare(self, image: Image.Image) -> Image.Image:
        """As `Output.prepare`: what the model does with an image is its own affair."""
        return image

    def take(self, digests: Sequence[str], prepared: Sequence[Any]) -> None:
        """As `Output.take`."""
        self._descriptions.append(digests, self._describer.describe(prepared))

    def keep(self) -> None:
        """As `Output.keep`."""

    def join(self) -> None:
        """As `Output.join`."""


class _Rows:
    """The images that a table has scores of, asked by digest in hex."""

    def __init__(self, table: ScoreTable) -> None:
        self._rows = table.rows

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and bytes.fromhex(digest)[:DIGEST_BYTES] in self._rows
