"""Which settings of the objective contradict each other, and which do nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.objective_rules import unsuited
from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Objective, Profile


def codes(objective: dict[str, Any], **sections: Any) -> dict[str, str]:
    """Key → code of what is found about an objective."""
    data = {
        "model": {"base": "x"},
        "dataset": {"folders": [{"path": "y"}]},
        "training": {"steps": 1},
        "saving": {"every_steps": 1},
        "objective": objective,
        **sections,
    }
    return {finding.key: finding.code for finding in contradictions(Profile.model_validate(data), frozenset())}


@pytest.mark.parametrize(
    ("objective", "key"),
    [
        ({"timestep_min": 500, "timestep_max": 500}, "objective.timestep_min"),
        ({"zero_terminal_snr": True, "prediction": "epsilon"}, "objective.zero_terminal_snr"),
        ({"scale_velocity_loss": True, "prediction": "epsilon"}, "objective.scale_velocity_loss"),
        ({"velocity_like_loss": 0.5, "prediction": "v_prediction"}, "objective.velocity_like_loss"),
    ],
)
def test_contradictions(objective: dict[str, Any], key: str) -> None:
    assert codes(objective) == {key: "contradiction"}


@pytest.mark.parametrize(
    "objective",
    [
        {"noise_offset_random": True},
        {"multires_discount": 0.5},
        {"input_perturbation_random": True},
        {"huber_c": 0.2},
        {"huber_scale": 2.0, "loss": "l1"},
        {"huber_schedule": "constant"},
    ],
)
def test_settings_without_effect(objective: dict[str, Any]) -> None:
    name = next(iter(objective))
    assert codes(objective) == {f"objective.{name}": "no-effect"}


@pytest.mark.parametrize(
    "objective",
    [
        {"timestep_min": 499, "timestep_max": 500},
        {"zero_terminal_snr": True, "prediction": "v_prediction"},
        {"zero_terminal_snr": True},
        {"noise_offset_random": True, "noise_offset": 0.1},
        {"multires_discount": 0.5, "multires_iterations": 6},
        {"huber_c": 0.2, "loss": "smooth_l1"},
        {"debiased": True, "min_snr_gamma": 5.0},
    ],
)
def test_what_goes_together(objective: dict[str, Any]) -> None:
    assert codes(objective) == {}


@pytest.mark.parametrize("sampler", ["pndm", "heun"])
def test_samplers_that_cannot_start_from_pure_noise(sampler: str) -> None:
    previews = {"sampler": sampler, "prompts": ["a cat"]}
    assert codes({"zero_terminal_snr": True}, previews=previews) == {"previews.sampler": "contradiction"}


def test_min_snr_leaves_pure_noise_untrained() -> None:
    assert codes({"zero_terminal_snr": True, "min_snr_gamma": 5.0}) == {"objective.min_snr_gamma": "no-effect"}


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [("epsilon", ["scale_velocity_loss"]), ("v_prediction", ["velocity_like_loss"]), ("auto", [])],
)
def test_what_a_kind_of_model_cannot_be_trained_with(prediction: str, expected: list[str]) -> None:
    both = Objective(scale_velocity_loss=True, velocity_like_loss=0.5)
    assert list(unsuited(both, prediction)) == expected
    assert list(unsuited(Objective(), prediction)) == []
