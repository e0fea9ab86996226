"""Pictures as PNG files that say how they were made."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo


def png(image: Image.Image, told: Mapping[str, Any]) -> bytes:
    """The image as PNG with one text chunk for each fact; text beyond Latin-1 goes into UTF-8 chunks."""
    chunks = PngInfo()
    for key, value in told.items():
        chunks.add_text(key, str(value))
    stream = io.BytesIO()
    image.save(stream, "PNG", pnginfo=chunks)
    return stream.getvalue()
