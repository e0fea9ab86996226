from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sdtui.dataset.collect import Collection, collect
from sdtui.dataset.survey import survey
from sdtui.errors import UserError
from sdtui.profile.schema import Profile
from sdtui.profile.surveyed import FolderPlan, Survey
from tests.support.odd_images import CUT_IN_HEADER, EMPTY, SIZES, make_odd_images


def profile(
    *folders: dict[str, Any] | Path,
    captions: dict[str, Any] | None = None,
    validation: dict[str, Any] | None = None,
    **dataset: Any,
) -> Profile:
    tables = [folder if isinstance(folder, dict) else {"path": str(folder)} for folder in folders]
    return Profile.model_validate(
        {
            "schema": 1,
            "model": {"base": "base"},
            "dataset": {"folders": tables, **dataset},
            "captions": captions or {},
            "validation": validation or {},
            "training": {"steps": 1},
        }
    )


def picture(path: Path, width: int = 64, height: int = 64, text: str | None = "a cat") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    title = PngInfo()  # no two files are copies of each other
    title.add_text("Title", str(path))
    Image.new("RGB", (width, height)).save(path, pnginfo=title)
    if text is not None:
        path.with_suffix(".txt").write_text(text)
    return path


def kinds(collection: Collection) -> list[tuple[str, str]]:
    return [(problem.kind, problem.path.name) for problem in collection.problems]


def test_samples_hold_all_that_training_needs(tmp_path: Path) -> None:
    wide = picture(tmp_path / "img10.png", 640, 480, "tower\n")
    tall = picture(tmp_path / "img2.png", 100, 900, " a gate,\n\n\tat night \n")
    chosen = profile({"path": str(tmp_path), "repeats": 3}, captions={"prefix": "photo, "})
    collection = collect(chosen)
    assert collection.problems == ()
    assert [(sample.path, sample.caption, sample.repeats, sample.bucket) for sample in collection.samples] == [
        (tall, "a gate,\nat night", 3, (256, 1024)),
        (wide, "tower", 3, (576, 448)),
    ]
    assert collection.samples[0].facts == (tall, 100, 900)
    assert collection.samples[0].folder == str(tmp_path)

    assert survey(chosen, collection) == Survey(
        images=2,
        samples=6,
        buckets={(256, 1024): 3, (576, 448): 3},
        pixels=256 * 1024 + 576 * 448,
        encoded=2,
        captions=2,
        enlarged=1,
        largest=2.56,
        folders=(FolderPlan(str(tmp_path), "flat", images=2, repeats=3),),
    )
    collection.require(chosen)


def test_order_is_the_same_on_every_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a", "c"):
        picture(tmp_path / f"{name}.png")
    forwards = collect(profile(tmp_path))
    real = os.scandir

    class Backwards:
        def __init__(self, path: Any) -> None:
            with real(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> Any:
            return iter(self.entries)

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Backwards)
    assert collect(profile(tmp_path)) == forwards
    assert [sample.path.name for sample in forwards.samples] == ["a.png", "b.png", "c.png"]


def test_folders_keep_the_profiles_order_and_may_share_an_image(tmp_path: Path) -> None:
    picture(tmp_path / "b" / "x.png")
    picture(tmp_path / "a" / "y.png")
    folders: list[dict[str, Any]] = [
        {"path": str(tmp_path / "b")},
        {"path": str(tmp_path), "recursive": True, "repeats": 2},
    ]
    samples = collect(profile(*folders)).samples
    assert [(sample.path.name, sample.repeats, sample.row) for sample in samples] == [
        ("x.png", 1, 0),
        ("y.png", 2, 1),
        ("x.png", 2, 1),
    ]


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", text=None)
    picture(tmp_path / "b.png", text=" \n")
    picture(tmp_path / "c.png").with_suffix(".txt").write_bytes(b"\xff")
    picture(tmp_path / "d.png").write_bytes(b"broken")
    picture(tmp_path / "e.png")
    collection = collect(profile(tmp_path))
    assert kinds(collection) == [
        ("missing-caption", "a.png"),
        ("empty-caption", "b.txt"),
        ("bad-caption", "c.txt"),
        ("unreadable-image", "d.png"),
    ]
    assert [(sample.path.name, sample.caption) for sample in collection.samples] == [
        ("a.png", ""), ("b.png", ""), ("c.png", ""), ("e.png", "a cat"),
    ]  # fmt: skip
    assert survey(profile(tmp_path), collection).problems[3].startswith(f"{tmp_path}/d.png: cannot read the image")
    assert "no caption file (a.txt or a.caption or a.png.txt or a.png.caption)" in str(collection.problems[0])
    assert 'or set captions.on_missing = "empty"' in collection.problems[0].remedy


