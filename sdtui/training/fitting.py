"""How many images go through the model at once: as many as fit in memory, found by trying and remembered by bucket.

A batch that does not fit is cut in two, and its parts again if they must be: the gradient is a mean over the step's
images, so a step in parts is the same step. Sizes are halved rather than searched: each try costs part of a forward
pass, and two passes of half the size are hardly slower than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from sdtui.errors import SdtuiError
from sdtui.training.data import Batch, Size


@dataclass(frozen=True)
class Cut:
    """A batch of `images` images of a bucket did not fit; from now on `at_once` of them are taken at a time."""

    bucket: Size
    images: int
    at_once: int

    def told(self) -> SdtuiError:
        """What the user should know of it."""
        width, height = self.bucket
        return SdtuiError(
            f"{self.images} images of {width}×{height} px do not fit in memory at once: from now on they are taken "
            f"{self.at_once} at a time, and each step learns from as many as before",
            where="training.batch_size",
            remedy="With training.gradient_checkpointing or a lower dataset.resolution more would fit",
        )


@dataclass
class Fit:
    """What has been found to fit; nothing is cut before something did not."""

    _most: dict[Size, int] = field(default_factory=dict)

    def most(self, bucket: Size, wanted: int) -> int:
        """How many of `wanted` images of a bucket are taken at once."""
        return min(wanted, self._most.get(bucket, wanted))

    def parts(self, bucket: Size, batch: Batch) -> list[Batch]:
        """The batch in as few parts as fit, their sizes as even as can be."""
        count = -(-len(batch) // self.most(bucket, len(batch)))
        ends = [len(batch) * part // count for part in range(count + 1)]
        return [batch[start:end] for start, end in pairwise(ends)]

    def cut(self, bucket: Size, images: int) -> Cut:
        """So many images (two or more) did not fit: take half as many from now on."""
        self._most[bucket] = -(-images // 2)
        return Cut(bucket, images, self._most[bucket])

    def state(self) -> dict[str, int]:
        """What a checkpoint must remember, by "width×height"."""
        return {"{}x{}".format(*bucket): most for bucket, most in self._most.items()}

    def merge(self, states: Iterable[Mapping[str, int]]) -> None:
        """Take as few at once as the process that has least room: a step is cut alike whoever takes it after a resume."""
        for state in states:
            for name, most in state.items():
                bucket = _bucket(name)
                self._most[bucket] = min(most, self._most.get(bucket, most))

    def restore(self, state: Mapping[str, int]) -> None:
        """Put back what `state` gave."""
        for name, most in state.items():
            self._most[_bucket(name)] = most


def _bucket(name: str) -> Size:
    width, height = map(int, name.split("x"))
    return width, height
