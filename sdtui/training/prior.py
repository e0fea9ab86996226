"""What a step asks of the model so that it keeps what it knew: regularisation images, and class captions without images.

Each batch is one forward pass of rows. The first rows are its samples; where a class caption is set, each training
sample comes once more, with the same noise and timestep but its class caption, and is to be answered as the frozen
model answers. Regularisation samples are answered with the noise, as all others, or as the frozen model answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sdtui.dataset.class_caption import class_caption
from sdtui.errors import UserError
from sdtui.profile.prior_rules import asks_frozen

if TYPE_CHECKING:
    from sdtui.profile.schema import Prior, Profile


class Rows(NamedTuple):
    """The rows of one forward pass.

    Args:
        places: which sample of the batch each row shows.
        captions: what it reads as.
        frozen: the rows that are to be answered as before training.
        weights: how much each row's loss counts.
        kept: whether a row teaches what to keep, not what to learn.
    """

    places: list[int]
    captions: list[str]
    frozen: list[int]
    weights: list[float]
    kept: list[bool]


def class_caption_of(caption: str, prior: Prior) -> str:
    """What a training sample reads as when it shows its class."""
    return class_caption(caption, prior.trigger, prior.class_caption)


def require_own_answers(profile: Profile, base: str, trained: str) -> None:
    """See that what the frozen model answers is what is asked: noise for noise, velocity for velocity.

    Raises:
        UserError: answers of the frozen model are wanted, and it predicts `base`, the training `trained`.
    """
    key = asks_frozen(profile)
    if key and base != trained:
        raise UserError(
            f'objective.prediction = "{trained}" teaches a model that predicts "{base}" another kind of answer, and what '
            "it answered before training would hold it back",
            where=key,
            remedy="Leave one of the two out",
        )


def make_rows(prior: Prior, captions: Sequence[str], regularization: Sequence[bool]) -> Rows:
    """The rows of a batch, from what its samples read as and which of them are regularisation."""
    samples = range(len(captions))
    again = [place for place in samples if not regularization[place]] if prior.keeps_class else []
    frozen = [place for place in samples if regularization[place]] if prior.target == "frozen" else []
    return Rows(
        places=[*samples, *again],
        captions=[*captions, *(class_caption_of(captions[place], prior) for place in again)],
        frozen=[*frozen, *range(len(captions), len(captions) + len(again))],
        weights=[*(prior.weight if kept else 1.0 for kept in regularization), *[prior.class_weight] * len(again)],
        kept=[*regularization, *[True] * len(again)],
    )
