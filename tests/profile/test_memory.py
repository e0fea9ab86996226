"""How much memory a run will need, counted from configs."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.models.configs import read_config
from sdtui.profile import memory
from sdtui.profile.memory import Kept, Memory, estimate, vae_values
from sdtui.profile.schema import Profile
from sdtui.profile.sites import unet_sites

SD1 = {part: read_config("sd1", part) for part in ("unet", "vae", "text_encoder")}


def told(side: int = 512, parts: Any = SD1, **sections: dict[str, Any]) -> Memory:
    training = {"steps": 1, "device": "cpu", "precision": "fp32", **sections.pop("training", {})}
    profile = Profile.model_validate({"model": {"base": "/none"}, "training": training, **sections})
    found = estimate(profile, [(64, 64), (side, side)], parts)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("side", "everything", "checkpointed"), [(256, 116_882_912, 19_353_984), (512, 460_919_168, 76_632_192)]
)
def test_kept_values_are_those_that_autograd_keeps(side: int, everything: int, checkpointed: int) -> None:
    """Expected: the storages that `saved_tensors_hooks` sees of SD 1.5's UNet with a LoRA of rank 8, torch 2.13."""
    kept = Kept.of(unet_sites(SD1["unet"]), (side, side), 4)
    assert kept.all == pytest.approx(everything, rel=0.02)
    assert kept.checkpointed == pytest.approx(checkpointed, rel=0.07)


def test_a_wide_bucket_keeps_as_much_as_a_tall_one() -> None:
    sites = unet_sites(SD1["unet"])
    assert Kept.of(sites, (768, 512), 4) == Kept.of(sites, (512, 768), 4)
    # The deepest states of 576 px are 9 places wide, not 72 / 8 rounded down further.
    assert Kept.of(sites, (576, 512), 4).all == pytest.approx(1.125 * Kept.of(sites, (512, 512), 4).all, rel=1e-3)


def test_weights_are_counted_as_they_are_loaded() -> None:
    # UNet 859.5 M, text encoder 123.1 M, VAE 83.7 M.
    assert told().frozen == pytest.approx(4 * (859_520_964 + 123_060_480 + 83_653_863), rel=1e-3)
    half = told(training={"precision": "bf16"})
    assert half.frozen == pytest.approx(2 * 859_520_964 + 4 * (123_060_480 + 83_653_863), rel=1e-3)
    assert half.activations * 2 == told().activations


def test_the_vae_is_counted() -> None:
    assert vae_values(SD1["vae"]) == pytest.approx(83_653_863, rel=0.002)
    assert vae_values({}) == 0


def test_what_is_learned_is_kept_four_times_by_adam() -> None:
    values = 6_782_976  # of a LoRA of rank 16: 192 modules, twice those of kohya's file of rank 8
    adam = told(method={"rank": 16, "alpha": 16.0})
    assert adam.trained == 16 * values
    averaged = told(method={"rank": 16, "alpha": 16.0}, training={"ema_decay": 0.9})
    assert averaged.trained == 20 * values
    eight = told(method={"rank": 16, "alpha": 16.0}, optimizer={"name": "adamw8bit"})
    assert eight.trained == 10 * values


@pytest.mark.parametrize(
    ("sections", "ratio"),
    [
        ({"training": {"batch_size": 4}}, 4.0),
        ({"prior": {"class_caption": "a house"}}, 2.0),
        ({"training": {"gradient_checkpointing": True}}, 0.158),
    ],
)
def test_what_changes_activations(sections: dict[str, Any], ratio: float) -> None:
    assert told(**sections).activations == pytest.approx(ratio * told().activations, rel=1e-2)


def test_encoding_images_may_need_more_than_the_step() -> None:
    small = {"training": {"gradient_checkpointing": True, "precision": "bf16"}}
    found = told(1024, **small)
    assert found.activations + found.working >= 3 * 4 * 128 * 1024 * 1024


def test_on_a_gpu_libraries_and_the_heap_do_not_count() -> None:
    found = told(training={"device": "cuda"})
    assert (found.device, found.programs) == ("GPU", 0)
    assert found.working < told().working


def test_auto_is_counted_as_it_will_be_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "processor_flags", lambda: frozenset({"avx512_bf16"}))
    half, whole = told(training={"precision": "bf16"}), told()
    assert told(training={"precision": "auto"}) == half
    monkeypatch.setattr(memory, "processor_flags", frozenset)
    assert told(training={"precision": "auto"}) == whole


def test_a_model_whose_configs_cannot_be_read_is_not_guessed() -> None:
    profile = Profile.model_validate({"model": {"base": "/none"}, "training": {"steps": 1}})
    assert estimate(profile, [(64, 64)], {}) is None