def test_what_the_profile_tolerates_does_not_block(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", text=None)
    picture(tmp_path / "b.png").write_bytes(b"")
    strict = profile(tmp_path)
    collection = collect(strict)
    assert [problem.kind for problem in collection.blocking(strict)] == ["missing-caption", "unreadable-image"]
    lenient = profile(tmp_path, on_unreadable="skip", captions={"on_missing": "empty"})
    assert collection.blocking(lenient) == ()
    assert collect(lenient).problems[0].remedy == "Write one, or give the folder class_tokens"
    collection.require(lenient)
    with pytest.raises(UserError) as caught:
        collection.require(strict)
    message = str(caught.value)
    assert f"{tmp_path}/a.png: no caption file" in message
    assert f"{tmp_path}/b.png: cannot read the image: the file is empty" in message
    assert message.endswith(
        '\nMend them; dataset.on_unreadable = "skip" passes over the 1 that cannot be read, no more'
    )
    (tmp_path / "a.txt").write_text("a cat")
    with pytest.raises(UserError) as caught:
        collect(strict).require(strict)
    assert str(caught.value).endswith('\nMend them, or set dataset.on_unreadable = "skip"')


def test_many_problems_are_counted(tmp_path: Path) -> None:
    for number in range(7):
        picture(tmp_path / f"{number}.png", text=None)
    chosen = profile(tmp_path)
    with pytest.raises(UserError, match=r"2 more \(in all: 7 missing caption\)"):
        collect(chosen).require(chosen)


def test_nothing_left_to_train_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "b.png").write_bytes(b"")
    chosen = profile(tmp_path, on_unreadable="skip")
    with pytest.raises(UserError, match="no image that can be trained"):
        collect(chosen).require(chosen)


def test_folders_without_images_say_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    picture(tmp_path / "inner" / "cat" / "x.png")
    collection = collect(profile(tmp_path / "gone", tmp_path / "empty", tmp_path / "inner"))
    assert kinds(collection) == [("bad-folder", "gone"), ("no-images", "empty"), ("no-images", "inner")]
    assert "the folder does not exist" in collection.problems[0].message
    assert "no images here: it is empty; expected images: .avif .bmp" in collection.problems[1].message
    assert "it holds 1 folder (cat)" in collection.problems[2].message
    assert "recursive = true" in collection.problems[2].remedy


