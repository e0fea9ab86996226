"""Profiles as sd-scripts' files, and back."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtui.profile import shipped
from sdtui.profile.check import check_text
from sdtui.profile.kohya.giving import Lack, config_text, dataset_text, give
from sdtui.profile.kohya.network import PRESETS
from sdtui.profile.kohya.source import read_source
from sdtui.profile.kohya.taking import take
from sdtui.profile.kohya.text import profile_text
from sdtui.profile.schema import Profile
from tests.profile.kohya.helpers import FILES

SD_SCRIPTS = set(json.loads((FILES / "train_network_defaults.json").read_text(encoding="utf-8")))
# What a profile must say so that kohya can have all of it.
BASE: dict[str, Any] = {
    "model.base": "/m",
    "dataset.buckets": "compat",
    "captions.extension": ".txt",
    "captions.lines": "first",
    "captions.on_missing": "empty",
    "training.steps": 100,
    "training.precision": "fp32",
    "objective.prediction": "epsilon",
    "saving.name": "mine",
    "previews.at_start": False,
    "previews.prompts": ["a cat --w 512 --h 640 --s 25"],
}


def made(values: dict[str, Any], folders: list[dict[str, Any]] | None = None) -> Profile:
    """A profile with these settings by dotted key."""
    data: dict[str, Any] = {}
    for key, value in {**BASE, **values}.items():
        section, _, name = key.partition(".")
        if value is not None:
            data.setdefault(section, {})[name] = value
    data["dataset"]["folders"] = folders or [{"path": "/a", "layout": "flat"}]
    return Profile.model_validate(data)


def there_and_back(profile: Profile, folder: Path, options: set[str] = SD_SCRIPTS) -> Profile:
    """What an import makes of the exported files."""
    files = give(profile, folder)
    # sd-scripts would pass over a name that is none of its own.
    assert set(files.config) <= options
    (folder / "config.toml").write_text(config_text(files), encoding="utf-8")
    if files.datasets:
        (folder / "dataset.toml").write_text(dataset_text(files), encoding="utf-8")
    if files.prompts:
        (folder / "sample_prompts.txt").write_text("\n".join(files.prompts), encoding="utf-8")
    draft = take(read_source(folder / "config.toml"), folder)
    assert draft.source.unknown == ()
    return Profile.model_validate(tomllib.loads(profile_text(draft)))


def test_the_files_of_a_profile(tmp_path: Path) -> None:
    profile = made(
        {
            "method.rank": 32,
            "method.alpha": 16.0,
            "method.rank_dropout": 0.1,
            "captions.prefix": "sks, ",
            "training.steps": None,
            "training.epochs": 8,
            "training.precision": "bf16",
            "optimizer.name": "adafactor",
            "optimizer.learning_rate": 1e-4,
            "schedule.warmup": 100,
            "previews.every_epochs": 1,
            "previews.prompts": ["a cat --n dogs"],
            "saving.every_epochs": 1,
            "saving.keep_last": 3,
            "saving.precision": "bf16",
        },
        [
            {"path": "/a", "layout": "flat", "repeats": 3, "caption_shuffle": True},
            {"path": "/r", "layout": "flat", "regularization": True, "resolutions": [512, 768]},
        ],
    )
    files = give(profile, tmp_path)
    assert files.config == {
        "pretrained_model_name_or_path": "/m",
        "network_module": "networks.lora",
        "network_dim": 32,
        "network_alpha": 16.0,
        "network_args": ["rank_dropout=0.1"],
        "network_train_unet_only": True,
        "resolution": "512,512",
        "enable_bucket": True,
        "dataset_config": "dataset.toml",
        "caption_extension": ".txt",
        "caption_prefix": "sks,",
        "max_train_epochs": 8,
        "mixed_precision": "bf16",
        "seed": 0,
        "optimizer_type": "Adafactor",
        "optimizer_args": ["relative_step=False", "scale_parameter=False", "warmup_init=False"],
        "learning_rate": 1e-4,
        "lr_scheduler": "constant_with_warmup",
        "lr_warmup_steps": 100,
        "sample_every_n_epochs": 1,
        "sample_prompts": "sample_prompts.txt",
        "output_name": "mine",
        "output_dir": str(tmp_path / "output"),
        "save_precision": "bf16",
        "save_every_n_epochs": 1,
        "save_last_n_epochs": 3,
    }
    assert files.datasets == [
        {
            "resolution": 512,
            "subsets": [
                {"image_dir": "/a", "num_repeats": 3, "shuffle_caption": True},
                {"image_dir": "/r", "is_reg": True},
            ],
        },
        {"resolution": 768, "subsets": [{"image_dir": "/r", "is_reg": True}]},
    ]
    assert files.prompts == ["a cat --w 512 --h 512 --s 20 --n dogs"]
    assert files.lacking == []


@pytest.mark.parametrize(
    ("values", "key", "reason"),
    [
        ({"objective.prediction": "auto"}, "objective.prediction", "kohya must be told"),
        ({"dataset.buckets": "log"}, "dataset.buckets", "kohya's buckets are compat"),
        ({"captions.lines": "join"}, "captions.lines", "kohya reads the first line"),
        ({"captions.on_missing": "stop"}, "captions.on_missing", "kohya trains images without a caption"),
        ({"captions.prefix": "sks"}, "captions.prefix", "kohya puts a blank behind it"),
        ({"captions.extension": "auto"}, "captions.extension", ".txt is written"),
        ({"training.precision": "auto"}, "training.precision", "kohya must be told"),
        ({"training.ema_decay": 0.99}, "training.ema_decay", "kohya has no moving average"),
        ({"augment.hue": 0.1}, "augment.hue", "color_aug has no strengths"),
        ({"augment.contrast": 0.1}, "augment.contrast", "color_aug changes hue or brightness"),
        ({"schedule.name": "rex"}, "schedule.name", "kohya has no such schedule"),
        ({"schedule.name": "linear", "schedule.min_factor": 0.1}, "schedule.min_factor", "linear falls to 0"),
        ({"schedule.rates": "1e-4:50, 1e-5"}, "schedule.rates", "kohya has shapes only"),
        ({"optimizer.name": "schedule-free-adamw", "schedule.warmup": 5}, "schedule.warmup", "has no schedule in kohya"),
        ({"previews.sampler": "unipc"}, "previews.sampler", "kohya has no such sampler"),
        ({"previews.every": 5, "previews.every_epochs": 1}, "previews.every", "by epochs or by steps"),
        ({"optimizer.text_encoder_learning_rate": 1e-5}, "optimizer.text_encoder_learning_rate", "is not trained"),
        ({"optimizer.block_rates": {"down_blocks.0.attentions.0.proj_in": 2.0}}, "optimizer.block_rates", "whole blocks"),
        ({"method.targets": ["projection"]}, "method.targets", "no preset of LyCORIS"),
        ({"method.exclude": ["*.attn1.*"]}, "method.exclude", "by module and preset"),
        ({"prior.class_caption": "dog"}, "prior.class_caption", "by images only"),
        ({"validation.most_images": 5}, "validation.most_images", "counts batches"),
    ],
)  # fmt: skip
def test_what_kohya_cannot_say_is_told(values: dict[str, Any], key: str, reason: str, tmp_path: Path) -> None:
    lacking = give(made(values), tmp_path).lacking
    assert [lack.key for lack in lacking] == [key]
    assert reason in lacking[0].reason


@pytest.mark.parametrize(
    ("folder", "key"),
    [
        ({"validation": True}, "dataset.folders[0].validation"),
        ({"recursive": True}, "dataset.folders[0].recursive"),
        ({"augment_hue": 0.2}, "dataset.folders[0].augment_hue"),
        ({"masks": "/m", "class_tokens": "dog"}, "dataset.folders[0].class_tokens"),
    ],
)
def test_what_a_folder_has_and_kohya_not(folder: dict[str, Any], key: str, tmp_path: Path) -> None:
    profile = made({}, [{"path": "/a", "layout": "flat", **folder}, {"path": "/b", "layout": "flat"}])
    assert [lack.key for lack in give(profile, tmp_path).lacking] == [key]


def test_folders_as_kohya_lays_them_out_need_no_dataset(tmp_path: Path) -> None:
    folders: list[dict[str, Any]] = [
        {"path": "/a", "layout": "kohya"},
        {"path": "/r", "layout": "kohya", "regularization": True},
    ]
    profile = made({}, folders)
    files = give(profile, tmp_path)
    assert (files.config["train_data_dir"], files.config["reg_data_dir"], files.datasets) == ("/a", "/r", [])
    assert there_and_back(profile, tmp_path) == profile


def test_folders_that_are_laid_out_so_beside_others_are_subsets(tmp_path: Path) -> None:
    for name in ("3_red car", "10_house", "notes"):
        (tmp_path / "set" / name).mkdir(parents=True)
    folders: list[dict[str, Any]] = [{"path": str(tmp_path / "set"), "repeats": 2}, {"path": "/b", "layout": "flat"}]
    (dataset,) = give(made({}, folders), tmp_path).datasets
    assert dataset["subsets"] == [
        {"image_dir": str(tmp_path / "set" / "10_house"), "num_repeats": 20, "class_tokens": "house"},
        {"image_dir": str(tmp_path / "set" / "3_red car"), "num_repeats": 6, "class_tokens": "red car"},
        {"image_dir": "/b"},
    ]


def test_an_area_that_is_no_square_of_steps_stays_it(tmp_path: Path) -> None:
    profile = made({"dataset.resolution": 628, "previews.prompts": ["a cat"]})
    files = give(profile, tmp_path)
    assert (files.config["resolution"], files.prompts) == ("628,628", ["a cat --w 624 --h 624 --s 20"])
    assert there_and_back(profile, tmp_path).dataset == profile.dataset


def test_masks_are_datasets_of_their_own(tmp_path: Path) -> None:
    folders: list[dict[str, Any]] = [
        {"path": "/a", "layout": "flat", "masks": "/m"},
        {"path": "/b", "layout": "flat", "alpha_mask": True},
    ]
    profile = made({}, folders)
    files = give(profile, tmp_path)
    assert files.config["masked_loss"] is True
    assert files.datasets == [
        {"resolution": 512, "subsets": [{"image_dir": "/a", "conditioning_data_dir": "/m"}]},
        {"resolution": 512, "subsets": [{"image_dir": "/b", "alpha_mask": True}]},
    ]
    assert there_and_back(profile, tmp_path) == profile


def test_lora_plus_is_a_lora_s_alone(tmp_path: Path) -> None:
    files = give(made({"optimizer.lora_plus_ratio": 4.0}), tmp_path)
    assert (files.config["network_args"], files.lacking) == (["loraplus_lr_ratio=4.0"], [])
    files = give(made({"method.algorithm": "loha", "optimizer.lora_plus_ratio": 4.0}), tmp_path)
    assert files.config["network_args"] == ["algo=loha", "preset=unet-transformer-only"]
    assert files.lacking == [Lack("optimizer.lora_plus_ratio", 4.0, "it has no effect on loha, and is left out")]


def test_lycoris(tmp_path: Path) -> None:
    profile = made(
        {
            "method.algorithm": "lokr",
            "method.factor": 8,
            "method.weight_decompose": True,
            "method.decompose_inputs": True,
            "method.targets": ["attention", "feed-forward", "projection", "convolution", "edges"],
            "method.exclude": list(PRESETS["full-lin"].exclude),
            "method.conv_rank": 4,
            "method.conv_alpha": 2.0,
            "method.text_encoder": True,
        }
    )
    files = give(profile, tmp_path)
    assert files.config["network_module"] == "lycoris.kohya"
    assert files.config["network_args"] == [
        "dora_wd=True", "wd_on_output=False", "factor=8", "algo=lokr", "preset=full-lin", "conv_dim=4", "conv_alpha=2.0",
    ]  # fmt: skip
    assert there_and_back(profile, tmp_path) == profile


def test_presets_of_xl_have_no_edges(tmp_path: Path) -> None:
    layers = ["attention", "feed-forward", "projection", "convolution"]
    values: dict[str, Any] = {"method.algorithm": "loha", "method.targets": layers}
    files = give(made(values), tmp_path, xl=True)
    assert (files.config["network_args"], files.lacking) == (["algo=loha", "preset=unet-only"], [])
    files = give(made({**values, "method.targets": [*layers, "edges"]}), tmp_path, xl=True)
    assert files.config["network_args"] == ["algo=loha", "preset=unet-only"]
    assert files.lacking == [
        Lack("method.targets", [*layers, "edges"], "kohya does not train the edges of Stable Diffusion XL")
    ]
    assert [lack.reason for lack in give(made(values), tmp_path).lacking] == [
        "no preset of LyCORIS has these layers; full has all"
    ]


def test_the_classic_guide_comes_back(tmp_path: Path) -> None:
    path = shipped.folder() / "lora-city-photos.toml"
    profile = check_text(path.read_text(encoding="utf-8"), path, places=False).profile
    assert profile is not None
    back = there_and_back(profile, tmp_path)
    differing = {
        (section, name)
        for section, table in profile.model_dump().items()
        if isinstance(table, dict)
        for name, value in table.items()
        if value != back.model_dump()[section][name]
    }
    # Which kohya does otherwise, or not at all; the name of the file is the profile's.
    assert differing == {
        ("dataset", "buckets"), ("captions", "extension"), ("captions", "lines"), ("captions", "on_missing"),
        ("objective", "prediction"), ("saving", "every_minutes"), ("saving", "name"), ("launch", "runs"),
    }  # fmt: skip


def _share(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "model.vae": st.sampled_from(["", "/v"]),
    "method.rank": st.integers(1, 1024),
    "method.alpha": _share(0.5, 512),
    "method.dropout": _share(0, 0.9),
    "method.rank_dropout": _share(0, 0.9),
    "method.module_dropout": _share(0, 0.9),
    "method.scale_weight_norms": _share(0, 5),
    "method.text_encoder": st.booleans(),
    "method.continue_from": st.sampled_from(["", "/old.safetensors"]),
    "dataset.resolution": st.sampled_from([512, 640, 768]),
    "dataset.more_resolutions": st.sampled_from([[], [576], [576, 704]]),
    "dataset.bucket_min": st.sampled_from([256, 320]),
    "dataset.bucket_max": st.sampled_from([768, 1024, 1280]),
    "augment.flip": st.booleans(),
    "augment.crop": st.sampled_from(["center", "random"]),
    "captions.prefix": st.sampled_from(["", "sks, "]),
    "captions.suffix": st.sampled_from(["", " style"]),
    "captions.dropout": _share(),
    "captions.dropout_every": st.integers(0, 9),
    "captions.shuffle": st.booleans(),
    "captions.separator": st.sampled_from([",", "|"]),
    "captions.keep_tokens": st.integers(0, 9),
    "captions.keep_separator": st.sampled_from(["", "|||"]),
    "captions.secondary_separator": st.sampled_from(["", ";;;"]),
    "captions.tag_dropout": _share(),
    "captions.token_warmup": st.integers(0, 50) | st.sampled_from([0.1, 0.5]),
    "captions.token_warmup_min": st.integers(0, 9),
    "captions.weighted": st.booleans(),
    "captions.max_tokens": st.sampled_from([75, 150, 225]),
    "captions.clip_skip": st.integers(1, 3),
    "training.batch_size": st.integers(1, 9),
    "training.accumulation": st.integers(1, 9),
    "training.precision": st.sampled_from(["fp32", "bf16", "fp16"]),
    "training.seed": st.integers(0, 2**32 - 1),
    "training.clip_norm": _share(0, 5),
    "training.gradient_checkpointing": st.booleans(),
    "objective.prediction": st.sampled_from(["epsilon", "v_prediction"]),
    "objective.timestep_min": st.integers(0, 400),
    "objective.timestep_max": st.integers(500, 1000),
    "objective.min_snr_gamma": _share(0, 9),
    "objective.debiased": st.booleans(),
    "objective.noise_offset": _share(),
    "objective.noise_offset_adaptive": _share(),
    "objective.noise_offset_random": st.booleans(),
    "objective.multires_iterations": st.integers(0, 9),
    "objective.multires_discount": _share(0.1),
    "objective.input_perturbation": _share(),
    "objective.input_perturbation_random": st.booleans(),
    "objective.loss": st.sampled_from(["l2", "l1", "huber", "smooth_l1"]),
    "objective.huber_schedule": st.sampled_from(["constant", "exponential", "snr"]),
    "objective.huber_c": _share(0.1),
    "objective.huber_scale": _share(0.1, 5),
    "prior.weight": _share(0, 3),
    "validation.share": _share(0, 0.5),
    "validation.seed": st.integers(0, 99),
    "validation.every_steps": st.integers(0, 99),
    "validation.every_epochs": st.integers(0, 9),
    "optimizer.name": st.sampled_from(["adamw", "adamw8bit", "lion", "bitsandbytes.optim.Lion8bit", "torch.optim.RAdam"]),
    "optimizer.learning_rate": _share(1e-6, 1e-2),
    "optimizer.weight_decay": st.none() | _share(),
    "optimizer.betas": st.none() | st.just((0.9, 0.95)),
    "optimizer.lora_plus_ratio": st.sampled_from([1.0, 16.0]),
    "optimizer.block_rates": st.sampled_from(
        [{}, {"mid_block": 0.5}, {"down_blocks": 0.0, "mid_block": 0.0, "up_blocks": 0.0}]
    ),
    "schedule.warmup": st.integers(0, 99) | st.sampled_from([0.05, 0.25]),
    "schedule.name": st.sampled_from(["constant", "linear", "cosine", "inverse_sqrt"]),
    "previews.every": st.integers(0, 99),
    "previews.prompts": st.sampled_from([["a dog --w 64 --h 64 --s 9"], ["a cat --w 512 --h 640 --s 25 --d 3 --n dogs"]]),
    "previews.sampler": st.sampled_from(["ddim", "euler", "dpmsolver++"]),
    "saving.every_steps": st.integers(1, 99),
    "saving.keep_last": st.integers(1, 10_000),
    "saving.precision": st.sampled_from(["fp32", "bf16", "fp16"]),
    "saving.trigger": st.sampled_from(["", "sks"]),
}  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(
        {"saving.every_steps": SETTINGS["saving.every_steps"]},
        optional={key: values for key, values in SETTINGS.items() if key != "saving.every_steps"},
    )
)
def test_what_kohya_has_comes_back_as_it_was(values: dict[str, Any]) -> None:
    values.setdefault("saving.keep_last", 10_000)
    profile = made(values)
    with tempfile.TemporaryDirectory() as folder:
        back = there_and_back(profile, Path(folder))
    assert back.model_dump() == profile.model_dump()
