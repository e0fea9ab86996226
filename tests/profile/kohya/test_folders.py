"""Subsets as folders: what all have in common, what one has for itself, and several resolutions."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.buckets import Bucketing
from tests.profile.kohya.helpers import taken

TWO = """
[[datasets]]
resolution = 512
[[datasets.subsets]]
image_dir = "a"
{first}
[[datasets.subsets]]
image_dir = "b"
{second}
"""


def test_what_all_subsets_have_is_the_profile_s(tmp_path: Path) -> None:
    both = "shuffle_caption = true\nflip_aug = true\ncaption_prefix = 'x,'\nrandom_crop = true"
    _, profile = taken(tmp_path, TWO.format(first=both, second=both))
    assert (profile.captions.shuffle, profile.captions.prefix) == (True, "x, ")
    assert (profile.augment.flip, profile.augment.crop) == (True, "random")
    assert [folder.caption_shuffle for folder in profile.dataset.folders] == [None, None]


def test_what_one_subset_has_is_its_folder_s(tmp_path: Path) -> None:
    first = (
        "shuffle_caption = true\nenable_wildcard = true\nkeep_tokens = 3\ncaption_dropout_rate = 0.2\n"
        "caption_tag_dropout_rate = 0.3\ncaption_prefix = 'p'\ncaption_suffix = 's'\nflip_aug = true\n"
        "random_crop = true\ncolor_aug = true\nnum_repeats = 5\nclass_tokens = 'sks dog'\nalpha_mask = true"
    )
    draft, profile = taken(tmp_path, TWO.format(first=first, second="is_reg = true\nbatch_size = 1"))
    own, other = (folder.model_dump(exclude_defaults=True) for folder in profile.dataset.folders)
    assert own == {
        "path": "a",
        "layout": "flat",
        "repeats": 5,
        "class_tokens": "sks dog",
        "alpha_mask": True,
        "caption_shuffle": True,
        "caption_wildcards": True,
        "caption_keep_tokens": 3,
        "caption_dropout": 0.2,
        "caption_tag_dropout": 0.3,
        "caption_prefix": "p ",
        "caption_suffix": " s",
        "augment_flip": True,
        "augment_crop": "random",
        "augment_brightness": 0.25,
        "augment_hue": 0.044,
    }
    assert other == {"path": "b", "layout": "flat", "regularization": True}
    assert profile.captions.lines == "random"
    assert "enable_wildcard differs between subsets: captions.lines is random for all" in draft.warnings


def test_what_general_says_stays_the_profile_s(tmp_path: Path) -> None:
    general = "[general]\nshuffle_caption = false\n"
    _, profile = taken(tmp_path, general + TWO.format(first="shuffle_caption = true", second="shuffle_caption = true"))
    assert profile.captions.shuffle is False
    assert [folder.caption_shuffle for folder in profile.dataset.folders] == [True, True]


@pytest.mark.parametrize(
    ("first", "second", "told"), [("batch_size = 4", "batch_size = 1", True), ("batch_size = 1", "", False)]
)
def test_one_batch_size_for_all_and_others_are_told_of(tmp_path: Path, first: str, second: str, told: bool) -> None:
    """The same images at two resolutions become one folder, whose datasets may differ in it all the same."""
    twice = "".join(
        f"[[datasets]]\nresolution = {side}\n{batch}\n[[datasets.subsets]]\nimage_dir = 'a'\n"
        for side, batch in ((512, first), (768, second))
    )
    draft, profile = taken(tmp_path, twice)
    assert (len(profile.dataset.folders), profile.training.batch_size) == (1, int(first[-1]))
    warning = "batch_size differs between datasets or subsets: the first's counts for all"
    assert draft.warnings == [warning] * told


def test_one_for_all_takes_the_first_and_tells(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, TWO.format(first="caption_extension = '.txt'", second=""))
    assert profile.captions.extension == ".txt"
    assert draft.warnings == ["caption_extension differs between datasets or subsets: the first's counts for all"]


def test_the_same_images_in_two_datasets_are_one_folder_at_two_resolutions(tmp_path: Path) -> None:
    twice = TWO.format(first="num_repeats = 2", second="")
    _, profile = taken(tmp_path, twice + twice.replace("512", "[768, 768]"))
    assert (profile.dataset.resolution, profile.dataset.more_resolutions) == (512, (768,))
    assert [(folder.path, folder.repeats, folder.resolutions) for folder in profile.dataset.folders] == [
        ("a", 2, ()),
        ("b", 1, ()),
    ]
    _, profile = taken(tmp_path, twice + '[[datasets]]\nresolution = 640\n[[datasets.subsets]]\nimage_dir = "b"\n')
    assert (profile.dataset.resolution, profile.dataset.more_resolutions) == (512, ())
    assert [folder.resolutions for folder in profile.dataset.folders] == [(), (512, 640)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("resolution = 512", (512, 64, 256, 1024)),
        ("resolution = '500'", (496, 8, 256, 1024)),
        ("resolution = '508'", (504, 8, 256, 1024)),
        ("resolution = '640,512'", (576, 64, 256, 1024)),
        ("resolution = '768,512'", (624, 8, 256, 1024)),
        ("resolution = 500\nenable_bucket = true", (500, 64, 256, 1024)),
        ("resolution = '768,512'\nenable_bucket = true", (628, 64, 256, 1024)),
        (
            "resolution = '96,128'\nenable_bucket = true\nbucket_reso_steps = 32\nmin_bucket_reso = 64",
            (111, 32, 64, 1024),
        ),
        ("resolution = '768,512'\nenable_bucket = true\nbucket_no_upscale = true", (627, 64, 256, 1024)),
        ("resolution = 1280\nenable_bucket = true", (1280, 64, 256, 1280)),
        ("resolution = 1280\nenable_bucket = true\nbucket_no_upscale = true", (1280, 64, 256, 1024)),
        ("resolution = 512\nenable_bucket = true\nbucket_reso_steps = 1", (512, 8, 256, 1024)),
        ("resolution = 192\nenable_bucket = true", (192, 64, 192, 1024)),
    ],
)
def test_resolution_and_buckets_that_fit(options: str, expected: tuple[int, ...], tmp_path: Path) -> None:
    _, profile = taken(tmp_path, options)
    data = profile.dataset
    assert (data.resolution, data.bucket_step, data.bucket_min, data.bucket_max) == expected


def _kohya_buckets(width: int, height: int, step: int, low: int, high: int) -> list[tuple[int, int]]:
    """What `make_bucket_resolutions` of sd-scripts does."""
    area, sizes = width * height, set()
    square = int(area**0.5 // step) * step
    sizes.add((square, square))
    for side in range(low, high + 1, step):
        other = min(high, area // side // step * step)
        if other >= low:
            sizes |= {(side, other), (other, side)}
    return sorted(sizes)


@pytest.mark.parametrize(
    ("width", "height", "step", "low", "high"),
    [(768, 512, 64, 256, 1024), (832, 1216, 64, 512, 2048), (96, 128, 32, 64, 256), (500, 500, 64, 256, 1024),
     (1216, 832, 32, 256, 2048)],
)  # fmt: skip
def test_width_and_height_make_kohya_s_buckets(
    width: int, height: int, step: int, low: int, high: int, tmp_path: Path
) -> None:
    draft, profile = taken(
        tmp_path,
        f"resolution = '{width},{height}'\nenable_bucket = true\nbucket_reso_steps = {step}\nmin_bucket_reso = {low}\n"
        f"max_bucket_reso = {high}\nnetwork_module = 'networks.lora'",
    )
    data = profile.dataset
    bucketing = Bucketing(data.resolution, data.bucket_step, data.bucket_min, data.bucket_max, data.buckets)
    assert list(bucketing.sizes) == _kohya_buckets(width, height, step, low, high)
    assert draft.warnings == []


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ("resolution = '768,512'",
         ("resolution 768×512 without enable_bucket: kohya crops every image to that shape, here each is cropped to a "
          'square, 624×624 (1.0 % fewer pixels); dataset.buckets = "compat" keeps the shape of each image')),
        ("resolution = 508", "resolution 508: sides are multiples of 8 here, as they are to the VAE: 504"),
        ("resolution = '64,80'\nenable_bucket = true\nbucket_reso_steps = 8\nmin_bucket_reso = 64",
         "resolution 64×80: dataset.resolution = 71 comes nearest and lacks 1 of kohya's 3 shapes of buckets"),
        ("resolution = '768,512'\nenable_bucket = true\nbucket_no_upscale = true",
         ("resolution 768×512 with bucket_no_upscale: dataset.resolution = 627 has 393129 pixels for 393216, so that a "
          "few images get a size one bucket_step apart")),
        ("resolution = 96\nenable_bucket = true\nmin_bucket_reso = 320",
         "min_bucket_reso 320: kohya stops below it; the resolution 96 is the limit here"),
        ("resolution = 1280\nenable_bucket = true",
         "max_bucket_reso 1024: kohya stops above it; the resolution 1280 is the limit here"),
        ("resolution = 32\nenable_bucket = true\nmin_bucket_reso = 16",
         "bucket_reso_steps 64 is above the resolution 32: it becomes 8"),
    ],
)  # fmt: skip
def test_what_is_not_as_kohya_has_it_is_told(options: str, warning: str, tmp_path: Path) -> None:
    draft, _ = taken(tmp_path, f"{options}\nnetwork_module = 'networks.lora'")
    assert draft.warnings == [warning]


def test_masks_and_a_batch_of_the_dataset(tmp_path: Path) -> None:
    text = 'seed = 1\nmasked_loss = true\ntrain_batch_size = 2\ndataset_repeats = 4\ntrain_data_dir = "old"\n'
    dataset = '[[datasets]]\nbatch_size = 3\n[[datasets.subsets]]\nimage_dir = "a"\nconditioning_data_dir = "m"\n'
    draft, profile = taken(tmp_path, text, dataset=dataset)
    assert profile.training.batch_size == 3
    assert [(folder.path, folder.masks, folder.repeats) for folder in profile.dataset.folders] == [("a", "m", 4)]
    assert {"masked_loss", "batch_size", "dataset_repeats"} <= {one.kohya for one in draft.mapped}
    assert ("train_data_dir", "kohya ignores it beside a dataset TOML") in [(x.kohya, x.reason) for x in draft.left]


def test_fine_tuning_subsets_have_their_captions_elsewhere(tmp_path: Path) -> None:
    text = '[general]\nresolution = 512\n[[datasets]]\n[[datasets.subsets]]\nmetadata_file = "meta.json"\n'
    draft, profile = taken(tmp_path, text)
    assert [folder.path for folder in profile.dataset.folders] == ["path/to/images"]
    assert [left.kohya for left in draft.left] == ["metadata_file"]
    assert draft.warnings[0].startswith("a subset without image_dir is left out")


def test_relative_paths_start_at_the_imported_file_s_folder(tmp_path: Path) -> None:
    from sdtui.profile.kohya.source import read_source
    from sdtui.profile.kohya.taking import take

    (tmp_path / "c.toml").write_text(
        'pretrained_model_name_or_path = "m"\ntrain_data_dir = "/abs"\nreg_data_dir = "~/r"'
    )
    made = take(read_source(tmp_path / "c.toml"), tmp_path / "profiles").made
    keys = ("model.base", "dataset.folders[0].path", "dataset.folders[1].path")
    assert [made[key].value for key in keys] == [str(tmp_path / "m"), "/abs", "~/r"]
    assert take(read_source(tmp_path / "c.toml"), tmp_path).made["model.base"].value == "m"
