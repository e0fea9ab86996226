"""Which rows a batch is made of when the model is to keep what it knew."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.errors import UserError
from sdtui.profile.schema import Prior, Profile
from sdtui.training.prior import Rows, make_rows, require_own_answers


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


@pytest.mark.parametrize(
    ("prior", "where"),
    [
        ({"class_caption": "dog"}, "prior.class_caption"),
        ({"target": "frozen"}, "prior.target"),
        ({}, ""),
        ({"class_caption": "dog", "class_weight": 0}, ""),
    ],
)
def test_answers_of_another_kind_are_refused(prior: dict[str, Any], where: str) -> None:
    data = {
        "model": {"base": "x"},
        "training": {"steps": 1},
        "dataset": {"folders": [{"path": "y"}, {"path": "z", "regularization": True}]},
        "prior": prior,
    }
    profile = Profile.model_validate(data)
    require_own_answers(profile, "epsilon", "epsilon")
    if not where:
        require_own_answers(profile, "epsilon", "v_prediction")
        return
    with pytest.raises(UserError, match='"v_prediction" teaches a model that predicts "epsilon"') as refused:
        require_own_answers(profile, "epsilon", "v_prediction")
    assert refused.value.where == where


def test_frozen_targets_without_regularisation_images_are_no_matter() -> None:
    data = {"model": {"base": "x"}, "training": {"steps": 1}, "prior": {"target": "frozen"}}
    require_own_answers(Profile.model_validate(data), "epsilon", "v_prediction")
