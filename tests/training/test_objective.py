"""The formulas of diffusion training against values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sdtui.errors import UserError
from sdtui.profile.schema import Objective
from sdtui.training import objective


def maps(*values: float) -> torch.Tensor:
    """One 1x1 latent per value, shape (B, 1, 1, 1)."""
    return torch.tensor(values).view(-1, 1, 1, 1)


ALPHA_BAR = torch.tensor([0.64, 0.36])


def test_add_noise_mixes_signal_and_noise_by_their_roots() -> None:
    noisy = objective.add_noise(maps(1.0, 1.0), maps(2.0, -1.0), ALPHA_BAR)
    # 0.8 * 1 + 0.6 * 2 and 0.6 * 1 + 0.8 * -1
    assert noisy.flatten().tolist() == pytest.approx([2.0, -0.2])


def test_the_epsilon_target_is_the_noise() -> None:
    assert torch.equal(objective.target("epsilon", maps(1.0), maps(2.0), ALPHA_BAR[:1]), maps(2.0))


def test_the_velocity_target() -> None:
    wanted = objective.target("v_prediction", maps(1.0, 1.0), maps(2.0, -1.0), ALPHA_BAR)
    # 0.8 * 2 - 0.6 * 1 and 0.6 * -1 - 0.8 * 1
    assert wanted.flatten().tolist() == pytest.approx([1.0, -1.4])


def test_an_unknown_prediction_type_is_refused() -> None:
    with pytest.raises(ValueError, match="'sample' is neither"):
        objective.target("sample", maps(1.0), maps(2.0), ALPHA_BAR[:1])


def test_signal_to_noise() -> None:
    assert objective.signal_to_noise(torch.tensor([0.5, 0.9, 0.1])).tolist() == pytest.approx([1.0, 9.0, 1 / 9])


@pytest.mark.parametrize(
    ("prediction_type", "expected"),
    [("epsilon", [1.0, 5 / 9, 1.0]), ("v_prediction", [0.5, 0.5, 0.1])],
)
def test_min_snr_weights(prediction_type: str, expected: list[float]) -> None:
    # SNR is 1, 9 and 1/9: epsilon min(snr,5)/snr, velocity min(snr,5)/(snr+1).
    weights = objective.min_snr_weights(torch.tensor([0.5, 0.9, 0.1]), 5.0, prediction_type)
    assert weights.tolist() == pytest.approx(expected)


def test_gamma_zero_weighs_all_timesteps_alike() -> None:
    assert objective.min_snr_weights(torch.tensor([0.5, 0.999]), 0.0, "epsilon").tolist() == [1.0, 1.0]


def test_latents_are_sampled_from_mean_and_std() -> None:
    assert objective.sample_latents(maps(1.0), maps(0.5), maps(-2.0)).item() == 0.0


def test_mask_weights() -> None:
    masks = torch.tensor([[[0.0, 0.5, 1.0]]] * 2)
    found = objective.mask_weights(masks, 0.25, torch.tensor([False, True]))
    # 0.5 + 0.5 * 0.25; the second sample's mask is ignored.
    assert found.tolist() == [[[[0.25, 0.625, 1.0]]], [[[1.0, 1.0, 1.0]]]]


def test_black_places_count_nothing_unless_told_and_white_ones_no_more_than_without_a_mask() -> None:
    counted = objective.mask_weights(torch.tensor([[[0.0, 1.0]]]), 0.0, torch.tensor([False]))
    errors = torch.tensor([[[[7.0, 4.0]], [[9.0, 2.0]]]])  # (1, 2, 1, 2)
    # (0 + 4 + 0 + 2) / 4: divided by all places, not by the white ones.
    assert objective.loss(errors * counted, torch.ones(1)).tolist() == [1.5]


def test_evened_masks_have_a_least_of_zero_and_a_mean_of_one() -> None:
    counted = torch.tensor([[0.5, 1.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1.0], [0.5] * 4]).view(3, 1, 2, 2)
    evened = objective.evened(counted).view(3, 4).tolist()
    # One that counts alike everywhere has nothing to be evened.
    assert evened == [[0, 2, 0, 2], [0, 0, 0, 4], [0.5] * 4]


def test_loss_is_one_weighted_number_per_sample() -> None:
    errors = torch.tensor([[[[1.0, 4.0]]], [[[4.0, 0.0]]]])
    assert objective.loss(errors, torch.tensor([1.0, 0.5])).tolist() == [2.5, 1.0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("l2", [16.0, 0.0, 2.25]),
        ("l1", [4.0, 0.0, 1.5]),
        # With c = 3: √(16 + 9) - 3 = 2, times 2c and times 2; with c = 2: √(2.25 + 4) - 2 = 0.5.
        ("huber", [12.0, 0.0, 2.0]),
        ("smooth_l1", [4.0, 0.0, 1.0]),
    ],
)
def test_errors(kind: str, expected: list[float]) -> None:
    found = objective.errors(maps(5.0, 1.0, 0.0), maps(1.0, 1.0, -1.5), kind, torch.tensor([3.0, 3.0, 2.0]))
    assert found.flatten().tolist() == pytest.approx(expected)


def test_errors_are_computed_in_float32_for_half_precision_predictions() -> None:
    prediction = torch.full((1, 1, 1, 1), 300.0, dtype=torch.float16)  # its square overflows float16
    assert objective.errors(prediction, maps(0.0), "l2", torch.ones(1)).tolist() == [[[[90000.0]]]]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.1, 0.1, 0.1]),
        # 0.1^(t / 1000)
        ("exponential", [1.0, 0.1**0.5, 0.1**0.999]),
        # sigma is 1/3, 1 and 3: 0.9 / (1 + sigma)² + 0.1
        ("snr", [0.60625, 0.325, 0.15625]),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_huber_thresholds(schedule: str, expected: list[float], scale: float) -> None:
    settings = Objective.model_validate({"huber_schedule": schedule, "huber_c": 0.1, "huber_scale": scale})
    found = objective.huber_thresholds(settings, torch.tensor([0, 500, 999]), torch.tensor([0.9, 0.5, 0.1]), 1000)
    assert found.tolist() == pytest.approx([scale * value for value in expected])


def test_debiased_weights() -> None:
    # SNR is 1, 9, 1/9 and, beyond the cap of 1000, 9999.
    alpha_bar = torch.tensor([0.5, 0.9, 0.1, 0.9999])
    assert objective.debiased_weights(alpha_bar, "epsilon").tolist() == pytest.approx([1, 1 / 3, 3, 1000**-0.5])
    assert objective.debiased_weights(alpha_bar, "v_prediction").tolist() == pytest.approx([0.5, 0.1, 0.9, 1 / 1001])


def test_velocity_scale() -> None:
    assert objective.velocity_scale(torch.tensor([0.5, 0.9, 0.9999])).tolist() == pytest.approx([0.5, 0.9, 1000 / 1001])


@pytest.mark.parametrize(
    ("settings", "kind", "expected"),
    [
        ({}, "epsilon", [1.0, 1.0]),
        ({"min_snr_gamma": 5.0}, "epsilon", [1.0, 5 / 9]),
        ({"scale_velocity_loss": True}, "v_prediction", [0.5, 0.9]),
        ({"velocity_like_loss": 0.5}, "epsilon", [2.0, 1 + 0.5 / 0.9]),
        ({"debiased": True}, "epsilon", [1.0, 1 / 3]),
        ({"debiased": True, "min_snr_gamma": 5.0}, "epsilon", [1.0, 5 / 27]),
    ],
)
def test_weights_multiply(settings: dict[str, Any], kind: str, expected: list[float]) -> None:
    found = objective.weights(Objective.model_validate(settings), torch.tensor([0.5, 0.9]), kind)
    assert found.tolist() == pytest.approx(expected)


def test_at_zero_signal_velocity_weights_and_thresholds_are_finite() -> None:
    settings = Objective.model_validate({"min_snr_gamma": 5.0, "debiased": True, "scale_velocity_loss": True})
    alpha_bar = torch.tensor([0.0])
    assert objective.weights(settings, alpha_bar, "v_prediction").isfinite().all()
    assert objective.huber_thresholds(settings, torch.tensor([999]), alpha_bar, 1000).tolist() == pytest.approx([0.1])


def test_weights_must_suit_what_the_model_predicts() -> None:
    objective.require_suited(Objective(scale_velocity_loss=True), "v_prediction")
    objective.require_suited(Objective(velocity_like_loss=0.5), "epsilon")
    with pytest.raises(UserError, match="scale_velocity_loss is not for a model that predicts"):
        objective.require_suited(Objective(scale_velocity_loss=True), "epsilon")
    with pytest.raises(UserError, match="velocity_like_loss is not for a model that predicts"):
        objective.require_suited(Objective(velocity_like_loss=0.5), "v_prediction")
