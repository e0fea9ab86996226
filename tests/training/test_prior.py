"""Which rows a batch is made of when the model is to keep what it knew."""

from __future__ import annotations

from typing import Any

from sdtui.profile.schema import Prior
from sdtui.training.prior import Rows, make_rows


def rows(**settings: Any) -> Rows:
    """Of a batch of two training samples around one of regularisation."""
    return make_rows(Prior.model_validate(settings), ["a sks", "a house", "red"], [False, True, False])


def test_without_a_prior_the_rows_are_the_samples() -> None:
    assert rows() == Rows([0, 1, 2], ["a sks", "a house", "red"], [], [1.0, 1.0, 1.0], [False, True, False])


def test_regularisation_samples_have_a_weight_of_their_own() -> None:
    assert rows(weight=0.25).weights == [1.0, 0.25, 1.0]


def test_regularisation_samples_are_answered_as_before_training() -> None:
    assert rows(target="frozen").frozen == [1]


def test_training_samples_come_again_with_their_class_caption() -> None:
    assert rows(class_caption="dog", trigger="sks", class_weight=0.5, target="frozen") == Rows(
        places=[0, 1, 2, 0, 2],
        captions=["a sks", "a house", "red", "a dog", "dog"],
        frozen=[1, 3, 4],
        weights=[1.0, 1.0, 1.0, 0.5, 0.5],
        kept=[False, True, False, True, True],
    )


def test_a_class_without_weight_is_not_asked_for() -> None:
    assert rows(class_caption="dog", class_weight=0) == rows()
