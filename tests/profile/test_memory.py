"""How much memory a run will need, counted from configs."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.models.configs import read_config
from sdtui.profile import memory
from sdtui.profile.memory import Memory, estimate, images_at_once, vae_values
from sdtui.profile.schema import Profile

SD1 = {part: read_config("sd1", part) for part in ("unet", "vae", "text_encoder")}


def told(side: int = 512, parts: Any = SD1, **sections: dict[str, Any]) -> Memory:
    training = {"steps": 1, "device": "cpu", "precision": "fp32", **sections.pop("training", {})}
    profile = Profile.model_validate({"model": {"base": "/none"}, "training": training, **sections})
    found = estimate(profile, [(64, 64), (side, side)], parts)
    assert found is not None
    return found


UNET, TEXT, VAE = 859_520_964, 123_060_480, 83_653_863


def test_weights_are_counted_as_they_are_kept() -> None:
    assert told().frozen == pytest.approx(4 * UNET, rel=1e-3)
    half = told(training={"precision": "bf16"})
    assert half.frozen == pytest.approx(2 * UNET, rel=1e-3)
    assert half.activations * 2 == told().activations


@pytest.mark.parametrize(
    ("kept", "bytes_each"), [("8bit", 1.0), ("4bit", 0.5 + 4 / 64)], ids=["8 bits", "4 bits and scales"]
)
def test_a_quantised_base_is_counted_by_its_bits(kept: str, bytes_each: float) -> None:
    # The ends and the timestep's layers, 2.1 M, are kept whole.
    found = told(training={"precision": "bf16", "base_precision": kept})
    assert found.frozen == pytest.approx(bytes_each * (UNET - 2_100_000) + 2 * 2_100_000, rel=0.01)
    # It is never in memory as a whole.
    assert found.bytes - found.programs - found.activations < 2 * UNET
    assert told(training={"device": "cuda", "base_precision": kept}).bytes < told(training={"device": "cuda"}).bytes


@pytest.mark.parametrize(
    "sections",
    [{"method": {"text_encoder": True}}, {"captions": {"shuffle": True}}],
    ids=["it learns", "texts are drawn"],
)
def test_text_encoders_that_steps_ask_are_counted(sections: dict[str, Any]) -> None:
    assert told(**sections).frozen - told().frozen == pytest.approx(4 * TEXT, rel=1e-3)


def test_a_folder_whose_captions_are_drawn_has_the_text_encoder_asked() -> None:
    folders = [{"path": "a"}, {"path": "b", "caption_shuffle": True}]
    assert told(dataset={"folders": folders}).frozen > told(dataset={"folders": [{"path": "a"}]}).frozen


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
        ({"method": {"algorithm": "full"}}, 1.533),
        ({"training": {"gradient_checkpointing": True}}, 0.158),
    ],
)
def test_what_changes_activations(sections: dict[str, Any], ratio: float) -> None:
    assert told(**sections).activations == pytest.approx(ratio * told().activations, rel=1e-2)


def test_encoding_images_may_need_more_than_the_step() -> None:
    small = {"training": {"gradient_checkpointing": True, "precision": "bf16"}}
    found = told(1024, **small)
    # The UNet in bf16, the VAE in fp32 and three maps of 128 channels.
    assert found.bytes - found.programs >= 2 * UNET + 4 * VAE + 3 * 4 * 128 * 1024 * 1024


def test_images_that_are_encoded_side_by_side_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three maps of 128 channels in fp32: of each image of 256 px that a thread encodes."""
    for larger in ("_activations", "_working", "_loading"):
        monkeypatch.setattr(memory, larger, lambda *_, **__: 0)

    def needed(threads: int, device: str = "cpu") -> int:
        return told(256, training={"base_precision": "4bit", "threads": threads, "device": device}).bytes

    assert needed(4) - needed(2) == 2 * 3 * 4 * 128 * 256 * 256
    assert needed(16) == needed(4)
    assert needed(4, "cuda") == needed(1, "cuda")


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


def test_fewer_images_at_once_keep_less() -> None:
    profile = Profile.model_validate({"model": {"base": "/none"}, "training": {"steps": 1, "batch_size": 8}})
    whole, half = (estimate(profile, [(512, 512)], SD1, images=images) for images in (8, 4))
    assert whole is not None
    assert half is not None
    assert whole == estimate(profile, [(512, 512)], SD1)
    assert half.activations * 2 == whole.activations