def test_the_chosen_extension_is_the_only_one_read(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", text="from txt").with_suffix(".caption").write_text("from caption")
    assert collect(profile(tmp_path)).samples[0].caption == "from txt"
    assert collect(profile(tmp_path, captions={"extension": ".caption"})).samples[0].caption == "from caption"
    assert kinds(collect(profile(tmp_path, captions={"extension": ".tags"}))) == [("missing-caption", "a.png")]


def test_the_digest_follows_what_is_trained(tmp_path: Path) -> None:
    image = picture(tmp_path / "a.png")
    first = collect(profile(tmp_path)).digest
    assert collect(profile(tmp_path)).digest == first
    assert collect(profile({"path": str(tmp_path), "repeats": 2})).digest != first
    image.with_suffix(".txt").write_text("a dog")
    assert collect(profile(tmp_path)).digest != first


def test_progress_counts_images(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    seen: list[tuple[int, int]] = []
    collect(profile(tmp_path), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_captions_that_each_step_draws_anew_are_not_cached(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 64, 64, "a, b")
    for captions, kept in (({"shuffle": True}, 0), ({}, 1)):
        chosen = profile(tmp_path, captions=captions)
        assert survey(chosen, collect(chosen)).captions == kept


def test_each_resolution_is_a_sample_of_its_own(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "wide.png", 640, 480)
    picture(tmp_path / "b" / "tall.png", 480, 640)
    folders: list[dict[str, Any]] = [{"path": str(tmp_path / "a")}, {"path": str(tmp_path / "b"), "resolutions": [256]}]
    chosen = profile(*folders, more_resolutions=[768, 512], bucket_min=128)
    collection = collect(chosen)
    assert [(sample.path.name, sample.resolution, sample.bucket) for sample in collection.samples] == [
        ("wide.png", 512, (576, 448)),
        ("wide.png", 768, (896, 640)),
        ("tall.png", 256, (192, 320)),
    ]
    found = survey(chosen, collection)
    assert (found.images, found.samples, found.encoded) == (2, 3, 3)
    # Only the largest of an image's enlargements counts: 640/480 and 320/640.
    assert (found.enlarged, found.largest) == (0, 1.0)


@pytest.mark.parametrize(
    ("settings", "bucket", "scaled"),
    [
        ({}, (576, 448), (597, 448)),
        ({"bucket_upscale": False}, (320, 256), (341, 256)),
        ({"buckets": "compat"}, (576, 448), (597, 448)),
        ({"buckets": "compat", "bucket_upscale": False}, (320, 256), (360, 270)),
        ({"buckets": "none"}, (512, 512), (683, 512)),
        ({"bucket_step": 8}, (592, 440), (592, 444)),
        ({"bucket_max": 512}, (512, 384), (512, 384)),
        ({"bucket_min": 512, "bucket_max": 640}, (512, 512), (683, 512)),
    ],
)
def test_buckets_are_chosen_as_the_profile_says(
    tmp_path: Path, settings: dict[str, Any], bucket: tuple[int, int], scaled: tuple[int, int]
) -> None:
    picture(tmp_path / "a.png", 360, 270)
    (sample,) = collect(profile(tmp_path, **settings)).samples
    assert (sample.bucket, sample.fit().resize) == (bucket, scaled)


def test_class_tokens_are_the_caption_where_there_is_none(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", text=None)
    picture(tmp_path / "b.png", text=" \n")
    picture(tmp_path / "c.png", text="my own")
    collection = collect(profile({"path": str(tmp_path), "class_tokens": "a cat"}))
    assert [sample.caption for sample in collection.samples] == ["a cat", "a cat", "my own"]
    assert collection.problems == ()


def test_kohyas_folders_give_repeats_and_captions(tmp_path: Path) -> None:
    picture(tmp_path / "20_exterior city" / "1.png", text=None)
    picture(tmp_path / "3_statue" / "1.png", text="a statue")
    picture(tmp_path / "cover.png")
    chosen = profile({"path": str(tmp_path), "repeats": 2})
    collection = collect(chosen)
    assert [(sample.folder, sample.repeats, sample.caption) for sample in collection.samples] == [
        (f"{tmp_path}/3_statue", 6, "a statue"),
        (f"{tmp_path}/20_exterior city", 40, "exterior city"),
    ]
    assert kinds(collection) == [("left-out", tmp_path.name)]
    assert [layout.kind for layout in collection.layouts] == ["kohya"]
    # What kohya's scripts pass over is told, and keeps nobody from training.
    collection.require(chosen)


def test_a_folder_with_a_table_of_its_own_is_not_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "20_city" / "1.png")
    picture(tmp_path / "kept" / "1.png")
    collection = collect(profile(tmp_path, {"path": str(tmp_path / "kept"), "regularization": True}))
    assert collection.problems == ()
    assert [sample.role for sample in collection.samples] == ["train", "regularization"]


def test_parts_by_role(tmp_path: Path) -> None:
    for name in ("train/1.png", "train/2.png", "kept/1.png", "judge/1.png"):
        picture(tmp_path / name)
    collection = collect(
        profile(
            tmp_path / "train",
            {"path": str(tmp_path / "kept"), "regularization": True},
            {"path": str(tmp_path / "judge"), "validation": True},
        )
    )
    assert [sample.role for sample in collection.samples] == ["train", "train", "regularization", "validation"]
    assert collection.training == collection.samples[:2]
    assert collection.regularization == collection.samples[2:3]
    assert collection.held_out == collection.samples[3:]


def test_a_share_of_each_folder_is_held_out_at_all_resolutions(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png", "kept/1.png", "kept/2.png"):
        picture(tmp_path / name)
    chosen = profile(
        tmp_path / "a",
        tmp_path / "b",
        {"path": str(tmp_path / "kept"), "regularization": True},
        more_resolutions=[768],
        validation={"share": 0.3},
    )
    collection = collect(chosen)
    assert [(sample.folder[-1], sample.path.name, sample.resolution) for sample in collection.held_out] == [
        ("a", "3.png", 512), ("a", "3.png", 768), ("b", "2.png", 512), ("b", "2.png", 768),
    ]  # fmt: skip
    assert len(collection.training) == 6
    assert len(collection.regularization) == 4
    found = survey(chosen, collection)
    assert (found.images, found.held_out, found.regularization, found.encoded) == (3, 2, 2, 14)
    assert [(folder.images, folder.held_out, folder.regularization) for folder in found.folders] == [
        (3, 1, False), (2, 1, False), (2, 0, True),
    ]  # fmt: skip
    assert (
        collect(chosen.model_copy(update={"validation": chosen.validation.model_copy(update={"seed": 5})}))
        != collection
    )


def test_a_file_that_is_held_out_is_trained_under_no_other_folder(tmp_path: Path) -> None:
    picture(tmp_path / "judge" / "1.png")
    picture(tmp_path / "train" / "2.png")
    (tmp_path / "train" / "linked.png").symlink_to(tmp_path / "judge" / "1.png")
    (tmp_path / "train" / "linked.txt").write_text("the same")
    (tmp_path / "train" / "copied.png").write_bytes((tmp_path / "judge" / "1.png").read_bytes())
    (tmp_path / "train" / "copied.txt").write_text("the same")
    collection = collect(profile(tmp_path / "train", {"path": str(tmp_path / "judge"), "validation": True}))
    assert [(sample.path.name, sample.role) for sample in collection.samples] == [
        ("2.png", "train"), ("copied.png", "validation"), ("linked.png", "validation"), ("1.png", "validation"),
    ]  # fmt: skip


def test_nothing_but_held_out_images_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    chosen = profile({"path": str(tmp_path), "validation": True})
    with pytest.raises(UserError, match="no image that can be trained"):
        collect(chosen).require(chosen)


def test_an_epoch_has_as_many_regularisation_samples_as_others(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "1.png", 512, 512)
    picture(tmp_path / "kept" / "1.png", 512, 512)
    picture(tmp_path / "kept" / "2.png", 640, 384)
    chosen = profile(
        {"path": str(tmp_path / "a"), "repeats": 4}, {"path": str(tmp_path / "kept"), "regularization": True}
    )
    found = survey(chosen, collect(chosen))
    assert (found.samples, found.buckets) == (8, {(512, 512): 6, (640, 384): 2})


def masked(tmp_path: Path, *names: str) -> dict[str, Any]:
    for name in names:
        (tmp_path / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (32, 32)).save(tmp_path / "masks" / name)
    return {"path": str(tmp_path / "images"), "masks": str(tmp_path / "masks")}


def test_images_have_the_masks_of_their_names(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    Image.new("RGBA", (64, 64)).save(picture(tmp_path / "images" / "b.png"))
    picture(tmp_path / "images" / "inner" / "a.png")
    folder = masked(tmp_path, "a.png", "inner/a.webp", "c.png")
    chosen = profile({**folder, "recursive": True, "alpha_mask": True})
    collection = collect(chosen)
    assert kinds(collection) == [("stray-mask", "c.png")]
    assert [(sample.mask, sample.alpha_mask) for sample in collection.samples] == [
        (tmp_path / "masks" / "a.png", False), (None, True), (tmp_path / "masks" / "inner" / "a.webp", False),
    ]  # fmt: skip
    assert survey(chosen, collection).folders[0].masks == 2


@pytest.mark.parametrize("name", ["20_cat/a.png", "a.png"])
def test_masks_of_kohyas_folders_lie_in_folders_of_the_same_name_or_not(tmp_path: Path, name: str) -> None:
    picture(tmp_path / "images" / "20_cat" / "a.png")
    (sample,) = collect(profile(masked(tmp_path, name))).samples
    assert sample.mask == tmp_path / "masks" / name


def test_masks_among_the_images_are_not_trained(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "masks" / "a.png", text=None)
    folder = {"path": str(tmp_path), "masks": str(tmp_path / "masks"), "recursive": True}
    collection = collect(profile(folder))
    assert [sample.path for sample in collection.samples] == [tmp_path / "a.png"]
    assert collection.problems == ()


def test_masks_that_do_not_fit_stop_the_run(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        picture(tmp_path / "images" / f"{name}.png")
    folder = masked(tmp_path, "a.png", "b.png", "c.png")
    Image.new("L", (64, 32)).save(tmp_path / "masks" / "a.png")
    (tmp_path / "masks" / "b.png").write_bytes(b"broken")
    chosen = profile(folder)
    collection = collect(chosen)
    assert kinds(collection) == [("mask-shape", "a.png"), ("unreadable-mask", "b.png")]
    (tmp_path / "images" / "c.png").unlink()
    assert kinds(collect(chosen)) == [*kinds(collection), ("stray-mask", "c.png")]
    assert [sample.path.name for sample in collection.samples] == ["c.png"]
    assert len(collection.blocking(chosen)) == 2
    assert [problem.kind for problem in collection.blocking(profile(folder, on_unreadable="skip"))] == ["mask-shape"]


def test_masks_that_belong_to_no_image_stop_the_run(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    chosen = profile(masked(tmp_path, "a-mask.png"))
    collection = collect(chosen)
    assert kinds(collection) == [("bad-masks", "masks")]
    assert "none of its masks (1) has the name of one of the images (1)" in collection.problems[0].message
    assert collection.blocking(chosen)
    gone = collect(profile({"path": str(tmp_path / "images"), "masks": str(tmp_path / "gone")}))
    assert kinds(gone) == [("bad-masks", "gone")]


def test_the_digest_follows_masks_and_roles(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    Image.new("RGBA", (64, 64)).save(picture(tmp_path / "images" / "b.png"))
    folder = masked(tmp_path, "a.png")
    plain = {"path": folder["path"]}
    digests = {
        collect(chosen).digest
        for chosen in (
            profile(plain),
            profile(folder),
            profile({**plain, "alpha_mask": True}),
            profile({**plain, "regularization": True}),
            profile(plain, validation={"share": 0.5}),
            profile(plain, bucket_upscale=False),
            profile(plain, more_resolutions=[768]),
        )
    }
    assert len(digests) == 7


def test_a_folder_of_odd_images_is_told_right_from_headers(tmp_path: Path) -> None:
    """What is cut short behind its header is found when it is decoded."""
    collection = collect(profile(make_odd_images(tmp_path)))
    assert [(sample.path.name, sample.bucket) for sample in collection.samples] == list(SIZES.items())
    assert kinds(collection) == [("unreadable-image", CUT_IN_HEADER), ("unreadable-image", EMPTY)]
    assert collection.problems[1].message == "cannot read the image: the file is empty"
