from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sdtui.formats.embedding_png import decode, encode, whitening


def data(vectors: int = 2, width: int = 5) -> dict[str, Any]:
    values = torch.randn(vectors, width, generator=torch.Generator().manual_seed(1))
    return {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": values},
        "name": "kätzchen",
        "step": 30,
        "sd_checkpoint": None,
    }


def picture(width: int = 64, height: int = 48, shade: int = 130) -> Image.Image:
    return Image.new("RGB", (width, height), (shade, 40, 200))


def without_text(content: bytes) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.array(Image.open(io.BytesIO(content)))).save(stream, "PNG")
    return stream.getvalue()


def test_the_generator_is_the_published_one() -> None:
    # X(n + 1) mod 255 begins 253, 242, 127, 44, 157, 27, 239, 133, 38, 79.
    assert whitening(10).tolist() == [
        253 & 15,
        242 & 15,
        127 & 15,
        44 & 15,
        157 & 15,
        27 & 15,
        239 & 15,
        133 & 15,
        38 & 15,
        79 & 15,
    ]


@pytest.mark.parametrize("text", [True, False], ids=["text", "pixels"])
@pytest.mark.parametrize(("vectors", "width", "height"), [(1, 3, 16), (2, 768, 512), (8, 32, 33)])
def test_what_is_put_in_comes_out(text: bool, vectors: int, width: int, height: int) -> None:
    held = data(vectors, width)
    content = encode(held, picture(height=height))
    found = decode(content if text else without_text(content))
    assert torch.equal(found["string_to_param"]["*"], held["string_to_param"]["*"])
    assert {key: value for key, value in found.items() if key != "string_to_param"} == {
        key: value for key, value in held.items() if key != "string_to_param"
    }


def test_a_frame_around_the_picture_does_no_harm() -> None:
    content = without_text(encode(data(), picture()))
    inner = Image.open(io.BytesIO(content))
    framed = Image.new("RGB", (inner.width + 20, inner.height + 8))
    framed.paste(inner, (12, 3))
    stream = io.BytesIO()
    framed.save(stream, "PNG")
    assert torch.equal(decode(stream.getvalue())["string_to_param"]["*"], data()["string_to_param"]["*"])


def test_the_picture_stands_between_two_black_columns() -> None:
    content = encode(data(), picture())
    pixels = np.array(Image.open(io.BytesIO(content)))
    columns = (pixels.shape[1] - 66) // 2
    assert pixels.shape == (48, 2 * columns + 66, 3)
    assert not pixels[:, columns].any()
    assert not pixels[:, -columns - 1].any()
    assert (pixels[:, columns + 1 : -columns - 1] == np.array([130, 40, 200])).all()


@pytest.mark.parametrize(("shade", "message"), [(0, "black"), (90, "no columns")])
def test_a_picture_without_an_embedding(shade: int, message: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (40, 40), (shade, shade, shade)).save(stream, "PNG")
    with pytest.raises(ValueError, match=message):
        decode(stream.getvalue())
