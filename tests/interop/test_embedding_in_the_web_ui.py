"""A1111's rules for pictures that are embeddings, written down here from its source, applied to files of ours."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sdtui.formats.embedding import Embedding, write_card

pytestmark = pytest.mark.interop
VALUES = torch.randn(3, 768, generator=torch.Generator().manual_seed(5))
WORD = Embedding("my-cat", {"text_encoder": VALUES}, 40, "sd15", "cafe0123")


def generator(length: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Its `lcg`, from the seed 0."""
    state, made = 0, []
    for _ in range(length):
        state = (1664525 * state + 1013904223) % 2**32
        made.append(state % 255)
    return np.array(made, np.uint8)


def from_text(file: Path) -> Any:
    """Its first way: the text beside the pixels."""
    with Image.open(file) as image:
        return json.loads(base64.b64decode(image.info["sd-ti-embedding"]))


def from_pixels(file: Path) -> Any:
    """Its second way: what is left of and right of the outermost black columns, in the low four bits."""
    with Image.open(file) as image:
        pixels = np.array(image.convert("RGB"))
    drawn: np.ndarray[Any, np.dtype[np.bool_]] = np.all(pixels > 0, axis=2)
    rows, across = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    pixels = pixels[rows[0] : rows[-1] + 1, across[0] : across[-1] + 1] & 15
    black = np.flatnonzero(pixels.sum(axis=(0, 2)) == 0)
    lower, upper = pixels[:, : black.min()], pixels[:, black.max() + 1 :]
    halves = [block.ravel() ^ (generator(block.size) & 15) for block in (lower, upper)]
    return json.loads(zlib.decompressobj().decompress(((halves[1] << 4) | halves[0]).astype(np.uint8).tobytes()))


@pytest.mark.parametrize("cover", ["none", "noise", "black"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_is_read(tmp_path: Path, kind: str, cover: str) -> None:
    word, file = WORD, tmp_path / f"my-cat.{kind.lower()}"
    if cover != "none":
        noise = np.random.default_rng(3).integers(0, 256, (520, 530, 3), np.uint8)
        Image.fromarray(noise if cover == "noise" else noise * 0).save(tmp_path / "00.png")
        word = replace(WORD, cover=tmp_path / "00.png")
    write_card(file, word, kind)
    for read in (from_text, from_pixels) if kind == "PNG" else (from_pixels,):
        found = read(file)
        assert found["string_to_param"]["*"]["TORCHTENSOR"] == VALUES.tolist()
        assert (found["name"], found["step"], found["string_to_token"]) == ("my-cat", 40, {"*": 265})
        assert (found["sd_checkpoint"], found["sd_checkpoint_name"]) == ("cafe0123", "sd15")
