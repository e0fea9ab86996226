"""The pixels of an image in one of its ways, and the mask over them."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from sdtui.dataset.buckets import Fit
from sdtui.training.views import Colours, View


def render(image: Image.Image, view: View) -> Tensor:
    """The upright RGB `image` in that way, (H, W, 3) uint8."""
    left, top, right, bottom = view.fit.crop
    # Only what the crop keeps is scaled: a strip of 60 000 × 10 pixels would grow to gigabytes first.
    box = _box(image, view.fit)
    shown = image.resize((right - left, bottom - top), Image.Resampling.LANCZOS, box=box)
    if view.colours is not None:
        shown = recolour(shown, view.colours)
    return torch.from_numpy(np.array(ImageOps.mirror(shown) if view.flip else shown))


def as_input(pixels: Tensor) -> Tensor:
    """What a VAE reads, (1, 3, H, W) in [-1, 1], of pixels (H, W, 3) uint8."""
    return (pixels.permute(2, 0, 1).float() / 127.5 - 1.0).unsqueeze(0)


def recolour(image: Image.Image, colours: Colours) -> Image.Image:
    """An RGB image in other colours: brightness, contrast, saturation, hue, each rounded to 8 bits.

    Brightness is a factor on each pixel, contrast one on its distance from the image's mean grey, saturation one on its
    distance from its own grey (ITU-R 601 luma). Hue goes round by steps of 1/256 of the circle in Pillow's HSV.
    """
    if colours.brightness != 1:
        image = ImageEnhance.Brightness(image).enhance(colours.brightness)
    if colours.contrast != 1:
        image = ImageEnhance.Contrast(image).enhance(colours.contrast)
    if colours.saturation != 1:
        image = ImageEnhance.Color(image).enhance(colours.saturation)
    if steps := round(256 * colours.hue) % 256:
        hue, saturation, value = image.convert("HSV").split()
        turned = hue.point([(step + steps) % 256 for step in range(256)])
        image = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    return image


def render_mask(masks: list[Image.Image], view: View, width: int, height: int) -> Tensor:
    """The product of grey `masks` over the image in that way, (height, width) from 0 to 1 for latents of that size.

    Each place is the mean over the area that it stands for. A mask may have another size than its image.
    """
    product = torch.ones(height, width)
    for mask in masks:
        # In floats: the mean of many 8-bit values is not one.
        grey = mask.convert("F").resize((width, height), Image.Resampling.BOX, box=_box(mask, view.fit))
        product = product * torch.from_numpy(np.array(grey) / np.float32(255))
    return product.flip(1) if view.flip else product


def _box(image: Image.Image, fit: Fit) -> tuple[float, float, float, float]:
    """The part of `image` that the crop keeps, in its own pixels."""
    across, down = image.width / fit.resize[0], image.height / fit.resize[1]
    left, top, right, bottom = fit.crop
    return left * across, top * down, min(right * across, image.width), min(bottom * down, image.height)
