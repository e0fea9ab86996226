"""Latents: made once for the same bytes, made anew for others, and never among the images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sdtui import paths
from sdtui.dataset.buckets import Bucket, fit
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import read_facts
from sdtui.errors import SdtuiError
from sdtui.models.family import LatentDistribution
from sdtui.training import cache
from sdtui.training.cache import LatentCache, load_pixels
from tests.training.fakes import FakeModel

SQUARE, WIDE = Bucket(16, 16), Bucket(32, 8)


def picture(path: Path, colour: str = "white", size: tuple[int, int] = (16, 16), bucket: Bucket = SQUARE) -> Sample:
    if not path.exists():
        Image.new("RGB", size, colour).save(path)
    return Sample(path, "", 1, read_facts(path), bucket, str(path.parent))


def fill(model: FakeModel, samples: list[Sample], background: str = "white") -> LatentCache:
    filled = LatentCache(model, samples, background)
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
        monkeypatch.setattr(cache, "CODE_VERSION", 99)
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
        LatentCache(model, [picture(tmp_path / "a.png")], "white").fill(lambda done, total: None)
    assert caught.value.where == str(tmp_path / "a.png")
    assert not list(paths.cache_dir().rglob("*.safetensors"))


def test_all_unreadable_images_are_returned_and_the_others_encoded(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", size=(64, 64)) for n in range(4)]
    for n in (1, 3):
        samples[n].path.write_bytes(samples[n].path.read_bytes()[:60])
    made = LatentCache(FakeModel(), samples, "white")
    unreadable = made.fill(lambda done, total: None)
    assert sorted(unreadable) == [1, 3]
    assert unreadable[1].where == str(tmp_path / "1.png")
    assert made.latents([0, 2]).at(1, False, 0).mean.shape == (4, 2, 2)


def test_progress_counts_images_and_can_end_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "CHUNK_PIXELS", 2 * 16 * 16)
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    told: list[tuple[int, int]] = []
    LatentCache(FakeModel(), samples, "white").fill(lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LatentCache(FakeModel(), samples, "white").fill(stop)


def test_a_chunk_with_one_missing_entry_is_encoded_as_it_was(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    fill(FakeModel(), samples)
    next((paths.cache_dir() / "latents").rglob("*.safetensors")).unlink()
    second = FakeModel()
    fill(second, samples)
    assert second.encoded_images == 3


def test_pixels_are_scaled_to_cover_the_bucket_and_cropped(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 16), "black")
    image.paste("white", (24, 0, 40, 16))  # the middle quarter, which is all the square keeps
    image.save(tmp_path / "a.png")
    pixels = load_pixels(picture(tmp_path / "a.png"), "white")
    assert pixels.shape == (3, 16, 16)
    assert pixels.min().item() == pytest.approx(1.0)


def test_reading_a_large_dataset_can_be_ended(tmp_path: Path) -> None:
    samples = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green"])]
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LatentCache(FakeModel(), samples, "white", progress=progress)
    assert told == [(1, 3), (2, 3)]


def test_only_what_the_crop_keeps_is_scaled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strip = Image.linear_gradient("L").resize((60_000, 10)).convert("RGB")
    strip.paste("red", (29_990, 0, 30_000, 10))
    strip.paste("blue", (30_000, 0, 30_010, 10))
    strip.save(tmp_path / "strip.png")
    made: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def noted(image: Image.Image, size: tuple[int, int], *rest: Any, **named: Any) -> Image.Image:
        made.append((size[0], size[1]))
        return resize(image, size, *rest, **named)

    monkeypatch.setattr(Image.Image, "resize", noted)
    pixels = load_pixels(picture(tmp_path / "strip.png", bucket=SQUARE), "white")
    assert made == [(16, 16)]
    assert pixels[:, 8, 0].tolist() == [1.0, -1.0, -1.0]
    assert pixels[:, 8, 15].tolist() == [-1.0, -1.0, 1.0]


@pytest.mark.parametrize("size", [(100, 37), (37, 100), (64, 64), (16, 16), (333, 40)])
def test_pixels_are_those_of_scaling_all_and_cropping_then(tmp_path: Path, size: tuple[int, int]) -> None:
    # Mild noise: where values saturate, the order of the two passes shows.
    noise = Image.effect_noise(size, 15).convert("RGB")
    noise.save(tmp_path / "a.png")
    sample = picture(tmp_path / "a.png", bucket=WIDE)
    scaled = fit(*size, WIDE)
    whole = noise.resize(scaled.resize, Image.Resampling.LANCZOS).crop(scaled.crop)
    expected = torch.from_numpy(np.asarray(whole, dtype=np.float32).copy()).permute(2, 0, 1) / 127.5 - 1.0
    assert (load_pixels(sample, "white") - expected).abs().max() <= 2.01 / 127.5
