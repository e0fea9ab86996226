"""What a run is made from: the order of its samples as planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from sdtui import paths
from sdtui.dataset.collect import collect
from sdtui.dataset.image import UnreadableImage
from sdtui.dataset.survey import survey
from sdtui.models.family import LatentDistribution
from sdtui.profile.plan import make_plan
from sdtui.profile.schema import Profile
from sdtui.runs.layout import RunFolder
from sdtui.training import prepare
from sdtui.training.crew import Crew
from sdtui.training.place import Place
from sdtui.training.report import Report
from tests.training.fakes import FakeModel
from tests.training.workplace import events, make_images, settings


def test_a_run_is_as_long_as_was_planned_whatever_its_folders_are(tmp_path: Path) -> None:
    make_images(tmp_path / "train" / "2_cat", [(96, 96)] * 4 + [(128, 64)] * 2)
    make_images(tmp_path / "train" / "3_dog", [(64, 128)] * 2)
    make_images(tmp_path / "kept", [(96, 96), (96, 96), (128, 64)])
    make_images(tmp_path / "judged", [(96, 96)] * 5)
    folders = [
        {"path": str(tmp_path / "train")},
        {"path": str(tmp_path / "kept"), "regularization": True, "resolutions": [96]},
        {"path": str(tmp_path / "judged"), "validation": True},
    ]
    data = settings(
        tmp_path,
        {"training": {"epochs": 3, "steps": None, "batch_size": 2, "accumulation": 3}, "validation": {"share": 0.3}},
    )
    data["dataset"] |= {"folders": folders, "more_resolutions": [128]}
    profile = Profile.model_validate(data)
    collection = collect(profile)
    plan = make_plan(profile, survey(profile, collection))
    order = prepare.make_order(profile, prepare.trained(collection.samples))
    # 4 of 6 cats twice and 1 of 2 dogs three times, at two resolutions each, and as many that are to be kept.
    assert (plan.images, plan.held_out, plan.regularization, plan.samples) == (5, 8, 3, 44)
    assert order.images == 44
    assert plan.batches_per_epoch == order.batches_per_epoch
    assert plan.steps == prepare.total_steps(profile, order)
    assert {(each.width, each.height): each.samples for each in plan.buckets} == order._counts
    trained = {number for epoch in range(3) for batch in order.batches_of(epoch) for number in batch}
    assert trained == set(range(len(prepare.trained(collection.samples))))


class FirstColumns(FakeModel):
    """Answers with the mean of the first columns instead of all."""

    def encode_images(self, pixels: Tensor) -> LatentDistribution:
        return super().encode_images(pixels[..., :8])


def cached(folder: Path, name: str, changes: dict[str, Any]) -> prepare.Data:
    """What a run trains on whose only image, 200 × 64 px, has a red right half."""
    images = folder / "images"
    if not images.exists():
        make_images(images, [(200, 64)])
        with Image.open(images / "00.png") as image:
            image.paste("maroon", (100, 0, 200, 64))
            image.save(images / "00.png")
    table = {"path": str(images), **changes.pop("folder", {})}
    run = RunFolder.create(folder / "runs", name)
    profile = Profile.model_validate(settings(folder, {"dataset": {"folders": [table], "buckets": "none"}, **changes}))
    report = Report(run)
    cache = prepare.open_cache(profile, collect(profile), FirstColumns(), report, lambda: None)
    data = prepare.cache_images(profile, cache, FirstColumns(), report, lambda: None)
    report.close()
    return data


AUGMENTS: list[dict[str, Any]] = [
    {"flip": True},
    {"crop": "random"},
    {"brightness": 0.5},
    {"contrast": 0.5},
    {"saturation": 0.5},
    {"hue": 0.5},
]


@pytest.mark.parametrize("own", [False, True], ids=["all folders", "one folder"])
@pytest.mark.parametrize("augment", AUGMENTS, ids="".join)
def test_every_augmentation_shows_the_image_otherwise(tmp_path: Path, augment: dict[str, Any], own: bool) -> None:
    plain = cached(tmp_path, "plain", {}).latents
    changes = {"folder": {f"augment_{name}": value for name, value in augment.items()}} if own else {"augment": augment}
    varied = cached(tmp_path, "varied", changes).latents
    (ways,) = varied.ways
    assert (ways.flips, ways.variants) == ((True, 1) if "flip" in augment else (False, 8))
    first = plain.at(0, False, 0).mean
    others = [varied.at(0, ways.flips, variant).mean for variant in range(ways.variants)]
    assert not all(torch.equal(first, other) for other in others)
    assert varied.digest != plain.digest


def test_the_profile_says_how_many_variants_there_are(tmp_path: Path) -> None:
    data = cached(tmp_path, "varied", {"augment": {"crop": "random", "variants": 3}})
    assert data.latents.ways[0].variants == 3
    assert len(list((paths.cache_dir() / "latents").rglob("*.safetensors"))) == 3


def test_a_run_tells_how_many_ways_are_encoded(tmp_path: Path) -> None:
    cached(tmp_path, "varied", {"augment": {"flip": True, "crop": "random", "variants": 3}})
    (run,) = (tmp_path / "runs").iterdir()
    told = events(RunFolder(run), "progress")
    assert [(event["job"], event["done"], event["total"]) for event in told if event["done"] == event["total"]] == [
        ("reading images", 1, 1), ("encoding images", 6, 6)
    ]  # fmt: skip


class Pair(Crew):
    """The first of two processes, whose other one found an image that it cannot read."""

    def of_all(self, value: Any) -> list[Any]:
        return [value, {1: UnreadableImage("cannot be decoded", where="01.png")}]

    def wait(self) -> None:
        pass


def test_processes_share_what_is_encoded_and_what_cannot_be_read(tmp_path: Path) -> None:
    make_images(tmp_path / "images", [(64, 64)] * 4)
    profile = Profile.model_validate(settings(tmp_path))
    model = FakeModel()
    report = Report(RunFolder.create(tmp_path / "runs", "pair"))
    crew = Pair(Place(processes=2))
    cache = prepare.open_cache(profile, collect(profile), model, report, lambda: None, crew=crew)
    with pytest.raises(prepare.UnreadableImagesError, match=r"^1 image cannot be read"):
        prepare.cache_images(profile, cache, model, report, lambda: None, crew=crew)
    report.close()
    assert model.encoded_images == 2


def test_of_many_images_that_cannot_be_read_the_first_are_named(tmp_path: Path) -> None:
    make_images(tmp_path / "images", [(64, 64)])
    report = Report(RunFolder.create(tmp_path / "runs", "many"))
    errors = [UnreadableImage("cut short", where=f"{number:02}.png") for number in range(23)]
    with pytest.raises(prepare.UnreadableImagesError) as caught:
        prepare._tell_unreadable(errors, Profile.model_validate(settings(tmp_path)), report)
    report.close()
    lines = caught.value.message.splitlines()
    assert (lines[0], lines[1], lines[20:]) == (
        "23 images cannot be read:", "  00.png: cut short", ["  19.png: cut short", "  … 3 more"],
    )  # fmt: skip
    assert len(caught.value.images) == 23
