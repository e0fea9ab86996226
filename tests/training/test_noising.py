"""The noise of a step against values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sdtui.profile.schema import Objective
from sdtui.training import noising
from sdtui.training.randomness import Source

SOURCE = Source(7, 3, [0, 1, 2])
LATENTS = torch.zeros(3, 4, 8, 8)


def drawn(latents: torch.Tensor = LATENTS, source: Source = SOURCE, **settings: Any) -> noising.Noise:
    return noising.draw_noise(Objective.model_validate(settings), source, latents)


def test_plain_noise_is_one_tensor_for_both_uses() -> None:
    noise = drawn()
    assert noise.added is noise.target
    assert noise.moved(torch.clone).added is not noise.target
    moved = noise.moved(torch.clone)
    assert moved.added is moved.target


def test_offset_noise_shifts_a_whole_channel() -> None:
    noise = torch.tensor([[[[0.0, 1.0]], [[2.0, 3.0]]]])  # (1, 2, 1, 2)
    shifted = noising.offset_noise(noise, torch.tensor([[[[10.0]], [[-10.0]]]]), 0.1)
    assert shifted.flatten().tolist() == [1.0, 2.0, 1.0, 2.0]


def test_the_strength_of_the_offset_follows_each_channels_mean() -> None:
    latents = torch.tensor([[[[1.0, 3.0]], [[-4.0, 0.0]]]])  # means 2 and -2
    strength = noising.offset_strength(latents, torch.tensor([0.1]), 0.5)
    assert strength.flatten().tolist() == pytest.approx([1.1, 1.1])
    assert noising.offset_strength(latents, torch.tensor([0.1]), -0.5).flatten().tolist() == [0.0, 0.0]


def test_the_offset_of_a_step_is_the_same_within_a_channel() -> None:
    difference = drawn(noise_offset=0.5).target - drawn().target
    expected = 0.5 * SOURCE.normal((4, 1, 1), "noise offset").expand(3, 4, 8, 8)
    assert torch.allclose(difference, expected, atol=1e-6)


def test_a_random_offset_is_weaker_and_differs_by_image() -> None:
    full = drawn(noise_offset=0.5).target - drawn().target
    part = drawn(noise_offset=0.5, noise_offset_random=True).target - drawn().target
    shares = (part / full)[:, 0, 0, 0].tolist()
    assert shares == pytest.approx(SOURCE.uniform("noise offset strength").tolist(), abs=1e-4)
    assert len(set(shares)) == 3


def test_an_adaptive_offset_needs_brightness() -> None:
    assert torch.equal(drawn(noise_offset_adaptive=0.5).target, drawn().target)
    assert not torch.equal(drawn(LATENTS + 1, noise_offset_adaptive=0.5).target, drawn().target)


def test_levels_shrink_until_a_side_is_one() -> None:
    assert noising.pyramid_sizes(64, 48, [2.0, 2.0, 3.0]) == [(64, 48), (32, 24), (7, 5)]
    assert noising.pyramid_sizes(8, 4, [4.0, 4.0, 4.0]) == [(8, 4), (2, 1)]


def test_levels_are_enlarged_added_and_scaled_to_deviation_one() -> None:
    noise = torch.tensor([[[0.0, 2.0], [4.0, 6.0]]])
    levels = [torch.ones(1, 2, 2), torch.full((1, 1, 1), 8.0)]
    # 0…6 + 1 + 8 * 0.5 = 5, 7, 9, 11 with the unbiased deviation √(20 / 3)
    expected = [value / (20 / 3) ** 0.5 for value in (5, 7, 9, 11)]
    assert noising.pyramid_noise(noise, levels, 0.5).flatten().tolist() == pytest.approx(expected)


def test_pyramid_noise_is_smoother_and_as_strong() -> None:
    def neighbours(noise: torch.Tensor) -> float:
        return (noise[..., 1:] * noise[..., :-1]).mean().item()

    latents = torch.zeros(8, 4, 32, 32)
    source = Source(1, 1, range(8))
    plain, laid = (drawn(latents, source, multires_iterations=n, multires_discount=0.8).target for n in (0, 6))
    assert laid.std(dim=(1, 2, 3)).tolist() == pytest.approx([1.0] * 8, abs=1e-5)
    assert neighbours(laid) > neighbours(plain) + 0.2


def test_perturbation_is_on_the_input_alone() -> None:
    noise = drawn(input_perturbation=0.1)
    assert torch.equal(noise.target, drawn().target)
    expected = 0.1 * SOURCE.normal((4, 8, 8), "input perturbation")
    assert torch.allclose(noise.added - noise.target, expected, atol=1e-6)


def test_a_random_perturbation_differs_by_image() -> None:
    noise = drawn(input_perturbation=0.1, input_perturbation_random=True)
    full = drawn(input_perturbation=0.1)
    shares = ((noise.added - noise.target) / (full.added - full.target))[:, 0, 0, 0].tolist()
    assert shares == pytest.approx(SOURCE.uniform("input perturbation strength").tolist(), abs=1e-3)


def test_how_a_step_is_cut_into_batches_changes_no_noise() -> None:
    settings: dict[str, Any] = {
        "noise_offset": 0.1,
        "noise_offset_random": True,
        "multires_iterations": 4,
        "input_perturbation": 0.1,
        "input_perturbation_random": True,
    }
    whole = drawn(**settings)
    last = drawn(LATENTS[2:], Source(7, 3, [2]), **settings)
    assert torch.equal(whole.added[2:], last.added)
    assert torch.equal(whole.target[2:], last.target)
