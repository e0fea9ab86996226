"""Which samples each optimizer step trains on: a pure function of (seed, epoch), so a run can start at any step.

A batch holds one bucket only, since its images must have one size. The last batch of a bucket may be smaller:
every image is used in every epoch, also when its bucket holds fewer images than a batch.

Of regularisation samples an epoch takes as many as it has training samples, so many of each bucket. Which ones goes
round: a bucket's are shuffled like a deck of cards, each epoch deals the next ones, and a deck that is used up is
shuffled anew, so that all of them are seen equally often over the epochs.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import torch
from torch import Tensor

from sdtui.dataset.regularization import shares
from sdtui.training.randomness import shuffled

Size = tuple[int, int]
Batch = tuple[int, ...]

_NONE = torch.empty(0, dtype=torch.int32)


@dataclass(frozen=True, eq=False)
class Epoch(Sequence[Batch]):
    """The batches of an epoch, kept as bare numbers: with many images and repeats there are millions.

    Args:
        samples: all samples of the epoch, int32, those of a batch side by side.
        first: where each batch begins in them, in the order of training.
        last: where it ends, itself not in it.
    """

    samples: Tensor
    first: Tensor
    last: Tensor

    def __len__(self) -> int:
        return len(self.first)

    @overload
    def __getitem__(self, index: int) -> Batch: ...

    @overload
    def __getitem__(self, index: slice) -> list[Batch]: ...

    def __getitem__(self, index: int | slice) -> Batch | list[Batch]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if index >= len(self):
            raise IndexError(index)
        return tuple(self.samples[self.first[index] : self.last[index]].tolist())


@dataclass
class DataOrder:
    """The order of samples, known by their position in `sizes`.

    Args:
        sizes: width and height of each sample's bucket, px.
        repeats: how often each sample comes in one epoch.
        batch_size: samples in a full batch.
        accumulation: batches in a full optimizer step; the last step of an epoch may have fewer.
        seed: the run's seed.
        regularization: which samples are regularisation; all others teach.
        asked_twice: whether training samples take two places in a forward pass, one with their class caption.
    """

    sizes: Sequence[Size]
    repeats: Sequence[int]
    batch_size: int
    accumulation: int
    seed: int
    regularization: frozenset[int] = frozenset()
    asked_twice: bool = False
    _number: int = field(default=-1, init=False)
    _epoch: Epoch | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Group the samples by bucket once; only their order changes from epoch to epoch."""
        training: dict[Size, list[int]] = defaultdict(list)
        decks: dict[Size, list[int]] = defaultdict(list)
        for sample, size in enumerate(self.sizes):
            (decks if sample in self.regularization else training)[size].append(sample)
        self._training = {size: self._repeated(samples) for size, samples in training.items()}
        self._decks = {size: self._repeated(samples) for size, samples in decks.items()}
        self._count()

    def _repeated(self, samples: list[int]) -> Tensor:
        times = torch.tensor([self.repeats[sample] for sample in samples])
        return torch.tensor(samples, dtype=torch.int32).repeat_interleave(times)

    def _count(self) -> None:
        """How many samples an epoch takes of each bucket."""
        training = {size: len(samples) for size, samples in self._training.items()}
        self._dealt = shares(sum(training.values()), {size: len(deck) for size, deck in self._decks.items()})
        self._counts = Counter(training) + Counter(self._dealt)

    @property
    def images(self) -> int:
        """Images of one epoch, repeats and regularisation counted."""
        return self._counts.total()

    @property
    def batches_per_epoch(self) -> int:
        """Full and partial batches of all buckets."""
        return sum(math.ceil(count / self.batch_size) for count in self._counts.values())

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch; the same for every epoch."""
        return math.ceil(self.batches_per_epoch / self.accumulation)

    def total_steps(self, steps: int | None, epochs: int | None) -> int:
        """Length of a run of so many steps or, if that is None, of so many epochs."""
        return steps if steps is not None else (epochs or 1) * self.steps_per_epoch

    def epoch_of(self, step: int) -> int:
        """The epoch (the first is 0) that optimizer step `step` (the first is 0) belongs to."""
        return step // self.steps_per_epoch

    def at(self, step: int) -> list[Batch]:
        """The batches of optimizer step `step`."""
        number = self.epoch_of(step)
        if self._epoch is None or number != self._number:
            self._number, self._epoch = number, self.batches_of(number)
        start = (step - number * self.steps_per_epoch) * self.accumulation
        return self._epoch[start : start + self.accumulation]

    def batches_of(self, epoch: int) -> Epoch:
        """All batches of an epoch, shuffled within buckets and among them; the first of a run is the heaviest."""
        samples: list[Tensor] = []
        first: list[Tensor] = []
        last: list[Tensor] = []
        before = 0
        for size in sorted(self._counts):
            own = torch.cat([self._training.get(size, _NONE), self._deal(size, epoch)])
            samples.append(own[shuffled(len(own), self.seed, epoch, "bucket {}x{}".format(*size))])
            first.append(torch.arange(before, before + len(own), self.batch_size))
            last.append((first[-1] + self.batch_size).clamp(max=before + len(own)))
            before += len(own)
        order = shuffled(sum(map(len, first)), self.seed, epoch, "batches")
        made = Epoch(torch.cat(samples), torch.cat(first)[order], torch.cat(last)[order])
        return self._heaviest_first(made) if epoch == 0 else made

    def _heaviest_first(self, epoch: Epoch) -> Epoch:
        """A run that will not fit in memory should fail at its first step, not an hour in."""
        pixels = torch.tensor([width * height for width, height in self.sizes])[epoch.samples]
        if self.asked_twice:
            kept = torch.zeros(len(self.sizes), dtype=torch.bool)
            kept[list(self.regularization)] = True
            pixels = pixels * torch.where(kept[epoch.samples], 1, 2)
        upto = torch.cat([torch.zeros(1, dtype=torch.int64), pixels.cumsum(0)])
        heaviest = int((upto[epoch.last] - upto[epoch.first]).argmax())
        order = torch.cat([torch.tensor([heaviest]), torch.arange(heaviest), torch.arange(heaviest + 1, len(epoch))])
        return Epoch(epoch.samples, epoch.first[order], epoch.last[order])

    def _deal(self, size: Size, epoch: int) -> Tensor:
        """The bucket's regularisation samples of an epoch."""
        count, deck = self._dealt.get(size, 0), self._decks.get(size, _NONE)
        if not count:
            return _NONE
        shuffle, done = divmod(epoch * count, len(deck))
        places = _NONE
        while len(places) < done + count:
            name = "regularization {}x{}".format(*size)
            places = torch.cat([places, shuffled(len(deck), self.seed, shuffle, name)])
            shuffle += 1
        return deck[places[done : done + count]]
