"""Latents: made once for the same bytes, made anew for others, and never among the images."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from sdtui import paths
from sdtui.dataset import digests
from sdtui.dataset.buckets import Bucket
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import content_digest, open_rgb, read_facts
from sdtui.errors import SdtuiError
from sdtui.models.family import LatentDistribution
from sdtui.profile.schema import Augment
from sdtui.training import cache as cache_module
from sdtui.training import store as store_module
from sdtui.training.cache import LatentCache, Latents
from sdtui.training.store import TensorStore
from tests.training.fakes import FakeModel

SQUARE, WIDE = Bucket(16, 16), Bucket(32, 8)


def picture(path: Path, colour: str = "white", size: tuple[int, int] = (16, 16), bucket: Bucket = SQUARE) -> Sample:
    if not path.exists():
        Image.new("RGB", size, colour).save(path)
    return Sample(path, "", 1, read_facts(path), bucket, str(path.parent))


def made(model: FakeModel, samples: list[Sample], background: str = "white", **augment: Any) -> LatentCache:
    return LatentCache(model, samples, background, [Augment(**augment)])


def fill(model: FakeModel, samples: list[Sample], background: str = "white", **augment: Any) -> LatentCache:
    filled = made(model, samples, background, **augment)
    assert filled.fill(lambda done, total: None) == {}
    return filled


def test_latents_are_mean_and_std_of_the_image(tmp_path: Path) -> None:
    samples = [picture(tmp_path / "a.png", "white"), picture(tmp_path / "b.png", "black")]
    latents = fill(FakeModel(), samples).latents(range(2))
    assert latents.at(0, False, 0).mean.tolist() == torch.ones(4, 2, 2).tolist()
    assert latents.at(1, False, 0).mean.tolist() == (-torch.ones(4, 2, 2)).tolist()
    assert latents.at(0, False, 0).std.tolist() == torch.zeros(4, 2, 2).tolist()


def test_a_second_run_encodes_nothing(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue"])]
    fill(FakeModel(), samples)
    second = FakeModel()
    fill(second, samples)
    assert second.encoded_images == 0


def test_a_renamed_image_keeps_its_latents(tmp_path: Path) -> None:
    fill(FakeModel(), [picture(tmp_path / "a.png", "red")])
    (tmp_path / "a.png").rename(tmp_path / "z.png")
    second = FakeModel()
    fill(second, [picture(tmp_path / "z.png")])
    assert second.encoded_images == 0


def test_changed_bytes_under_the_same_name_are_encoded_anew(tmp_path: Path) -> None:
    fill(FakeModel(), [picture(tmp_path / "a.png", "red")])
    Image.new("RGB", (16, 16), "black").save(tmp_path / "a.png")
    second = FakeModel()
    latents = fill(second, [picture(tmp_path / "a.png")]).latents([0])
    assert second.encoded_images == 1
    assert latents.at(0, False, 0).mean[0, 0, 0].item() == -1.0


@pytest.mark.parametrize("change", ["vae", "bucket", "background", "code"])
def test_whatever_else_shapes_latents_is_part_of_the_key(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(FakeModel(), [picture(tmp_path / "a.png", "red")])
    second = FakeModel("another vae" if change == "vae" else "vae")
    if change == "code":
        monkeypatch.setattr(cache_module, "CODE_VERSION", 99)
    bucket = WIDE if change == "bucket" else SQUARE
    fill(second, [picture(tmp_path / "a.png", bucket=bucket)], "black" if change == "background" else "white")
    assert second.encoded_images == 1


def test_nothing_is_written_among_the_images(tmp_path: Path) -> None:
    fill(FakeModel(), [picture(tmp_path / "a.png")])
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert len(list((paths.cache_dir() / "latents").rglob("*.safetensors"))) == 1


def test_numbers_that_are_not_finite_are_never_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(pixels: torch.Tensor) -> LatentDistribution:
        return LatentDistribution(torch.full((len(pixels), 4, 2, 2), torch.nan), torch.zeros(len(pixels), 4, 2, 2))

    model = FakeModel()
    monkeypatch.setattr(model, "encode_images", broken)
    with pytest.raises(SdtuiError, match="not finite") as caught:
        made(model, [picture(tmp_path / "a.png")]).fill(lambda done, total: None)
    assert caught.value.where == str(tmp_path / "a.png")
    assert not list(paths.cache_dir().rglob("*.safetensors"))


def test_all_unreadable_images_are_returned_and_the_others_encoded(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", size=(64, 64)) for n in range(4)]
    for n in (1, 3):
        samples[n].path.write_bytes(samples[n].path.read_bytes()[:60])
    cache = made(FakeModel(), samples)
    unreadable = cache.fill(lambda done, total: None)
    assert sorted(unreadable) == [1, 3]
    assert unreadable[1].where == str(tmp_path / "1.png")
    assert cache.latents([0, 2]).at(1, False, 0).mean.shape == (4, 2, 2)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images as their pixels are read."""
    names: list[str] = []

    def noted(path: Path, background: str) -> Image.Image:
        names.append(path.name)
        return open_rgb(path, background)

    monkeypatch.setattr(cache_module, "open_rgb", noted)
    return names


