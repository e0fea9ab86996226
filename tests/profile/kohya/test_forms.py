"""kohya_ss's JSON: its names, its zeros, and its fields that decide about others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.profile.kohya.draft import Draft
from sdtui.profile.schema import Profile
from tests.profile.kohya.helpers import taken


def form(folder: Path, **fields: Any) -> tuple[Draft, Profile]:
    return taken(folder, json.dumps({"LoRA_type": "Standard", **fields}), "form.json")


def test_without_steps_the_epochs_count(tmp_path: Path) -> None:
    _, profile = form(tmp_path, epoch=6, max_train_steps=0, max_train_epochs="")
    assert (profile.training.epochs, profile.training.steps) == (6, None)
    draft, profile = form(tmp_path, epoch=6, max_train_steps="900")
    assert (profile.training.epochs, profile.training.steps) == (None, 900)
    assert [(left.kohya, left.reason) for left in draft.left] == [("epoch", "has no effect beside the other options")]


def test_the_warm_up_is_per_cent_unless_steps_are_given(tmp_path: Path) -> None:
    draft, profile = form(tmp_path, lr_scheduler="cosine", lr_warmup="10", lr_warmup_steps=0)
    assert profile.schedule.warmup == 0.1
    assert ("lr_warmup", "schedule.warmup") in {(one.kohya, one.key) for one in draft.mapped}
    _, profile = form(tmp_path, lr_scheduler="cosine", lr_warmup="10", lr_warmup_steps=25)
    assert profile.schedule.warmup == 25


@pytest.mark.parametrize(("kind", "expected"), [("Original", (0.05, 0)), ("Multires", (0.0, 6))])
def test_only_the_chosen_noise_counts(kind: str, expected: tuple[float, int], tmp_path: Path) -> None:
    _, profile = form(tmp_path, noise_offset_type=kind, noise_offset="0.05", multires_noise_iterations=6)
    assert (profile.objective.noise_offset, profile.objective.multires_iterations) == expected


@pytest.mark.parametrize(
    ("rates", "text_encoder", "rate"),
    [
        ({"learning_rate": 1e-3, "unet_lr": 1e-4, "text_encoder_lr": 5e-5}, True, 1e-4),
        ({"learning_rate": 1e-3, "unet_lr": "0.0001", "text_encoder_lr": "0"}, False, 1e-4),
        ({"learning_rate": 1e-3, "unet_lr": 0, "text_encoder_lr": 5e-5}, True, 5e-5),
        ({"learning_rate": 1e-3, "unet_lr": 0, "text_encoder_lr": 0}, True, 1e-3),
    ],
)
def test_a_rate_of_zero_leaves_that_part_out(
    rates: dict[str, Any], text_encoder: bool, rate: float, tmp_path: Path
) -> None:
    _, profile = form(tmp_path, **rates)
    assert (profile.method.text_encoder, profile.optimizer.learning_rate) == (text_encoder, rate)
    only_text = rates["unet_lr"] == 0 and rates["text_encoder_lr"] != 0
    assert ("down_blocks" in profile.optimizer.block_rates) is only_text


@pytest.mark.parametrize(
    ("kind", "algorithm", "targets"),
    [
        ("Standard", "lora", 3),
        ("Kohya LoCon", "lora", 4),
        ("LyCORIS/LoCon", "lora", 5),
        ("LyCORIS/LoHa", "loha", 5),
        ("LyCORIS/Diag-OFT", "oft", 5),
        ("LyCORIS/Native Fine-Tuning", "full", 5),
    ],
)
def test_kinds_of_lora(kind: str, algorithm: str, targets: int, tmp_path: Path) -> None:
    _, profile = form(tmp_path, LoRA_type=kind, conv_dim=8, conv_alpha=4, LyCORIS_preset="full", dora_wd=False)
    assert (profile.method.algorithm, len(profile.method.targets)) == (algorithm, targets)
    assert profile.method.conv_rank == (0 if kind == "Standard" else 8)


def test_a_kind_there_is_not(tmp_path: Path) -> None:
    draft, profile = form(tmp_path, LoRA_type="LyCORIS/GLoRA")
    assert profile.method.algorithm == "lora"
    assert "there is no glora: a plain LoRA is trained in its place" in draft.warnings


def test_lokr_s_rank_without_bound_is_the_whole_matrix(tmp_path: Path) -> None:
    _, profile = form(tmp_path, LoRA_type="LyCORIS/LoKr", network_dim=100000, conv_dim=100000, factor=6)
    assert (profile.method.full_matrix, profile.method.factor) == (True, 6)


def test_free_text_of_options_is_read(tmp_path: Path) -> None:
    text = '--lr_scheduler_type "CosineAnnealingLR" --lr_scheduler_args "T_max=1000" "eta_min=0" --network_train_unet_only --seed=5'
    draft, profile = form(tmp_path, additional_parameters=text, lr_scheduler="cosine")
    assert (profile.training.seed, profile.method.text_encoder) == (5, False)
    assert "lr_scheduler_type CosineAnnealingLR is not loaded: cosine in its place" in draft.warnings
    assert {left.kohya for left in draft.left} == {"lr_scheduler_type", "lr_scheduler_args"}
    draft, _ = form(tmp_path, additional_parameters='--seed "5')
    assert draft.warnings == ['additional_parameters cannot be read: --seed "5', *draft.warnings[1:]]


def test_prompts_stand_in_the_form(tmp_path: Path) -> None:
    draft, profile = form(tmp_path, sample_prompts="a cat --w 512 --h 640 --s 25\n# no\n", sample_every_n_steps=50)
    assert profile.previews.prompts == ("a cat --w 512 --h 640 --s 25",)
    assert draft.warnings == ["no resolution: kohya would stop, here it is 512"]


def test_windows_paths_are_told(tmp_path: Path) -> None:
    draft, _ = form(
        tmp_path, pretrained_model_name_or_path="D:\\sd\\v1-5", train_data_dir="C:/img", max_resolution="512"
    )
    assert draft.warnings == [
        "model.base: D:\\sd\\v1-5 is a path on Windows; write where that is on this machine",
        "dataset.folders[0].path: C:/img is a path on Windows; write where that is on this machine",
    ]


def test_options_of_other_models_that_say_no_are_not_mentioned(tmp_path: Path) -> None:
    draft, _ = form(tmp_path, flux1_checkbox=False, t5xxl="", split_mode=False, guidance_scale=3.5, xformers="sdpa")
    told = [(left.kohya, left.reason, left.quiet) for left in draft.left]
    assert told == [
        ("guidance_scale", "an option of Flux.1", True),
        ("sdpa", "PyTorch's own attention is always used (sdpa)", True),
    ]


@pytest.mark.parametrize(
    ("theirs", "ours", "warnings"),
    [
        ("k_dpm_2_a", "dpm_2_a", []),
        ("dpmsingle", "dpmsingle", []),
        ("k_lms", "euler", ["there is no sampler k_lms: previews are drawn with euler"]),
    ],
)
def test_samplers(tmp_path: Path, theirs: str, ours: str, warnings: list[str]) -> None:
    draft, profile = taken(tmp_path, f'pretrained_model_name_or_path = "m"\nsample_sampler = "{theirs}"\n')
    assert profile.previews.sampler == ours
    assert [each for each in draft.warnings if "sampler" in each] == warnings
