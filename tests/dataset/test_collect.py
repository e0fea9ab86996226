from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sdtui.dataset.collect import Collection, collect
from sdtui.dataset.survey import survey
from sdtui.errors import UserError
from sdtui.profile.plan import FolderPlan, Survey
from sdtui.profile.schema import Profile


def profile(*folders: dict[str, Any] | Path, captions: dict[str, Any] | None = None, **dataset: Any) -> Profile:
    tables = [folder if isinstance(folder, dict) else {"path": str(folder)} for folder in folders]
    return Profile.model_validate(
        {
            "schema": 1,
            "model": {"base": "base"},
            "dataset": {"folders": tables, **dataset},
            "captions": captions or {},
            "training": {"steps": 1},
        }
    )


def picture(path: Path, width: int = 64, height: int = 64, text: str | None = "a cat") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height)).save(path)
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

    assert survey(collection) == Survey(
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
    assert survey(collection).problems[3].startswith(f"{tmp_path}/d.png: cannot read the image")
    assert "no caption file (.txt or .caption or img.png.txt or img.png.caption)" in str(collection.problems[0])


def test_what_the_profile_tolerates_does_not_block(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", text=None)
    picture(tmp_path / "b.png").write_bytes(b"")
    strict = profile(tmp_path)
    collection = collect(strict)
    assert [problem.kind for problem in collection.blocking(strict)] == ["missing-caption", "unreadable-image"]
    lenient = profile(tmp_path, on_unreadable="skip", captions={"on_missing": "empty"})
    assert collection.blocking(lenient) == ()
    collection.require(lenient)
    with pytest.raises(UserError) as caught:
        collection.require(strict)
    message = str(caught.value)
    assert f"{tmp_path}/a.png: no caption file" in message
    assert f"{tmp_path}/b.png: cannot read the image: the file is empty" in message
    assert 'dataset.on_unreadable = "skip"' in message


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
    assert survey(collect(profile({"path": str(tmp_path)}, captions={"shuffle": True}))).captions == 0
    assert survey(collect(profile({"path": str(tmp_path)}))).captions == 1