def rendered(cache: LatentCache, opened: list[str], count: int) -> None:
    """Let `cache` render beforehand until `count` images are read, and the last is done."""
    with cache.rendering():
        until = time.monotonic() + 60
        while len(opened) < count and time.monotonic() < until:
            time.sleep(0.001)
    assert len(opened) == count


def test_images_read_before_the_model_is_there_have_the_same_latents(tmp_path: Path, opened: list[str]) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour, (40, 30)) for n, colour in enumerate(["red", "blue", "green"])]
    fill(FakeModel(), samples, flip=True, crop="random", variants=3)
    entries = {path: path.read_bytes() for path in (paths.cache_dir() / "latents").rglob("*.safetensors")}
    for path in entries:
        path.unlink()
    opened.clear()

    cache = made(FakeModel(), samples, flip=True, crop="random", variants=3)
    rendered(cache, opened, 3)
    assert cache.fill(lambda done, total: None) == {}
    assert sorted(opened) == ["0.png", "1.png", "2.png"]
    assert {path: path.read_bytes() for path in (paths.cache_dir() / "latents").rglob("*.safetensors")} == entries


def test_no_more_is_read_beforehand_than_there_is_room_for(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "RENDERED_BYTES", 2 * 2 * 3 * 16 * 16)  # two images, both ways round
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    cache = made(FakeModel(), samples, flip=True)
    with cache.rendering():
        begun = len(cache._rendered._begun)
    assert begun == 2
    assert cache.fill(lambda done, total: None) == {}
    assert sorted(opened) == ["0.png", "1.png", "2.png"]


def test_what_is_encoded_is_not_read_beforehand(tmp_path: Path, opened: list[str]) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    fill(FakeModel(), samples[:2])
    opened.clear()
    rendered(made(FakeModel(), samples), opened, 1)
    assert opened == ["2.png"]


def test_an_image_found_unreadable_beforehand_is_told_like_any_other(tmp_path: Path, opened: list[str]) -> None:
    samples = [picture(tmp_path / f"{n}.png", size=(64, 64)) for n in range(2)]
    samples[1].path.write_bytes(samples[1].path.read_bytes()[:60])
    cache = made(FakeModel(), samples)
    rendered(cache, opened, 2)
    (found,) = cache.fill(lambda done, total: None).items()
    assert (found[0], found[1].where) == (1, str(tmp_path / "1.png"))
    assert sorted(opened) == ["0.png", "1.png"]


