"""How many images go through the model at once: as many as fit in memory, found by trying and remembered by bucket.

A batch that does not fit is cut in two, and its parts again if they must be: the gradient is a mean over the step's
images, so a step in parts is the same step. Then one part fewer is tried at a time, until that is known not to fit.

On the processor nothing can be tried: Linux ends a process that takes too much. There the plan's estimate decides before
the first step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
class Room:
    """What is known of a bucket: images taken at once, how many did not fit (0: not known), how many did after that."""

    most: int
    too_many: int = 0
    fitted: int = 0


@dataclass
class Fit:
    """What is known to fit.

    Args:
        widens: whether larger parts are tried after a batch was cut.
    """

    widens: bool = True
    _rooms: dict[Size, Room] = field(default_factory=dict)

    def limit(self, bucket: Size, images: int) -> None:
        """Take no more than that of a bucket at once."""
        self._rooms[bucket] = Room(images)

    def most(self, bucket: Size, wanted: int) -> int:
        """How many of `wanted` images of a bucket are taken at once."""
        room = self._rooms.get(bucket)
        return min(wanted, room.most) if room else wanted

    def parts(self, bucket: Size, batch: Batch) -> list[Batch]:
        """The batch in as few parts as fit, their sizes as even as can be."""
        count = -(-len(batch) // self.most(bucket, len(batch)))
        ends = [len(batch) * part // count for part in range(count + 1)]
        return [batch[start:end] for start, end in pairwise(ends)]

    def cut(self, bucket: Size, images: int) -> Cut:
        """So many images (two or more) did not fit: take as many as did before from now on, or half as many."""
        room = self._rooms.setdefault(bucket, Room(images))
        room.too_many = images
        room.most = room.fitted if 0 < room.fitted < images else -(-images // 2)
        return Cut(bucket, images, room.most)

    def passed(self, bucket: Size, images: int) -> None:
        """A batch of so many images went through in its parts: the next may be taken in one part fewer."""
        room = self._rooms.get(bucket)
        if room is None or not room.too_many or not self.widens:
            return
        count = -(-images // room.most)
        room.fitted = max(room.fitted, -(-images // count))
        larger = -(-images // (count - 1)) if count > 1 else 0
        if room.most < larger < room.too_many:
            room.most = larger

    def state(self) -> dict[str, list[int]]:
        """What a checkpoint must remember, by "width×height"."""
        return {
            "{}x{}".format(*bucket): [room.most, room.too_many, room.fitted] for bucket, room in self._rooms.items()
        }

    def merge(self, states: Iterable[Mapping[str, Sequence[int]]]) -> None:
        """Take as few at once as the process that has least room: a step is cut alike whoever takes it after a resume."""
        for state in states:
            for name, (most, *_) in state.items():
                bucket = _bucket(name)
                if bucket not in self._rooms or most < self._rooms[bucket].most:
                    self._rooms[bucket] = Room(most)

    def restore(self, state: Mapping[str, Sequence[int]]) -> None:
        """Put back what `state` gave."""
        for name, numbers in state.items():
            self._rooms[_bucket(name)] = Room(*numbers)


def _bucket(name: str) -> Size:
    width, height = map(int, name.split("x"))
    return width, height
