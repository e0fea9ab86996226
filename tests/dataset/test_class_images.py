"""Which class images there are and which are to be drawn, and what the folder of the drawn ones is called by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sdtui.dataset.class_images import Recipe, fingerprint, layout_of, recipe_of
from sdtui.dataset.collect import Collection, collect
from sdtui.dataset.survey import survey
from sdtui.profile.plan import Measured, make_plan
from sdtui.profile.schema import Profile
from sdtui.profile.surveyed import FolderPlan


def profile(root: Path, changes: dict[str, Any] | None = None, **folder: Any) -> Profile:
    """Three images, and a folder `class` in which nine of a dog shall be."""
    kept = {"path": str(root / "class"), "regularization": True, "generate": 9, "class_tokens": "a dog", **folder}
    data: dict[str, Any] = {
        "model": {"base": str(root / "model.safetensors")},
        "dataset": {"resolution": 512, "folders": [{"path": str(root / "images")}, kept]},
        "training": {"steps": 6, "batch_size": 2},
    }
    for section, values in (changes or {}).items():
        data[section] = {**data.get(section, {}), **values}
    return Profile.model_validate(data)


def picture(path: Path, size: tuple[int, int] = (512, 512)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (len(path.name), hash_of(path), 7)).save(path)


def hash_of(path: Path) -> int:
    return sum(path.name.encode()) % 256


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "model.safetensors").write_bytes(bytes(range(256)) * 400)
    for name in ("a", "b", "c"):
        picture(tmp_path / "images" / f"{name}.png")
        (tmp_path / "images" / f"{name}.txt").write_text("my dog")
    return tmp_path


def drawn_folder(chosen: Profile) -> Path:
    return layout_of(chosen, 1).parts[1].path


def kept(collection: Collection) -> list[str]:
    return [sample.path.name for sample in collection.regularization]


def test_all_are_to_be_drawn_where_there_is_no_folder(root: Path) -> None:
    chosen = profile(root)
    collection = collect(chosen)
    assert collection.problems == ()
    collection.require(chosen)
    place = drawn_folder(chosen)
    assert place.parent == root / "class"
    assert [(each.row, each.number, each.path) for each in collection.missing] == [
        (1, number, place / f"00000{number}.png") for number in range(1, 10)
    ]
    # As they will be: their size, caption and bucket.
    sample = collection.regularization[0]
    assert (sample.facts.width, sample.facts.height, sample.caption, sample.bucket) == (512, 512, "a dog", (512, 512))
    found = survey(chosen, collection)
    assert (found.images, found.samples, found.regularization, found.generated) == (3, 6, 9, 9)
    assert found.folders[1:] == (FolderPlan(str(place), "flat", 9, 1, "a dog", regularization=True),)
    assert not (root / "class").exists()


def test_drawing_them_changes_nothing_of_what_was_planned(root: Path) -> None:
    chosen = profile(root, {"validation": {"share": 0.4}})
    before = collect(chosen)
    for each in before.missing:
        picture(each.path)
    after = collect(chosen)
    assert after.missing == ()
    assert after.samples == before.samples
    assert after.digest == before.digest


def test_supplied_images_count_and_no_more_are_taken_than_asked_for(root: Path) -> None:
    for name in ("one", "two"):
        picture(root / "class" / f"{name}.png", (640, 480))
    (root / "class" / "one.txt").write_text("a sleeping dog")
    place = drawn_folder(profile(root))
    for number in (1, 2, 3, 5):
        picture(place / f"00000{number}.png")
    picture(place / "mine.png")
    assert kept(collect(profile(root, generate=4))) == ["one.png", "two.png", "000001.png", "000002.png"]
    assert [sample.caption for sample in collect(profile(root)).regularization][:3] == [
        "a sleeping dog",
        "a dog",
        "a dog",
    ]
    more = collect(profile(root))
    # Number 4 was thrown away: another one comes in its place, and two more.
    assert [each.number for each in more.missing] == [6, 7, 8]
    assert kept(more)[2:6] == ["000001.png", "000002.png", "000003.png", "000005.png"]
    assert collect(profile(root, generate=2)).missing == ()
    assert kept(collect(profile(root, generate=1, recursive=True))) == ["one.png", "two.png"]


def test_without_generate_what_was_drawn_is_a_folder_among_others(root: Path) -> None:
    picture(root / "class" / "one.png")
    picture(drawn_folder(profile(root)) / "000001.png")
    assert kept(collect(profile(root, generate=0))) == ["one.png"]


@pytest.mark.parametrize(
    ("changes", "folder"),
    [
        ({}, {"class_tokens": "a cat"}),
        ({}, {"resolutions": [768]}),
        ({"prior": {"generate_negative": "blurry"}}, {}),
        ({"prior": {"generate_steps": 20}}, {}),
        ({"prior": {"generate_guidance": 5.0}}, {}),
        ({"prior": {"generate_sampler": "euler"}}, {}),
        ({"captions": {"clip_skip": 2}}, {}),
        ({"model": {"vae": "/a/vae"}}, {}),
        ({"model": {"base": "someone/a-model"}}, {}),
    ],
    ids=["prompt", "size", "negative", "steps", "guidance", "sampler", "clip-skip", "vae", "base"],
)
def test_other_pictures_lie_elsewhere(root: Path, changes: dict[str, Any], folder: dict[str, Any]) -> None:
    assert drawn_folder(profile(root, changes, **folder)) != drawn_folder(profile(root))


def test_the_same_pictures_lie_where_they_were(root: Path) -> None:
    before = drawn_folder(profile(root))
    other = {"training": {"seed": 5}, "optimizer": {"learning_rate": 1.0}, "prior": {"weight": 0.5}}
    assert drawn_folder(profile(root, other, generate=200, repeats=3)) == before
    os.rename(root / "model.safetensors", root / "renamed.safetensors")
    assert drawn_folder(profile(root, {"model": {"base": str(root / "renamed.safetensors")}})) == before


def test_a_changed_model_draws_its_own(root: Path) -> None:
    before = drawn_folder(profile(root))
    content = bytearray((root / "model.safetensors").read_bytes())
    content[::50] = bytes(len(content[::50]))
    (root / "model.safetensors").write_bytes(content)
    assert drawn_folder(profile(root)) != before


def test_a_model_s_folder_is_told_by_the_weights_of_its_parts(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    for part in ("unet", "vae", "text_encoder", "safety_checker"):
        (folder / part).mkdir(parents=True)
        (folder / part / "weights.safetensors").write_bytes(part.encode())
    chosen = profile(tmp_path, {"model": {"base": str(folder)}})
    before = drawn_folder(chosen)
    (folder / "safety_checker" / "weights.safetensors").write_bytes(b"other")
    (folder / "model_index.json").write_text("{}")
    assert drawn_folder(chosen) == before
    (folder / "unet" / "weights.safetensors").write_bytes(b"tenu")
    assert drawn_folder(chosen) != before


def test_files_are_told_apart_by_pieces_of_them(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(bytes(4 << 20))
    two.write_bytes(bytes(4 << 20))
    assert fingerprint([one]) == fingerprint([two])
    assert fingerprint([one]) != fingerprint([one, two])
    two.write_bytes(bytes((4 << 20) - 1) + b"\1")
    assert fingerprint([one]) != fingerprint([two])


def test_what_pictures_are_made_of(root: Path) -> None:
    assert recipe_of(profile(root, resolutions=[512, 772]), 1) == Recipe(
        prompt="a dog", negative="", side=768, steps=50, guidance=7.5, sampler="ddim", clip_skip=1, max_tokens=75,
        weighted=False,
    )  # fmt: skip


def test_a_folder_that_is_a_file_is_said(root: Path) -> None:
    (root / "class").write_text("no folder")
    (problem,) = collect(profile(root)).problems
    assert (problem.kind, problem.path) == ("bad-folder", root / "class")


def test_the_plan_counts_the_drawing(root: Path) -> None:
    chosen = profile(root)
    plan = make_plan(chosen, survey(chosen, collect(chosen)), Measured(2.0))
    # Six steps of two images, and nine pictures of 50 steps with two forward passes, each a third of an image's step.
    assert plan.generated == 9
    assert plan.generating_seconds == pytest.approx(9 * 50 * 2 / 3 / 2)
    assert plan.seconds == pytest.approx(12 / 2 + 150)
    plain = profile(root, {"prior": {"generate_guidance": 1.0, "generate_steps": 20}})
    assert make_plan(plain, survey(plain, collect(plain)), Measured(2.0)).generating_seconds == pytest.approx(30)
    assert [(cache.path, cache.count) for cache in plan.caches][-1] == ("class images", 9)