def test_progress_counts_images_and_can_end_the_work(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    told: list[tuple[int, int]] = []
    made(FakeModel(), samples).fill(lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(FakeModel(), samples, "black").fill(stop)


def test_reading_a_large_dataset_can_be_ended_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(digests, "SETTLED_NS", -(10**18))
    with pytest.raises(KeyboardInterrupt):
        LatentCache(FakeModel(), samples, "white", [Augment()], progress=progress)
    assert told == [(1, 3), (2, 3)]
    read: list[str] = []

    def noted(path: Path) -> str:
        read.append(path.name)
        return content_digest(path)

    monkeypatch.setattr(digests, "content_digest", noted)
    made(FakeModel(), samples)
    assert read == ["2.png"]


def entries() -> set[str]:
    return {path.name for path in (paths.cache_dir() / "latents").rglob("*.safetensors")}


def ways(latents: Latents) -> set[tuple[bool, int]]:
    return {
        (flip, variant)
        for flip in (False, True)[: 1 + latents.ways[0].flips]
        for variant in range(latents.ways[0].variants)
    }


def mask_of(latents: Latents, number: int, *, flip: bool = False) -> list[list[float]]:
    mask = latents.at(number, flip, 0).mask
    assert mask is not None
    return [[round(place, 6) for place in row] for row in mask.tolist()]


def half_black(path: Path, size: tuple[int, int] = (32, 16)) -> Path:
    """White, its left half black."""
    image = Image.new("RGB", size, "white")
    image.paste("black", (0, 0, size[0] // 2, size[1]))
    image.save(path)
    return path


class LeftColumn(FakeModel):
    """Answers with the left column of the pixels instead of their mean."""

    def encode_images(self, pixels: torch.Tensor) -> LatentDistribution:
        return super().encode_images(pixels[..., :1])


def test_each_image_is_encoded_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    seen: list[int] = []
    encode = model.encode_images

    def noted(pixels: torch.Tensor) -> LatentDistribution:
        seen.append(len(pixels))
        return encode(pixels)

    monkeypatch.setattr(model, "encode_images", noted)
    fill(model, [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])])
    assert seen == [1, 1, 1]


class Busy(FakeModel):
    """Notes how many threads each image has, and goes on only once `together` of them are being encoded."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self.others = threading.Barrier(together, timeout=60)
        self.threads: list[int] = []

    def encode_images(self, pixels: torch.Tensor) -> LatentDistribution:
        self.others.wait()
        self.threads.append(torch.get_num_threads())
        return super().encode_images(pixels)


@pytest.fixture
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize(
    ("bucket", "together", "each"),
    [(SQUARE, 4, 1), (Bucket(256, 512), 2, 2), (Bucket(512, 768), 1, 4)],
    ids=["small", "middle", "large"],
)
def test_the_smaller_images_are_the_more_are_encoded_at_once(
    tmp_path: Path, bucket: Bucket, together: int, each: int
) -> None:
    colours = ["red", "blue", "green", "gold"]
    samples = [picture(tmp_path / f"{n}.png", colour, bucket, bucket) for n, colour in enumerate(colours)]
    model = Busy(together)
    latents = fill(model, samples).latents(range(4))
    assert model.threads == [each] * 4
    assert torch.get_num_threads() == 4
    assert [round(float(latents.at(n, False, 0).mean[0, 0, 0]), 2) for n in range(4)] == [-0.33, -0.33, -0.67, 0.23]


@pytest.mark.usefixtures("four_threads")
def test_an_entry_that_is_made_again_has_as_many_threads_as_the_first_time(tmp_path: Path) -> None:
    model = Busy(1)
    latents = fill(model, [picture(tmp_path / "a.png")]).latents([0])
    latents.store._memory.clear()
    for path in (paths.cache_dir() / "latents").rglob("*.safetensors"):
        path.unlink()
    latents.at(0, False, 0)
    assert model.threads == [1, 1]
    assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("four_threads")
def test_a_gpu_encodes_one_after_another(tmp_path: Path) -> None:
    model = Busy(1)
    model.device = torch.device("cuda")
    fill(model, [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])])
    assert model.threads == [4, 4, 4]


def test_what_is_there_already_is_no_progress(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    fill(FakeModel(), samples[:2])
    told: list[tuple[int, int]] = []
    made(FakeModel(), samples).fill(lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]


def test_killed_while_caching_only_the_rest_is_encoded(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green", "gold"])]

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(FakeModel(), samples).fill(stop)
    second = FakeModel()
    fill(second, samples)
    assert second.encoded_images == 1


def test_runs_that_cache_at_the_same_time_share_what_each_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green", "gold"])]
    first, second = FakeModel(), FakeModel()
    other = made(second, samples)

    def meanwhile(done: int, total: int) -> None:
        if done == 2:
            monkeypatch.setattr(cache_module, "derive", lambda *_: 2)
            other.fill(lambda done, total: None)

    monkeypatch.setattr(cache_module, "derive", lambda *_: 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)  # else the first is ahead of what it tells
    made(first, samples).fill(meanwhile)
    assert (first.encoded_images, second.encoded_images) == (2, 2)


def test_an_entry_that_is_damaged_or_deleted_while_training_is_made_again(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue"])]
    fill(FakeModel(), samples)
    model = FakeModel()
    latents = fill(model, samples).latents([1, 0])
    before = [latents.at(number, False, 0).mean for number in range(2)]
    for path in (paths.cache_dir() / "latents").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-3])
    again = fill(model, samples).latents([1, 0])
    assert all(torch.equal(again.at(number, False, 0).mean, before[number]) for number in range(2))
    assert model.encoded_images == 2


def test_an_entry_that_is_not_in_memory_is_read_once_each_time_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [picture(tmp_path / "a.png")]
    fill(FakeModel(), samples)
    store = TensorStore(paths.cache_dir() / "latents", memory_bytes=0)
    latents = LatentCache(FakeModel(), samples, "white", [Augment()], store).latents([0])
    read: list[Path] = []
    whole = store_module._read

    def noted(path: Path) -> dict[str, torch.Tensor] | None:
        read.append(path)
        return whole(path)

    monkeypatch.setattr(store_module, "_read", noted)
    for _ in range(3):
        latents.at(0, False, 0)
    assert len(read) == 3


def test_both_ways_round_are_encoded_from_pixels(tmp_path: Path) -> None:
    half_black(tmp_path / "a.png", (16, 16))
    model = LeftColumn()
    latents = fill(model, [picture(tmp_path / "a.png")], flip=True).latents([0])
    assert model.encoded_images == 2
    assert ways(latents) == {(False, 0), (True, 0)}
    assert latents.at(0, False, 0).mean.tolist() == (-torch.ones(4, 2, 2)).tolist()
    assert latents.at(0, True, 0).mean.tolist() == torch.ones(4, 2, 2).tolist()


def test_a_random_crop_shows_each_variant_another_part(tmp_path: Path) -> None:
    half_black(tmp_path / "a.png")
    latents = fill(FakeModel(), [picture(tmp_path / "a.png")], crop="random", variants=6).latents([0])
    for _, variant in ways(latents):
        found = latents.at(0, False, variant)
        left, top = found.sizes.crop
        # A crop of 16 columns that begins at `left` has so many black ones.
        assert found.mean[0, 0, 0].item() == pytest.approx(1 - 2 * (16 - left) / 16, abs=0.02)
        assert (found.sizes.original, top, found.sizes.target) == ((32, 16), 0, (16, 16))
    assert len({latents.at(0, False, variant).sizes.crop for variant in range(6)}) > 2


def test_where_nothing_stands_out_a_random_crop_is_the_only_one(tmp_path: Path) -> None:
    model = FakeModel()
    latents = fill(model, [picture(tmp_path / "a.png")], crop="random", variants=8).latents([0])
    assert (latents.ways[0].variants, model.encoded_images) == (1, 1)


def test_variants_that_come_out_alike_are_encoded_once(tmp_path: Path) -> None:
    model = FakeModel()
    told: list[tuple[int, int]] = []
    cache = made(model, [picture(tmp_path / "a.png", size=(17, 16))], crop="random", variants=8)
    cache.fill(lambda done, total: told.append((done, total)))
    assert model.encoded_images == 2
    assert told[-1] == (8, 8)


def test_two_runs_share_all_variants(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour, (40, 16)) for n, colour in enumerate(["red", "blue"])]
    augment: dict[str, Any] = {"flip": True, "crop": "random", "brightness": 0.2, "variants": 4}
    first, second, larger = FakeModel(), FakeModel(), FakeModel()
    fill(first, samples, **augment)
    fill(second, samples, **augment)
    fill(larger, samples, **{**augment, "variants": 6})
    assert (first.encoded_images, second.encoded_images, larger.encoded_images) == (16, 0, 8)


def test_colours_change_the_latents(tmp_path: Path) -> None:
    grey = [picture(tmp_path / "a.png", "#808080")]
    latents = fill(FakeModel(), grey, brightness=0.5, variants=5).latents([0])
    means = {latents.at(0, False, variant).mean[0, 0, 0].item() for variant in range(5)}
    assert len(means) == 5
    assert all(64 / 127.5 - 1 <= mean <= 192 / 127.5 - 1 for mean in means)


def test_images_that_are_only_measured_are_never_varied(tmp_path: Path) -> None:
    half_black(tmp_path / "a.png")
    sample = replace(picture(tmp_path / "a.png"), role="validation")
    model = FakeModel()
    latents = fill(model, [sample], flip=True, crop="random", hue=0.5).latents([0])
    assert ways(latents) == {(False, 0)}
    assert latents.at(0, False, 0).sizes.crop == (8, 0)
    assert model.encoded_images == 1


def test_each_folder_has_its_own_ways(tmp_path: Path) -> None:
    first = picture(tmp_path / "a.png", "red")
    second = replace(picture(tmp_path / "b.png", "blue"), row=1)
    cache = LatentCache(FakeModel(), [first, second], "white", [Augment(), Augment(flip=True)])
    assert [way.flips for way in cache.latents([0, 1]).ways] == [False, True]


def test_a_mask_is_kept_with_the_latents_and_its_bytes_are_part_of_the_key(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    half_black(masks / "a.png", (16, 16))
    sample = replace(picture(tmp_path / "a.png", "red"), mask=masks / "a.png")
    latents = fill(FakeModel(), [sample], flip=True).latents([0])
    assert mask_of(latents, 0) == [[0, 1], [0, 1]]
    assert mask_of(latents, 0, flip=True) == [[1, 0], [1, 0]]
    Image.new("L", (16, 16), 51).save(masks / "a.png")
    model = FakeModel()
    again = fill(model, [sample], flip=True).latents([0])
    assert mask_of(again, 0) == [[0.2, 0.2], [0.2, 0.2]]
    assert model.encoded_images == 2
    assert fill(FakeModel(), [picture(tmp_path / "a.png")]).latents([0]).at(0, False, 0).mask is None


def test_masks_of_a_file_and_of_transparency_are_multiplied(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    half_black(masks / "a.png", (16, 16))
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 255))
    image.paste((0, 0, 255, 102), (0, 0, 16, 8))
    image.save(tmp_path / "a.png")
    both = replace(picture(tmp_path / "a.png"), mask=masks / "a.png", alpha_mask=True)
    alpha = replace(both, mask=None)
    latents = fill(FakeModel(), [both, alpha]).latents([0, 1])
    assert mask_of(latents, 0) == [[0, 0.4], [0, 1]]
    assert mask_of(latents, 1) == [[0.4, 0.4], [1, 1]]


def test_an_image_without_transparency_counts_as_a_whole(tmp_path: Path) -> None:
    sample = replace(picture(tmp_path / "a.png"), alpha_mask=True)
    assert fill(FakeModel(), [sample]).latents([0]).at(0, False, 0).mask is None


def test_a_mask_that_cannot_be_read_is_told_of_its_image(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    bad = tmp_path / "masks" / "a.png"
    bad.write_bytes(b"")
    sample = replace(picture(tmp_path / "a.png"), mask=bad)
    unreadable = made(FakeModel(), [sample]).fill(lambda done, total: None)
    assert unreadable[0].where == str(bad)


def test_an_image_that_changes_while_it_is_encoded_ends_the_run(tmp_path: Path) -> None:
    cache = made(FakeModel(), [picture(tmp_path / "a.png", "red")])
    Image.new("RGB", (16, 16), "black").save(tmp_path / "a.png")
    with pytest.raises(SdtuiError, match="changed"):
        cache.fill(lambda done, total: None)
    assert not entries()


def test_a_mask_that_changes_while_its_image_is_encoded_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    mask = half_black(tmp_path / "masks" / "a.png")
    cache = made(FakeModel(), [replace(picture(tmp_path / "a.png"), mask=mask)])
    Image.new("L", (32, 16)).save(mask)
    with pytest.raises(SdtuiError, match="changed"):
        cache.fill(lambda done, total: None)


def test_an_image_that_vanishes_is_unreadable(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue"])]
    samples[0].path.unlink()
    assert list(made(FakeModel(), samples).fill(lambda done, total: None)) == [0]
