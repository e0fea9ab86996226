"""What a finished file says of itself: literal values, and no path of this machine."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import sdtui
from sdtui.dataset.buckets import Bucket
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import ImageFacts
from sdtui.formats import metadata
from sdtui.formats.metadata import TrainingFacts, describe_dataset, resolved
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS

FACTS = TrainingFacts(
    model_name="sd15",
    kohya_base="sd_v1",
    architecture="stable-diffusion-v1",
    prediction_type="epsilon",
    step=150,
    steps_total=200,
    epoch=3,
    epochs_total=4,
    batches_per_epoch=12,
    started_at=1_700_000_000.5,
    saved_at=1_700_000_360.25,
)
SAMPLES = [
    Sample(Path("/home/ana/cats/1.png"), "A Cat, sitting , cat,", 2, ImageFacts(Path("1.png"), 512, 512), Bucket(512, 512), "/home/ana/cats"),
    Sample(Path("/home/ana/cats/2.png"), "a cat, a cat", 2, ImageFacts(Path("2.png"), 600, 400), Bucket(640, 384), "/home/ana/cats"),
    Sample(Path("/home/ana/dogs/1.png"), "a dog", 1, ImageFacts(Path("1.png"), 400, 600), Bucket(384, 640), "/home/ana/dogs"),
]  # fmt: skip


def profile(**sections: dict[str, Any]) -> Profile:
    folders = [{"path": "/home/ana/cats", "repeats": 2}, {"path": "/home/ana/dogs"}]
    data: dict[str, Any] = {
        "name": "pets",
        "model": {"base": "/home/ana/models/sd15", "vae": "/home/ana/models/vae-ft"},
        "dataset": {"folders": folders},
        "training": {"steps": 200, "seed": 7, "batch_size": 2, "accumulation": 3, "precision": "fp32"},
        "launch": {"runs": "/home/ana/work/runs"},
    }
    for name, entries in sections.items():
        data[name] = {**data.get(name, {}), **entries}
    return Profile.model_validate(data)


def describe(profile: Profile, samples: Sequence[Sample], facts: TrainingFacts) -> dict[str, str]:
    """The metadata of a file of a run over `samples`."""
    return metadata.describe(profile, describe_dataset(profile, samples), facts)


@pytest.fixture(scope="module")
def plain() -> dict[str, str]:
    return describe(profile(), SAMPLES, FACTS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ss_network_module", "networks.lora"),
        ("ss_network_dim", "16"),
        ("ss_network_alpha", "16.0"),
        ("ss_network_dropout", "None"),
        ("ss_base_model_version", "sd_v1"),
        ("ss_v2", "False"),
        ("ss_output_name", "pets"),
        ("ss_sd_model_name", "sd15"),
        ("ss_vae_name", "vae-ft"),
        ("ss_learning_rate", "0.0001"),
        ("ss_unet_lr", "0.0001"),
        ("ss_text_encoder_lr", "None"),
        ("ss_lr_scheduler", "constant"),
        ("ss_optimizer", "torch.optim.adamw.AdamW()"),
        ("ss_mixed_precision", "no"),
        ("ss_seed", "7"),
        ("ss_clip_skip", "None"),
        ("ss_steps", "150"),
        ("ss_max_train_steps", "200"),
        ("ss_epoch", "3"),
        ("ss_num_epochs", "4"),
        ("ss_num_train_images", "5"),
        ("ss_num_reg_images", "0"),
        ("ss_num_batches_per_epoch", "12"),
        ("ss_batch_size_per_device", "2"),
        ("ss_total_batch_size", "6"),
        ("ss_gradient_accumulation_steps", "3"),
        ("ss_resolution", "(512, 512)"),
        ("ss_min_bucket_reso", "256"),
        ("ss_training_started_at", "1700000000.5"),
        ("ss_training_finished_at", "1700000360.25"),
        ("modelspec.sai_model_spec", "1.0.1"),
        ("modelspec.architecture", "stable-diffusion-v1/lora"),
        ("modelspec.implementation", "diffusers"),
        ("modelspec.title", "pets"),
        ("modelspec.date", "2023-11-14T22:19:20+00:00"),
        ("modelspec.resolution", "512x512"),
        ("modelspec.prediction_type", "epsilon"),
        ("modelspec.timestep_range", "0,1000"),
        ("modelspec.encoder_layer", "1"),
        ("sdtui.version", sdtui.__version__),
    ],
)
def test_values(plain: dict[str, str], key: str, value: str) -> None:
    assert plain[key] == value


def test_a_moving_average_is_told_only_where_one_was_written(plain: dict[str, str]) -> None:
    assert "sdtui.ema_decay" not in plain
    assert describe(profile(training={"ema_decay": 0.999}), SAMPLES, FACTS)["sdtui.ema_decay"] == "0.999"


def test_every_value_is_text(plain: dict[str, str]) -> None:
    assert {type(value) for value in plain.values()} == {str}
    assert {key.split("_")[0].split(".")[0] for key in plain} == {"ss", "modelspec", "sdtui"}


def test_tags_are_counted_once_an_image_and_folder_by_folder(plain: dict[str, str]) -> None:
    assert json.loads(plain["ss_tag_frequency"]) == {
        "cats": {"a cat": 2, "cat": 1, "sitting": 1},
        "dogs": {"a dog": 1},
    }
    assert json.loads(plain["ss_dataset_dirs"]) == {
        "cats": {"n_repeats": 2, "img_count": 2},
        "dogs": {"n_repeats": 1, "img_count": 1},
    }


def test_folders_are_told_by_what_they_are_for() -> None:
    facts = ImageFacts(Path("x.png"), 512, 512)
    square, wide = Bucket(512, 512), Bucket(640, 384)
    cat, twice, dog, held = Path("1.png"), Path("2.png"), Path("3.png"), Path("4.png")
    samples = [
        Sample(cat, "cat", 10, facts, square, "/d/10_cat"),
        Sample(twice, "cat", 10, facts, square, "/d/10_cat"),
        Sample(twice, "cat", 10, facts, wide, "/d/10_cat", resolution=768),
        Sample(held, "held", 1, facts, square, "/d/10_cat", role="validation"),
        Sample(dog, "dog", 3, facts, wide, "/d/3_dog", row=1, role="regularization"),
    ]
    told = describe(
        profile(
            augment={"flip": True, "hue": 0.1},
            dataset={"buckets": "compat", "bucket_upscale": False},
            prior={"weight": 0.5},
            validation={"share": 0.1, "seed": 3},
        ),
        samples,
        FACTS,
    )
    assert json.loads(told["ss_dataset_dirs"]) == {"10_cat": {"n_repeats": 10, "img_count": 2}}
    assert json.loads(told["ss_reg_dataset_dirs"]) == {"3_dog": {"n_repeats": 3, "img_count": 1}}
    assert json.loads(told["ss_tag_frequency"]) == {"10_cat": {"cat": 2}, "3_dog": {"dog": 1}}
    # As many regularisation samples as others: 30.
    assert json.loads(told["ss_bucket_info"])["buckets"] == {
        "0": {"resolution": [512, 512], "count": 20},
        "1": {"resolution": [640, 384], "count": 40},
    }
    names = (
        "num_train_images", "num_reg_images", "num_validation_images", "enable_bucket", "bucket_no_upscale", "flip_aug",
        "color_aug", "random_crop", "prior_loss_weight", "validation_split", "validation_seed",
    )  # fmt: skip
    assert [told[f"ss_{name}"] for name in names] == [
        "30", "3", "1", "True", "True", "True", "True", "False", "0.5", "0.1", "3",
    ]  # fmt: skip
    assert describe(profile(dataset={"buckets": "none"}), samples, FACTS)["ss_enable_bucket"] == "False"


def test_prose_captions_do_not_fill_the_header(plain: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = json.loads(plain["ss_tag_frequency"])
    monkeypatch.setattr(metadata, "_TAGS_TOLD", 1)
    told = metadata._tags(SAMPLES)
    assert {name: list(tags.values()) for name, tags in told.items()} == {
        name: [max(tags.values())] for name, tags in whole.items()
    }


def test_buckets_count_repeats(plain: dict[str, str]) -> None:
    told = json.loads(plain["ss_bucket_info"])
    assert told["buckets"] == {
        "0": {"resolution": [384, 640], "count": 1},
        "1": {"resolution": [512, 512], "count": 2},
        "2": {"resolution": [640, 384], "count": 2},
    }
    # |640/384 - 600/400| and |384/640 - 400/600| over three images.
    assert told["mean_img_ar_error"] == pytest.approx((0.166667 + 0.066667) / 3, abs=1e-6)


def test_how_captions_are_read_is_told() -> None:
    rules = {
        "shuffle": True,
        "keep_tokens": 2,
        "dropout": 0.1,
        "dropout_every": 3,
        "tag_dropout": 0.2,
        "max_tokens": 225,
    }
    told = describe(profile(captions=rules), SAMPLES, FACTS)
    assert [
        told[f"ss_{key}"]
        for key in (
            "shuffle_caption",
            "keep_tokens",
            "caption_dropout_rate",
            "caption_dropout_every_n_epochs",
            "caption_tag_dropout_rate",
            "max_token_length",
        )
    ] == ["True", "2", "0.1", "3", "0.2", "225"]


def test_settings_that_differ_from_the_default_are_told() -> None:
    told = describe(
        profile(
            method={"rank": 4, "alpha": 2.0, "dropout": 0.25, "text_encoder": True, "targets": ["attention"]},
            captions={"clip_skip": 2},
            training={"precision": "bf16"},
            objective={"min_snr_gamma": 5.0, "noise_offset": 0.1},
            optimizer={"text_encoder_learning_rate": 5e-5},
            schedule={"warmup": 0.1},
            saving={"name": "my pets", "trigger": "zwx"},
        ),
        SAMPLES,
        FACTS,
    )
    keys = [
        "network_dim",
        "network_alpha",
        "network_dropout",
        "clip_skip",
        "mixed_precision",
        "min_snr_gamma",
        "noise_offset",
    ]
    assert [told[f"ss_{key}"] for key in keys] == ["4", "2.0", "0.25", "2", "bf16", "5.0", "0.1"]
    assert (told["ss_text_encoder_lr"], told["ss_lr_warmup_steps"]) == ("5e-05", "20")
    assert json.loads(told["ss_network_args"]) == {"targets": ["attention"], "text_encoder": True}
    assert (told["ss_output_name"], told["modelspec.title"]) == ("my pets", "my pets")
    assert (told["modelspec.trigger_phrase"], told["modelspec.encoder_layer"]) == ("zwx", "2")


def test_the_objective_is_told_in_kohyas_words() -> None:
    chosen = {
        "noise_offset_adaptive": 0.2,
        "multires_iterations": 6,
        "input_perturbation": 0.1,
        "debiased": True,
        "loss": "huber",
        "huber_schedule": "constant",
        "timestep_min": 100,
    }
    told = describe(profile(objective=chosen), SAMPLES, FACTS)
    keys = [
        "adaptive_noise_scale",
        "multires_noise_iterations",
        "multires_noise_discount",
        "ip_noise_gamma",
        "debiased_estimation",
        "loss_type",
        "huber_schedule",
        "huber_c",
    ]
    assert [told[f"ss_{key}"] for key in keys] == ["0.2", "6", "0.3", "0.1", "True", "huber", "constant", "0.1"]
    assert told["modelspec.timestep_range"] == "100,1000"


def test_a_v_prediction_model_is_told_as_modelspec_spells_it() -> None:
    facts = TrainingFacts(**{**vars(FACTS), "prediction_type": "v_prediction", "kohya_base": "sd_v1_v"})
    told = describe(profile(), SAMPLES, facts)
    assert (told["modelspec.prediction_type"], told["ss_base_model_version"]) == ("v", "sd_v1_v")


@pytest.mark.parametrize(("base", "told"), [("sd_v2", "True"), ("sd_v2_v", "True"), ("sdxl_base_v1-0", "False")])
def test_stable_diffusion_2_is_told_by_its_own_mark(base: str, told: str) -> None:
    facts = TrainingFacts(**{**vars(FACTS), "kohya_base": base})
    assert describe(profile(), SAMPLES, facts)["ss_v2"] == told


def test_xl_adapters_follow_stability_s_names() -> None:
    facts = TrainingFacts(**{**vars(FACTS), "architecture": "stable-diffusion-xl-v1-base"})
    told = describe(profile(), SAMPLES, facts)
    assert told["modelspec.implementation"] == "https://github.com/Stability-AI/generative-models"
    assert describe(profile(), SAMPLES, FACTS)["modelspec.implementation"] == "diffusers"


def test_no_path_leaves_the_machine(plain: dict[str, str]) -> None:
    assert not [key for key, value in plain.items() if "ana" in value or "/home" in value]


def test_the_profile_inside_is_whole_but_for_the_folders() -> None:
    told = tomllib.loads(resolved(profile()))
    assert told["model"] == {"base": "sd15", "vae": "vae-ft", "download": False}
    assert [folder["path"] for folder in told["dataset"]["folders"]] == ["cats", "dogs"]
    assert (told["launch"]["runs"], told["launch"]["main_address"]) == ("runs", "")
    assert told["optimizer"]["learning_rate"] == 1e-4
    again = Profile.model_validate(told)
    assert again.training == profile().training
    # Every setting is written out; the two lengths exclude one another.
    assert {setting.section.split(".")[0] for setting in SETTINGS} - {""} <= told.keys()


def test_no_profile_text_is_mistaken_for_a_path() -> None:
    prompts = ["a/b --w 64"]
    assert tomllib.loads(resolved(profile(previews={"prompts": prompts})))["previews"]["prompts"] == prompts


@pytest.mark.parametrize(
    ("method", "module", "arguments"),
    [
        ({"dropout": 0.1, "module_dropout": 0.2}, "networks.lora", {"module_dropout": "0.2"}),
        (
            {"targets": ["attention", "convolution"], "conv_rank": 4, "rank_dropout": 0.1},
            "networks.lora",
            {"conv_dim": "4", "conv_alpha": "16.0", "rank_dropout": "0.1"},
        ),
        ({"algorithm": "lokr"}, "lycoris.kohya", {"algo": "lokr", "factor": "-1"}),
        ({"algorithm": "oft", "norms": True}, "lycoris.kohya", {"algo": "diag-oft", "train_norm": "True"}),
        ({"weight_decompose": True}, "lycoris.kohya", {"algo": "locon", "dora_wd": "True"}),
        (
            {"weight_decompose": True, "decompose_inputs": True},
            "lycoris.kohya",
            {"algo": "locon", "dora_wd": "True", "wd_on_output": "False"},
        ),
        ({"targets": ["edges"]}, "lycoris.kohya", {"algo": "locon"}),
    ],
)
def test_the_network_is_told_by_kohya_s_and_lycoris_names(
    method: dict[str, Any], module: str, arguments: dict[str, str]
) -> None:
    told = describe(profile(method=method), SAMPLES, FACTS)
    assert told["ss_network_module"] == module
    named = json.loads(told["ss_network_args"])
    assert {name: value for name, value in named.items() if name not in {"targets", "text_encoder"}} == arguments
    assert told["ss_scale_weight_norms"] == "None"


def test_processes_count_for_the_effective_batch_and_machines_are_not_named() -> None:
    launch = {"processes": 2, "machines": 2, "main_address": "anas-machine"}
    told = describe(profile(launch=launch), SAMPLES, FACTS)
    assert (told["ss_batch_size_per_device"], told["ss_total_batch_size"]) == ("2", "24")
    assert "anas-machine" not in "".join(told.values())
