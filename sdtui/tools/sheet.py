"""Pictures side by side on one sheet, with a line of text above each column and beside each row."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

_GAP = 8
_LARGEST_SIDE = 16_000


def sheet(rows: Sequence[Sequence[Image.Image]], columns: Sequence[str], names: Sequence[str]) -> Image.Image:
    """One picture of all in `rows`, reduced together where a side would exceed 16 000 px.

    Args:
        rows: rows of pictures, each as long as `columns`; they may differ in size.
        columns: what stands above each column; all empty leaves no room for it.
        names: what stands beside each row, likewise.
    """
    width = max(picture.width for row in rows for picture in row)
    height = max(picture.height for row in rows for picture in row)
    size = max(14, height // 24)
    font = ImageFont.load_default(size)
    beside = max((_length(font, name) for name in names), default=0)
    left = beside + 2 * _GAP if beside else _GAP
    top = size * 2 if any(columns) else _GAP
    made = Image.new("RGB", (left + len(columns) * (width + _GAP), top + len(rows) * (height + _GAP)), "white")
    draw = ImageDraw.Draw(made)
    for across, label in enumerate(columns):
        center = left + across * (width + _GAP) + width // 2
        draw.text((center, top / 2), _cut(font, label, width), fill="black", font=font, anchor="mm")
    for down, (row, name) in enumerate(zip(rows, names, strict=True)):
        place = top + down * (height + _GAP)
        draw.text((_GAP, place + height // 2), name, fill="black", font=font, anchor="lm")
        for across, picture in enumerate(row):
            made.paste(picture, (left + across * (width + _GAP), place))
    made.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE), Image.Resampling.LANCZOS)
    return made


def _length(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> int:
    return int(font.getlength(text))


def _cut(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str, width: int) -> str:
    """The text as far as it has room."""
    while text and _length(font, text) > width:
        text = f"{text[:-2]}…" if len(text) > 2 else ""
    return text
