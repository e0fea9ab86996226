"""The formulas of diffusion training against values worked out by hand."""

from __future__ import annotations

import pytest
import torch

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


def test_offset_noise_shifts_a_whole_channel() -> None:
    noise = torch.tensor([[[[0.0, 1.0]], [[2.0, 3.0]]]])  # (1, 2, 1, 2)
    shifted = objective.offset_noise(noise, torch.tensor([[[[10.0]], [[-10.0]]]]), 0.1)
    assert shifted.flatten().tolist() == [1.0, 2.0, 1.0, 2.0]


def test_no_offset_leaves_the_noise_alone() -> None:
    noise = maps(1.0)
    assert objective.offset_noise(noise, maps(5.0), 0.0) is noise


def test_latents_are_sampled_from_mean_and_std() -> None:
    assert objective.sample_latents(maps(1.0), maps(0.5), maps(-2.0)).item() == 0.0


def test_loss_is_one_weighted_number_per_sample() -> None:
    prediction = torch.tensor([[[[1.0, 3.0]]], [[[0.0, 0.0]]]])
    wanted = torch.tensor([[[[0.0, 1.0]]], [[[2.0, 0.0]]]])
    # (1 + 4) / 2 and (4 + 0) / 2 * 0.5
    assert objective.loss(prediction, wanted, torch.tensor([1.0, 0.5])).tolist() == [2.5, 1.0]


def test_loss_is_computed_in_float32_for_half_precision_predictions() -> None:
    prediction = torch.full((1, 1, 1, 1), 300.0, dtype=torch.float16)  # its square overflows float16
    assert objective.loss(prediction, maps(0.0), torch.ones(1)).tolist() == [90000.0]
