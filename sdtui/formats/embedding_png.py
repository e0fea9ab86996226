"""A1111's pictures that are embeddings: the vectors as text beside the pixels, and as columns of pixels at both edges.

The columns survive programs that throw a picture's text away. They hold the dictionary of a `.pt` file as JSON, deflated:
the low halves of its bytes at the left, the high halves at the right, each in the low four bits of a pixel's colours, and
decorated in the high four. Source: A1111's `modules/textual_inversion/image_embedding.py`, as facts.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageChops, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from sdtui.profile.naming import PICTURE_TENSOR, PICTURE_TEXT

# The generator behind the whitening: X(n + 1) = (A · X(n) + C) mod 2³² (Knuth's and Lewis' "quick and dirty" one).
_A, _C = 1664525, 1013904223
_CIRCLE, _APART = 6, 8
_SIDE = 512

Bytes = npt.NDArray[np.uint8]


def encode(data: dict[str, Any], picture: Image.Image, kind: str = "PNG") -> bytes:
    """A "PNG" or "WEBP" of `picture` (any mode) that holds `data`, the dictionary of a `.pt` file; WebP in its pixels only."""
    text = json.dumps(_written(data))
    framed = _framed(picture.convert("RGB"), zlib.compress(text.encode(), 9), _first(data))
    stream = io.BytesIO()
    if kind == "WEBP":
        framed.save(stream, "WEBP", lossless=True, exact=True)
    else:
        chunks = PngInfo()
        chunks.add_text(PICTURE_TEXT, base64.b64encode(text.encode()).decode())
        framed.save(stream, "PNG", pnginfo=chunks)
    return stream.getvalue()


def opened(cover: Path | None) -> Image.Image | None:
    """The picture `cover`, its shorter side 512 or more; None without one, and for one that is damaged."""
    if cover is None:
        return None
    try:
        with Image.open(cover) as found:
            picture = found.convert("RGB")
    except OSError:
        # It is for looking at only: the vectors must not wait for it.
        return None
    factor = _SIDE / min(picture.size)
    return picture if factor <= 1 else picture.resize([round(side * factor) for side in picture.size])


def card(name: str, notes: tuple[str, str, str], cover: Image.Image | None = None) -> Image.Image:
    """A picture that says what it is: the name on top, the model, its hash and what `notes` tell else at the foot.

    Text stands on `cover`, darkened behind it as A1111 does, or on plain grey.
    """
    picture = _plain() if cover is None else _darkened(cover)
    width, height = picture.size
    draw = ImageDraw.Draw(picture)
    title, small = f"<{name}>", ImageFont.load_default(20)
    # A long name in smaller letters, so that it is all there.
    room = min(1.0, (width - 48) / draw.textlength(title, ImageFont.load_default(56)))
    draw.text((width // 2, 40), title, font=ImageFont.load_default(56 * room), anchor="ma", fill="white")
    for text, across, anchor in zip(notes, (24, width // 2, width - 24), ("ls", "ms", "rs"), strict=True):
        draw.text((across, height - 40), text, font=small, anchor=anchor, fill="white")
    return picture


def _plain() -> Image.Image:
    shade = Image.linear_gradient("L").resize((_SIDE, _SIDE)).point(lambda value: 40 + value // 3)
    return Image.merge("RGB", (shade, shade, shade.point(lambda value: value + 30)))


def _darkened(cover: Image.Image) -> Image.Image:
    """Half as bright at the upper and lower edge, as it was in the middle."""
    ramp = Image.linear_gradient("L").point(lambda value: min(255, 128 + min(value, 255 - value) * 3))
    return ImageChops.multiply(cover, Image.merge("RGB", [ramp.resize(cover.size)] * 3))


def decode(content: bytes) -> dict[str, Any]:
    """The dictionary in a picture's text or else in its pixels.

    Raises:
        ValueError: it holds none.
        OSError: it is no picture.
    """
    with Image.open(io.BytesIO(content)) as image:
        text = image.info.get(PICTURE_TEXT)
        pixels = None if text else np.array(image.convert("RGB"))
    if text:
        packed = base64.b64decode(text)
    else:
        assert pixels is not None
        packed = zlib.decompressobj().decompress(_unframed(pixels))
    return cast("dict[str, Any]", json.loads(packed, object_hook=_read))


def whitening(length: int) -> Bytes:
    """The first `length` numbers below 16 that the low four bits are mixed with."""
    made = np.empty(length, np.uint8)
    state = 0
    for at in range(length):
        state = (_A * state + _C) % 2**32
        made[at] = state % 255 & 15
    return made


def _framed(picture: Image.Image, packed: bytes, first: Bytes) -> Image.Image:
    height = picture.height
    values = np.frombuffer(packed, np.uint8)
    length = len(values) + height - len(values) % height
    length += 3 * height - length % (3 * height)
    columns = length // (3 * height)
    low, high = (np.resize(half, length).reshape(height, columns, 3) for half in (values & 15, values >> 4))
    mixed = whitening(length).reshape(height, columns, 3)
    left = low ^ mixed ^ _circles(first, columns, height)
    right = high ^ mixed ^ _circles(first[::-1], columns, height)
    black = np.zeros((height, 1, 3), np.uint8)
    return Image.fromarray(np.concatenate([left, black, np.array(picture), black, right], axis=1))


def _unframed(pixels: Bytes) -> bytes:
    drawn: npt.NDArray[np.bool_] = np.all(pixels > 0, axis=2)
    if not drawn.any():
        raise ValueError("the picture is black")
    rows, across = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    inner = pixels[rows[0] : rows[-1] + 1, across[0] : across[-1] + 1] & 15
    borders = np.flatnonzero(inner.sum(axis=(0, 2)) == 0)
    if len(borders) < 2:
        raise ValueError("the picture has no columns with an embedding")
    low, high = (
        block ^ whitening(block.size).reshape(block.shape)
        for block in (inner[:, : borders[0]], inner[:, borders[-1] + 1 :])
    )
    if low.shape != high.shape:
        raise ValueError("the picture was cut")
    return ((high << 4) | low).astype(np.uint8).tobytes()


def _circles(first: Bytes, width: int, height: int) -> Bytes:
    """The high four bits: rows of circles in the shades of the first vector."""
    made = Image.new("L", (width, height))
    draw = ImageDraw.Draw(made)
    number = 0
    for down, top in enumerate(range(-_CIRCLE, height, _APART)):
        shift = 4 if down % 2 == 0 else 0
        for left in range(-_CIRCLE, width, _APART):
            shade = int(first[number % len(first)])
            draw.ellipse((left + shift, top, left + _CIRCLE + shift, top + _CIRCLE), fill=shade)
            number += 1
    return np.repeat(np.array(made)[:, :, None] & 0xF0, 3, axis=2).astype(np.uint8)


def _first(data: dict[str, Any]) -> Bytes:
    """Shades of the first vector: its values' sizes, the largest white."""
    (vectors,) = data["string_to_param"].values()
    sizes = np.abs(vectors[0].float().numpy())[:1024]
    most = sizes.max()
    return cast("Bytes", (sizes / (most or 1) * 255).astype(np.uint8))


def _written(value: Any) -> Any:
    if isinstance(value, Tensor):
        return {PICTURE_TENSOR: value.tolist()}
    return {key: _written(each) for key, each in value.items()} if isinstance(value, dict) else value


def _read(found: dict[str, Any]) -> Any:
    return torch.tensor(found[PICTURE_TENSOR], dtype=torch.float32) if PICTURE_TENSOR in found else found
