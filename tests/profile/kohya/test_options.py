"""The table: every option of the scripts' parsers is in it, and every one that becomes a setting does so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.profile.kohya.option import Option
from sdtui.profile.kohya.options import BY_GUI, FAMILY_MARKS, GROUPS, OPTIONS
from sdtui.profile.settings import BY_KEY
from tests.profile.kohya.helpers import FILES, taken


def names(file: str) -> list[str]:
    return (FILES / file).read_text(encoding="utf-8").split()


# The options of train_network.py and their defaults, as its parser gave them (sd-scripts 48d368f).
TRAIN_NETWORK: dict[str, Any] = json.loads((FILES / "train_network_defaults.json").read_text(encoding="utf-8"))
# What a dataset TOML may hold besides (library/config_util.py).
DATASET = names("options_dataset.txt")
# What train_db.py, fine_tune.py, train_textual_inversion.py and the SDXL scripts have besides.
OTHER_SCRIPTS = names("options_other_scripts.txt")

# For each option that becomes a setting: a config that gives it, and what the profile holds then.
FOLDER = 'train_data_dir = "a"'
WORD = 'token_string = "my-cat"\nuse_object_template = true'
LYCORIS = 'network_module = "lycoris.kohya"\nnetwork_args = '
EXAMPLES: dict[str, tuple[str, str, Any]] = {
    "pretrained_model_name_or_path": ('pretrained_model_name_or_path = "/m"', "model.base", "/m"),
    "vae": ('vae = "/v"', "model.vae", "/v"),
    "v_parameterization": ("v_parameterization = true", "objective.prediction", "v_prediction"),
    "network_module": ('network_module = "networks.lokr"', "method.algorithm", "lokr"),
    "network_dim": ("network_dim = 8", "method.rank", 8),
    "network_alpha": ("network_alpha = 8", "method.alpha", 8.0),
    "network_dropout": ("network_dropout = 0.2", "method.dropout", 0.2),
    "network_train_unet_only": ("network_train_unet_only = true", "method.text_encoder", False),
    "network_train_text_encoder_only": (
        "network_train_text_encoder_only = true",
        "optimizer.block_rates",
        {"down_blocks": 0.0, "mid_block": 0.0, "up_blocks": 0.0},
    ),
    "network_weights": ('network_weights = "/w.safetensors"', "method.continue_from", "/w.safetensors"),
    "lora_network_weights": ('lora_network_weights = "/w.safetensors"', "method.continue_from", "/w.safetensors"),
    "scale_weight_norms": ("scale_weight_norms = 1", "method.scale_weight_norms", 1.0),
    "train_text_encoder": ("sdxl = true\ntrain_text_encoder = true", "method.text_encoder", True),
    "learning_rate_te": ("learning_rate_te = 1e-6", "optimizer.text_encoder_learning_rate", 1e-6),
    "learning_rate_te1": (
        "train_text_encoder = true\nlearning_rate_te1 = 1e-6",
        "optimizer.text_encoder_learning_rate",
        1e-6,
    ),
    "stop_text_encoder_training": ("stop_text_encoder_training = 500", "optimizer.stops", {"text_encoder": 500}),
    "stop_text_encoder_training_pct": (
        "stop_text_encoder_training_pct = 50",
        "optimizer.stops",
        {"text_encoder": 0.5},
    ),
    "token_string": (WORD, "method.words[0].name", "my-cat"),
    "init_word": (f'{WORD}\ninit_word = "cat"', "method.words[0].init", "cat"),
    "num_vectors_per_token": (f"{WORD}\nnum_vectors_per_token = 3", "method.words[0].vectors", 3),
    "weights": (f'{WORD}\nweights = "/w.pt"', "method.words[0].continue_from", "/w.pt"),
    "use_object_template": (WORD, "captions.template", "subject"),
    "use_style_template": ('token_string = "my-cat"\nuse_style_template = true', "captions.template", "style"),
    "template": ('token_string = "my-cat"\ntemplate = "style template"', "captions.template", "style"),
    "fused_backward_pass": (
        "fused_backward_pass = true\nmax_grad_norm = 0\noptimizer_type = 'Adafactor'",
        "training.fused_backward",
        True,
    ),
    "train_data_dir": (FOLDER, "dataset.folders[0].layout", "kohya"),
    "reg_data_dir": (f'{FOLDER}\nreg_data_dir = "r"', "dataset.folders[1].regularization", True),
    "image_folder": ('image_folder = "a"', "dataset.folders[0].layout", "flat"),
    "resolution": ('resolution = "640"', "dataset.resolution", 640),
    "enable_bucket": ("enable_bucket = true", "dataset.buckets", "compat"),
    "bucket_no_upscale": ("enable_bucket = true\nbucket_no_upscale = true", "dataset.bucket_upscale", False),
    "bucket_reso_steps": ("enable_bucket = true\nbucket_reso_steps = 32", "dataset.bucket_step", 32),
    "min_bucket_reso": ("enable_bucket = true\nmin_bucket_reso = 320", "dataset.bucket_min", 320),
    "max_bucket_reso": ("enable_bucket = true\nmax_bucket_reso = 768", "dataset.bucket_max", 768),
    "prior_loss_weight": ("prior_loss_weight = 0.5", "prior.weight", 0.5),
    "flip_aug": ("flip_aug = true", "augment.flip", True),
    "random_crop": ("random_crop = true", "augment.crop", "random"),
    "color_aug": ("color_aug = true", "augment.hue", 0.044),
    "caption_extension": ('caption_extension = ".tags"', "captions.extension", ".tags"),
    "caption_extention": ('caption_extention = ".tags"', "captions.extension", ".tags"),
    "shuffle_caption": ("shuffle_caption = true", "captions.shuffle", True),
    "caption_separator": ('caption_separator = "|"', "captions.separator", "|"),
    "keep_tokens": ("keep_tokens = 2", "captions.keep_tokens", 2),
    "keep_tokens_separator": ('keep_tokens_separator = "|||"', "captions.keep_separator", "|||"),
    "secondary_separator": ('secondary_separator = ";;;"', "captions.secondary_separator", ";;;"),
    "enable_wildcard": ("enable_wildcard = true", "captions.lines", "random"),
    "caption_prefix": ('caption_prefix = "a,"', "captions.prefix", "a, "),
    "caption_suffix": ('caption_suffix = "b"', "captions.suffix", " b"),
    "caption_dropout_rate": ("caption_dropout_rate = 0.1", "captions.dropout", 0.1),
    "caption_dropout_every_n_epochs": ("caption_dropout_every_n_epochs = 5", "captions.dropout_every", 5),
    "caption_tag_dropout_rate": ("caption_tag_dropout_rate = 0.2", "captions.tag_dropout", 0.2),
    "token_warmup_min": ("token_warmup_min = 3", "captions.token_warmup_min", 3),
    "token_warmup_step": ("token_warmup_step = 0.25", "captions.token_warmup", 0.25),
    "weighted_captions": ("weighted_captions = true", "captions.weighted", True),
    "max_token_length": ("max_token_length = 225", "captions.max_tokens", 225),
    "clip_skip": ("clip_skip = 2", "captions.clip_skip", 2),
    "max_train_steps": ("max_train_steps = 900", "training.steps", 900),
    "max_train_epochs": ("max_train_epochs = 9", "training.epochs", 9),
    "train_batch_size": ("train_batch_size = 4", "training.batch_size", 4),
    "gradient_accumulation_steps": ("gradient_accumulation_steps = 3", "training.accumulation", 3),
    "mixed_precision": ('mixed_precision = "bf16"', "training.precision", "bf16"),
    "seed": ("seed = 9", "training.seed", 9),
    "max_grad_norm": ("max_grad_norm = 0", "training.clip_norm", 0.0),
    "torch_compile": ("torch_compile = true", "training.compile", True),
    "fp8_base": ("fp8_base = true", "training.base_precision", "8bit"),
    "gradient_checkpointing": ("gradient_checkpointing = true", "training.gradient_checkpointing", True),
    "noise_offset": ("noise_offset = 0.1", "objective.noise_offset", 0.1),
    "noise_offset_random_strength": ("noise_offset_random_strength = true", "objective.noise_offset_random", True),
    "adaptive_noise_scale": ("adaptive_noise_scale = 0.01", "objective.noise_offset_adaptive", 0.01),
    "multires_noise_iterations": ("multires_noise_iterations = 6", "objective.multires_iterations", 6),
    "multires_noise_discount": ("multires_noise_discount = 0.2", "objective.multires_discount", 0.2),
    "ip_noise_gamma": ("ip_noise_gamma = 0.1", "objective.input_perturbation", 0.1),
    "ip_noise_gamma_random_strength": (
        "ip_noise_gamma_random_strength = true",
        "objective.input_perturbation_random",
        True,
    ),
    "zero_terminal_snr": ("zero_terminal_snr = true", "objective.zero_terminal_snr", True),
    "min_timestep": ("min_timestep = 100", "objective.timestep_min", 100),
    "max_timestep": ("max_timestep = 900", "objective.timestep_max", 900),
    "loss_type": ('loss_type = "huber"', "objective.loss", "huber"),
    "huber_schedule": ('huber_schedule = "constant"', "objective.huber_schedule", "constant"),
    "huber_c": ("huber_c = 0.2", "objective.huber_c", 0.2),
    "huber_scale": ("huber_scale = 2", "objective.huber_scale", 2.0),
    "min_snr_gamma": ("min_snr_gamma = 5", "objective.min_snr_gamma", 5.0),
    "scale_v_pred_loss_like_noise_pred": (
        "v_parameterization = true\nscale_v_pred_loss_like_noise_pred = true",
        "objective.scale_velocity_loss",
        True,
    ),
    "v_pred_like_loss": ("v_pred_like_loss = 0.3", "objective.velocity_like_loss", 0.3),
    "debiased_estimation_loss": ("debiased_estimation_loss = true", "objective.debiased", True),
    "optimizer_type": ('optimizer_type = "Lion"', "optimizer.name", "lion"),
    "use_8bit_adam": ("use_8bit_adam = true", "optimizer.name", "adamw8bit"),
    "use_lion_optimizer": ("use_lion_optimizer = true", "optimizer.name", "lion"),
    "optimizer_args": ('optimizer_args = ["weight_decay=0.1"]', "optimizer.weight_decay", 0.1),
    "learning_rate": ("learning_rate = 3e-4", "optimizer.learning_rate", 3e-4),
    "unet_lr": ("unet_lr = 3e-4", "optimizer.learning_rate", 3e-4),
    "text_encoder_lr": ("text_encoder_lr = 5e-5", "optimizer.text_encoder_learning_rate", 5e-5),
    "lr_scheduler": ('lr_scheduler = "linear"', "schedule.name", "linear"),
    "lr_warmup_steps": ("lr_warmup_steps = 0.1", "schedule.warmup", 0.1),
    "lr_decay_steps": ('lr_scheduler = "warmup_stable_decay"\nlr_decay_steps = 0.3', "schedule.decay", 0.3),
    "lr_scheduler_num_cycles": (
        'lr_scheduler = "cosine_with_restarts"\nlr_scheduler_num_cycles = 3',
        "schedule.cycles",
        3,
    ),
    "lr_scheduler_power": ('lr_scheduler = "polynomial"\nlr_scheduler_power = 2', "schedule.power", 2.0),
    "lr_scheduler_timescale": (
        'lr_scheduler = "inverse_sqrt"\nlr_scheduler_timescale = 500',
        "schedule.timescale",
        500,
    ),
    "lr_scheduler_min_lr_ratio": (
        'lr_scheduler = "cosine_with_min_lr"\nlr_scheduler_min_lr_ratio = 0.1',
        "schedule.min_factor",
        0.1,
    ),
    "validation_split": ("validation_split = 0.1", "validation.share", 0.1),
    "validation_seed": ("validation_seed = 4", "validation.seed", 4),
    "validate_every_n_steps": ("validate_every_n_steps = 50", "validation.every_steps", 50),
    "validate_every_n_epochs": ("validate_every_n_epochs = 2", "validation.every_epochs", 2),
    "sample_every_n_steps": ("sample_every_n_steps = 50", "previews.every", 50),
    "sample_every_n_epochs": ("sample_every_n_epochs = 2", "previews.every_epochs", 2),
    "sample_at_first": ("sample_at_first = true", "previews.at_start", True),
    "sample_sampler": ('sample_sampler = "k_euler"', "previews.sampler", "euler"),
    "output_name": ('output_name = "mine"', "saving.name", "mine"),
    "save_precision": ('save_precision = "bf16"', "saving.precision", "bf16"),
    "save_every_n_steps": ("save_every_n_steps = 50", "saving.every_steps", 50),
    "save_every_n_epochs": ("save_every_n_epochs = 2", "saving.every_epochs", 2),
    "save_n_epoch_ratio": ("max_train_epochs = 9\nsave_n_epoch_ratio = 4", "saving.every_epochs", 2),
    "save_last_n_epochs": ("save_every_n_epochs = 1\nsave_last_n_epochs = 3", "saving.keep_last", 3),
    # At step 50 of every 10 it removes that of step 10: 20, 30, 40 and 50 are left.
    "save_last_n_steps": ("save_every_n_steps = 10\nsave_last_n_steps = 30", "saving.keep_last", 4),
    "metadata_trigger_phrase": ('metadata_trigger_phrase = "sks"', "saving.trigger", "sks"),
    "loraplus_lr_ratio": ('network_args = ["loraplus_lr_ratio=16"]', "optimizer.lora_plus_ratio", 16.0),
    "loraplus_unet_lr_ratio": ('network_args = ["loraplus_unet_lr_ratio=8"]', "optimizer.lora_plus_ratio", 8.0),
    "conv_dim": ('network_module = "networks.lora"\nnetwork_args = ["conv_dim=4"]', "method.conv_rank", 4),
    "conv_alpha": (
        'network_module = "networks.lora"\nnetwork_args = ["conv_dim=4", "conv_alpha=2"]',
        "method.conv_alpha",
        2.0,
    ),
    "rank_dropout": ('network_args = ["rank_dropout=0.1"]', "method.rank_dropout", 0.1),
    "module_dropout": ('network_args = ["module_dropout=0.1"]', "method.module_dropout", 0.1),
    "algo": (f'{LYCORIS}["algo=loha"]', "method.algorithm", "loha"),
    "enable_all_linear": (
        'network_module = "networks.oft"\nnetwork_args = ["enable_all_linear=True"]',
        "method.targets",
        ("attention", "feed-forward", "projection"),
    ),
    "enable_conv": (
        'network_module = "networks.oft"\nnetwork_args = ["enable_conv=True"]',
        "method.targets",
        ("attention", "convolution"),
    ),
    "preset": (f'{LYCORIS}["preset=attn-only"]', "method.targets", ("attention",)),
    "dora_wd": (f'{LYCORIS}["dora_wd=True"]', "method.weight_decompose", True),
    "wd_on_output": (f'{LYCORIS}["dora_wd=True", "wd_on_output=False"]', "method.decompose_inputs", True),
    "rs_lora": (f'{LYCORIS}["rs_lora=True"]', "method.rs_lora", True),
    "train_norm": (f'{LYCORIS}["train_norm=True"]', "method.norms", True),
    "factor": (f'{LYCORIS}["algo=lokr", "factor=8"]', "method.factor", 8),
    "decompose_both": (f'{LYCORIS}["algo=lokr", "decompose_both=True"]', "method.decompose_both", True),
    "full_matrix": (f'{LYCORIS}["algo=lokr", "full_matrix=True"]', "method.full_matrix", True),
}
# Told elsewhere: the dataset TOML's in test_folders, the prompts' in test_prompts, by block in test_blocks, the form's in
# test_forms.
ELSEWHERE = {
    "image_dir",
    "num_repeats",
    "dataset_repeats",
    "class_tokens",
    "is_reg",
    "alpha_mask",
    "conditioning_data_dir",
    "masked_loss",
    "dataset_config",
    "batch_size",
    "sample_prompts",
    "down_lr_weight",
    "mid_lr_weight",
    "up_lr_weight",
    "block_lr_zero_threshold",
    "block_dims",
    "block_alphas",
    "loraplus_text_encoder_lr_ratio",
    "epoch",
    "lr_warmup",
    "noise_offset_type",
    "network_args",
}


def test_every_option_of_the_scripts_is_known() -> None:
    assert len(TRAIN_NETWORK) == 193
    assert [name for name in (*TRAIN_NETWORK, *DATASET, *OTHER_SCRIPTS) if name not in OPTIONS] == []


def test_the_defaults_are_the_parser_s() -> None:
    assert {name: OPTIONS[name].default for name in TRAIN_NETWORK} == TRAIN_NETWORK


def test_no_name_stands_twice() -> None:
    assert len(OPTIONS) == len(BY_GUI) == sum(map(len, GROUPS.values()))
    assert set(FAMILY_MARKS) <= set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_option_says_what_becomes_of_it(option: Option) -> None:
    assert option.keys or option.text
    assert set(option.keys) <= {*BY_KEY, "dataset.folders"}
    assert not option.folder or f"dataset.folders[].{option.folder}" in BY_KEY


def test_each_that_becomes_a_setting_has_an_example() -> None:
    becoming = {option.name for option in OPTIONS.values() if option.keys}
    assert sorted(becoming - EXAMPLES.keys() - ELSEWHERE) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_option_becomes_its_setting(name: str, tmp_path: Path) -> None:
    config, key, value = EXAMPLES[name]
    draft, profile = taken(tmp_path, config)
    assert draft.made[key].value == (list(value) if isinstance(value, tuple) else value)
    found: Any = profile
    for part in key.replace("[", ".").replace("]", "").split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    assert found == value
    assert {one.kohya.removeprefix("network_args: ") for one in draft.mapped} >= {name}


def test_a_ratio_of_more_files_than_epochs_saves_each(tmp_path: Path) -> None:
    _, profile = taken(tmp_path, "max_train_epochs = 3\nsave_n_epoch_ratio = 5")
    assert profile.saving.every_epochs == 1


def test_beside_previews_by_epochs_those_by_steps_do_not_count(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, "sample_every_n_steps = 50\nsample_every_n_epochs = 2")
    assert profile.previews.every_epochs == 2
    assert "previews.every" not in draft.made


@pytest.mark.parametrize(("mark", "skip"), [("sdxl", 1), ("sdxl_checkbox", 1), ("lowvram", 2)])
def test_clip_skip_is_nothing_to_xl(mark: str, skip: int, tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, f'{{"LoRA_type": "Standard", "clip_skip": 2, "{mark}": true}}', "form.json")
    assert profile.captions.clip_skip == skip
    reason = ("clip_skip", "kohya passes over it for Stable Diffusion XL")
    assert (reason in [(left.kohya, left.reason) for left in draft.left]) == (skip == 1)


def test_no_option_is_put_off_with_the_name_of_a_model_that_is_trained() -> None:
    assert [
        option.name for option in OPTIONS.values() if option.text.startswith("an option of Stable Diffusion XL")
    ] == []
