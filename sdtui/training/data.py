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

from sdtui.dataset.regularization import shares
from sdtui.training.randomness import permutation

Size = tuple[int, int]
Batch = tuple[int, ...]


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
    _epoch: int = field(default=-1, init=False)
    _batches: list[Batch] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Group the samples by bucket once; only their order changes from epoch to epoch."""
        self._training: dict[Size, list[int]] = defaultdict(list)
        self._decks: dict[Size, list[int]] = defaultdict(list)
        for sample, (size, times) in enumerate(zip(self.sizes, self.repeats, strict=True)):
            group = self._decks if sample in self.regularization else self._training
            group[size].extend([sample] * times)
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
        epoch = self.epoch_of(step)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self.batches_of(epoch)
        start = (step - epoch * self.steps_per_epoch) * self.accumulation
        return self._batches[start : start + self.accumulation]

    def batches_of(self, epoch: int) -> list[Batch]:
        """All batches of an epoch, shuffled within buckets and among them; the first of a run is the heaviest."""
        batches: list[Batch] = []
        for size in sorted(self._counts):
            samples = [*self._training.get(size, ()), *self._deal(size, epoch)]
            order = permutation(len(samples), self.seed, epoch, "bucket {}x{}".format(*size))
            shuffled = [samples[i] for i in order]
            batches += [tuple(shuffled[i : i + self.batch_size]) for i in range(0, len(shuffled), self.batch_size)]
        batches = [batches[i] for i in permutation(len(batches), self.seed, epoch, "batches")]
        if epoch == 0:
            # A run that will not fit in memory should fail at its first step, not an hour in.
            heaviest = max(range(len(batches)), key=lambda i: self._weight(batches[i]))
            batches.insert(0, batches.pop(heaviest))
        return batches

    def _deal(self, size: Size, epoch: int) -> list[int]:
        """The bucket's regularisation samples of an epoch."""
        count, deck = self._dealt.get(size, 0), self._decks.get(size, [])
        if not count:
            return []
        shuffle, done = divmod(epoch * count, len(deck))
        places: list[int] = []
        while len(places) < done + count:
            places += permutation(len(deck), self.seed, shuffle, "regularization {}x{}".format(*size))
            shuffle += 1
        return [deck[place] for place in places[done : done + count]]

    def _weight(self, batch: Batch) -> int:
        """Pixels that go through the model at once."""
        width, height = self.sizes[batch[0]]
        again = sum(sample not in self.regularization for sample in batch) if self.asked_twice else 0
        return width * height * (len(batch) + again)
