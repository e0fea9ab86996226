"""Which number format "auto" comes to on a processor."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.models.configs import read_config
from sdtui.profile.precision import on_processor
from sdtui.profile.schema import Profile
from sdtui.profile.size import unet_values

BF16 = frozenset({"avx512f", "avx512_bf16"})


def profile(resolution: int, batch: int = 1) -> Profile:
    return Profile.model_validate(
        {
            "model": {"base": "/no/such/model"},
            "dataset": {"resolution": resolution},
            "training": {"steps": 1, "batch_size": batch},
        }
    )


def unet(*channels: int) -> dict[str, dict[str, Any]]:
    return {"unet": {**read_config("sd1", "unet"), "block_out_channels": list(channels), "cross_attention_dim": 256}}


def test_the_values_of_the_unet_of_stable_diffusion_are_counted() -> None:
    assert unet_values(profile(512), {"unet": read_config("sd1", "unet")}) == 859_520_964
    assert unet_values(profile(512), {}) is None


@pytest.mark.parametrize(
    ("channels", "resolution", "batch", "chosen"),
    [
        ((32, 64, 64, 64), 128, 1, "fp32"),
        ((64, 128, 256, 256), 128, 1, "fp32"),
        ((64, 128, 256, 256), 128, 16, "fp32"),
        ((64, 128, 256, 256), 256, 1, "bf16"),
        ((320, 640, 1280, 1280), 256, 1, "bf16"),
    ],
)
def test_bf16_is_chosen_where_it_is_faster(channels: tuple[int, ...], resolution: int, batch: int, chosen: str) -> None:
    assert on_processor(profile(resolution, batch), unet(*channels), BF16) == chosen


def test_a_processor_that_must_convert_it_computes_in_fp32() -> None:
    assert on_processor(profile(512), unet(320, 640, 1280, 1280), frozenset({"avx512f"})) == "fp32"


def test_a_model_that_is_yet_to_be_downloaded_is_taken_for_a_large_one() -> None:
    assert on_processor(profile(512), {}, BF16) == "bf16"