def at_once(room: int, device: str = "cpu", launch: int = 1, **training: Any) -> int:
    given = {"steps": 1, "batch_size": 8, "device": device, "precision": "fp32", **training}
    profile = Profile.model_validate({"model": {"base": "/none"}, "training": given, "launch": {"processes": launch}})
    return images_at_once(profile, (512, 512), SD1, room)


def test_as_many_images_are_taken_at_once_as_fit() -> None:
    needed = {images: told(training={"batch_size": images}).bytes for images in (1, 3, 8)}
    assert at_once(int(needed[8] / 0.9) + 1) == 8
    assert at_once(int(needed[3] / 0.9) + 1) == 3
    assert at_once(int(needed[1] / 2)) == 1
    assert at_once(2 * int(needed[3] / 0.9) + 2, launch=2) == 3


def test_what_the_profile_says_is_taken_and_a_gpu_finds_out_itself() -> None:
    assert at_once(1, at_once=5) == 5
    assert at_once(1 << 50, at_once=5) == 5
    assert at_once(1 << 50, at_once=50) == 8
    assert at_once(1, device="cuda") == 8


def test_where_nothing_can_be_counted_a_batch_stays_whole() -> None:
    training = {"steps": 1, "batch_size": 8, "device": "cpu"}
    profile = Profile.model_validate({"model": {"base": "/none"}, "training": training})
    assert images_at_once(profile, (512, 512), {}, 1) == 8


FULL = {"kind": "full"}


def test_a_whole_model_is_kept_four_times_by_adam() -> None:
    found = told(method=FULL)
    assert found.frozen == 0
    assert found.trained == pytest.approx(16 * UNET, rel=1e-3)
    with_text = told(method={"kind": "full", "text_encoder": True})
    assert with_text.trained == pytest.approx(16 * (UNET + TEXT), rel=1e-3)
    assert with_text.frozen == 0


def test_of_a_whole_model_in_bf16_weights_stay_fp32_and_a_step_casts_them() -> None:
    half = told(method=FULL, training={"precision": "bf16", "device": "cuda"})
    assert half.frozen == 0
    assert half.trained == told(method=FULL).trained
    # What is encoded before is less than that: text and VAE lie beside the weights, without gradients or moments.
    plain = told(training={"precision": "bf16", "device": "cuda", "batch_size": 4})
    assert told(
        method=FULL, training={"precision": "bf16", "device": "cuda", "batch_size": 4}
    ).working == pytest.approx(plain.working + 2 * UNET, rel=0.02)


def test_of_a_whole_model_what_is_frozen_is_counted_once_and_answers_as_before_need_a_copy() -> None:
    part = told(method={"kind": "full", "include": ["*.attn2.*"]})
    values = part.trained // 16
    assert part.frozen == pytest.approx(4 * (UNET - values), rel=1e-3)
    kept = told(method=FULL, prior={"class_caption": "a house"})
    assert kept.trained == pytest.approx(20 * UNET, rel=1e-3)


def test_gradients_that_are_applied_one_by_one_are_never_all_there() -> None:
    fused = told(method=FULL, training={"fused_backward": True})
    # The largest weight is that of a convolution from 2560 to 1280 channels.
    assert fused.trained == pytest.approx(12 * UNET + 4 * 9 * 2560 * 1280, rel=1e-3)
    few = {"kind": "full", "include": ["mid_block.attentions.0.norm"]}
    assert told(method=few, training={"fused_backward": True}).trained == told(method=few).trained


def test_a_whole_model_keeps_what_lora_keeps_of_a_step() -> None:
    assert told(method=FULL).activations == told(method={"rank": 1}).activations


def test_words_ask_the_text_encoder_and_keep_its_states_and_next_to_nothing_else() -> None:
    toy = {"kind": "textual-inversion", "words": [{"name": "toy", "vectors": 4}]}
    alone, adapter = told(method=toy), told()
    assert alone.trained == 4 * 768 * (8 + 8)
    assert alone.frozen == pytest.approx(4 * (UNET + TEXT), rel=1e-3)
    # 12 layers of 77 × 768 values, 14 of each; the UNet keeps no inputs of weights that do not learn.
    text = 4 * 14 * 77 * 768 * 12
    assert alone.activations - text < 0.85 * adapter.activations
    assert told(method={"words": [{"name": "toy"}]}).activations == adapter.activations + text
