"""Pixels in one of the ways an image is shown, against Pillow's own steps and hand-computed values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sdtui.dataset.buckets import Bucket, Fit, fit
from sdtui.training.pixels import as_input, recolour, render, render_mask
from sdtui.training.views import Colours, View

WIDE = Bucket(32, 8)
SAME = Colours(1, 1, 1, 0)


def middle(size: tuple[int, int], bucket: Bucket) -> View:
    return View(fit(*size, bucket), None, False)


def grey(*values: int) -> Image.Image:
    """One row of greys."""
    return Image.fromarray(np.array([[(value,) * 3 for value in values]], dtype=np.uint8))


def row(image: Image.Image) -> list[tuple[int, int, int]]:
    return [tuple(pixel) for pixel in np.array(image)[0].tolist()]


def test_a_vae_reads_minus_one_to_one() -> None:
    pixels = torch.tensor([[[0, 255, 51]]], dtype=torch.uint8)
    assert as_input(pixels).flatten().tolist() == pytest.approx([-1.0, 1.0, -0.6])
    assert as_input(pixels).shape == (1, 3, 1, 1)


def test_pixels_are_scaled_to_cover_the_bucket_and_cropped() -> None:
    image = Image.new("RGB", (64, 16), "black")
    image.paste("white", (24, 0, 40, 16))  # the middle quarter, which is all the square keeps
    pixels = render(image, middle((64, 16), Bucket(16, 16)))
    assert pixels.shape == (16, 16, 3)
    assert pixels.min() == 255


def test_only_what_the_crop_keeps_is_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    strip = Image.linear_gradient("L").resize((60_000, 10)).convert("RGB")
    strip.paste("red", (29_990, 0, 30_000, 10))
    strip.paste("blue", (30_000, 0, 30_010, 10))
    made: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def noted(image: Image.Image, size: tuple[int, int], *rest: Any, **named: Any) -> Image.Image:
        made.append((size[0], size[1]))
        return resize(image, size, *rest, **named)

    monkeypatch.setattr(Image.Image, "resize", noted)
    pixels = render(strip, middle(strip.size, Bucket(16, 16)))
    assert made == [(16, 16)]
    assert pixels[8, 0].tolist() == [255, 0, 0]
    assert pixels[8, 15].tolist() == [0, 0, 255]


@pytest.mark.parametrize("size", [(100, 37), (37, 100), (64, 64), (16, 16), (333, 40)])
def test_pixels_are_those_of_scaling_all_and_cropping_then(size: tuple[int, int]) -> None:
    # Mild noise: where values saturate, the order of the two passes shows.
    noise = Image.effect_noise(size, 15).convert("RGB")
    scaled = fit(*size, WIDE)
    whole = np.array(noise.resize(scaled.resize, Image.Resampling.LANCZOS).crop(scaled.crop))
    difference = render(noise, View(scaled, None, False)).int() - torch.from_numpy(whole).int()
    assert difference.abs().max() <= 2


def test_a_crop_from_the_corner_shows_the_corner() -> None:
    image = Image.new("RGB", (40, 16), "black")
    image.paste("white", (24, 0, 40, 16))
    pixels = render(image, View(Fit((40, 16), (24, 0, 40, 16)), None, False))
    assert pixels.min() == 255


def test_the_mirrored_image_is_that_crop_mirrored() -> None:
    noise = Image.effect_noise((40, 16), 50).convert("RGB")
    crop = Fit((40, 16), (3, 0, 19, 16))
    assert torch.equal(render(noise, View(crop, None, True)), render(noise, View(crop, None, False)).flip(1))


def test_brightness_is_a_factor() -> None:
    assert row(recolour(grey(0, 100, 250), SAME._replace(brightness=1.5))) == [(0,) * 3, (150,) * 3, (255,) * 3]


def test_contrast_is_a_factor_on_the_distance_from_the_mean_grey() -> None:
    # Mean 100: 100 + 0.5 · (40 - 100) = 70.
    assert row(recolour(grey(40, 160), SAME._replace(contrast=0.5))) == [(70,) * 3, (130,) * 3]


def test_saturation_is_a_factor_on_the_distance_from_the_own_grey() -> None:
    # Luma of pure red: 0.299 · 255 = 76; half way from there: (76 + 255) / 2 = 165, 76 / 2 = 38.
    red = Image.new("RGB", (1, 1), (255, 0, 0))
    assert row(recolour(red, SAME._replace(saturation=0.5))) == [(165, 38, 38)]
    assert row(recolour(red, SAME._replace(saturation=0))) == [(76, 76, 76)]


@pytest.mark.parametrize(
    ("turn", "expected"), [(1 / 3, (0, 255, 0)), (-1 / 3, (0, 0, 255)), (0.5, (0, 255, 255)), (1 / 1024, (255, 0, 0))]
)
def test_the_hue_turns_round_the_circle(turn: float, expected: tuple[int, int, int]) -> None:
    red = Image.new("RGB", (1, 1), (255, 0, 0))
    found = row(recolour(red, SAME._replace(hue=turn)))[0]
    assert found == pytest.approx(expected, abs=6)  # one of the 256 steps is 6 levels


def test_changes_are_made_in_their_order() -> None:
    # (100, 200) · 1.5 = (150, 255), mean 202.5, which Pillow rounds to 203; half way: 176.5 and 229, cut to bytes.
    found = row(recolour(grey(100, 200), Colours(1.5, 0.5, 1, 0)))
    assert found == [(176,) * 3, (229,) * 3]


def test_colours_are_changed_after_cropping() -> None:
    image = Image.new("RGB", (64, 16), "white")
    image.paste((100, 100, 100), (24, 0, 40, 16))
    view = middle((64, 16), Bucket(16, 16))._replace(colours=SAME._replace(contrast=0.0))
    assert set(render(image, view).flatten().tolist()) == {100}  # the mean of what is shown, not of the whole


def test_a_mask_is_the_mean_over_the_area_of_each_place() -> None:
    mask = Image.new("L", (16, 16), 0)
    mask.paste(255, (0, 0, 12, 16))
    mask.paste(102, (12, 8, 16, 16))
    found = render_mask([mask], middle((16, 16), Bucket(16, 16)), 2, 2)
    # Right half: 4 white of 8 columns, the rest black above and 0.4 below.
    assert found.numpy() == pytest.approx(np.array([[1, 0.5], [1, 0.7]]))


def test_a_mask_is_cropped_and_mirrored_as_its_image() -> None:
    mask = Image.new("L", (40, 16), 0)
    mask.paste(255, (24, 0, 32, 16))
    crop = Fit((40, 16), (24, 0, 40, 16))
    assert render_mask([mask], View(crop, None, False), 2, 2).tolist() == [[1, 0], [1, 0]]
    assert render_mask([mask], View(crop, None, True), 2, 2).tolist() == [[0, 1], [0, 1]]


def test_a_mask_of_another_size_covers_the_same_part() -> None:
    mask = Image.new("L", (20, 8), 0)  # half the image's sides
    mask.paste(255, (12, 0, 16, 8))
    view = View(Fit((40, 16), (24, 0, 40, 16)), None, False)
    assert render_mask([mask], view, 2, 2).tolist() == [[1, 0], [1, 0]]


def test_masks_are_multiplied() -> None:
    masks = [Image.new("L", (16, 16), 51), Image.new("L", (8, 8), 127)]
    found = render_mask(masks, middle((16, 16), Bucket(16, 16)), 2, 2)
    assert found.flatten().tolist() == pytest.approx([0.2 * 127 / 255] * 4)
