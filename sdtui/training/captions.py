"""What the captions of a batch read as: drawn from (seed, step, place in the step), so that a resumed run reads the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sdtui.dataset import pipeline
from sdtui.dataset.pipeline import Moment
from sdtui.dataset.templates import Template
from sdtui.profile.folder_rules import is_settled
from sdtui.profile.schema import Prior
from sdtui.training.data import DataOrder
from sdtui.training.prior import class_caption_of
from sdtui.training.randomness import uniform

if TYPE_CHECKING:
    from sdtui.profile.schema import Captions


class Drawn(NamedTuple):
    """What a sample reads as in an optimizer step (the first is 0)."""

    step: int
    sample: int
    text: str


@dataclass(frozen=True)
class CaptionSource:
    """The captions of all samples, as their files have them, and how they are read.

    Args:
        texts: by the number of the sample; empty for an image without a caption.
        rules: how each of them is read.
        order: which samples a step trains on.
        seed: the run's seed.
        total: length of the run in optimizer steps.
        prior: which samples are also shown with a class caption.
        templates: what the caption of each is put into; none if left out.
    """

    texts: Sequence[str]
    rules: Sequence[Captions]
    order: DataOrder
    seed: int
    total: int
    prior: Prior = field(default_factory=Prior)
    templates: Sequence[Template | None] = ()

    @property
    def settled(self) -> bool:
        """Whether a caption that is not left out always reads the same."""
        return all(map(is_settled, {id(rules): rules for rules in self.rules}.values()))

    def at(self, step: int, first: int, samples: Sequence[int]) -> list[str]:
        """What `samples` read as in optimizer step `step`, the first of them being number `first` of the step."""
        return [
            pipeline.draw(self.texts[sample], self.rules[sample], self._moment(step, place), self._template(sample))
            for place, sample in enumerate(samples, start=first)
        ]

    def in_order(self) -> Iterator[Drawn]:
        """Every caption of the run, in the order in which they are trained."""
        for step in range(self.total):
            samples = [sample for batch in self.order.at(step) for sample in batch]
            for sample, text in zip(samples, self.at(step, 0, samples), strict=True):
                yield Drawn(step, sample, text)

    def all_texts(self) -> list[str]:
        """Every text that settled captions can read as, each once, class captions among them."""
        moment = self._moment(0, 0)
        texts: set[str] = set()
        for sample, (text, rules) in enumerate(zip(self.texts, self.rules, strict=True)):
            read = {pipeline.compose(text, rules, moment) if text else ""}
            if rules.dropout or rules.dropout_every:
                read.add("")
            texts |= read
            if self.prior.keeps_class and sample not in self.order.regularization:
                texts.update(class_caption_of(one, self.prior) for one in read)
        return sorted(texts)

    def _template(self, sample: int) -> Template | None:
        return self.templates[sample] if self.templates else None

    def _moment(self, step: int, place: int) -> Moment:
        return Moment(step, self.order.epoch_of(step), self.total, partial(uniform, self.seed, step, place))
