"""A screen of the app as a PNG, for the README: `python -m sdtui.starter.build.screen_picture WORKSPACE KEYS FILE`.

The README's: `sdtui demo --headless`, and beside it `COLORTERM=truecolor TERM=xterm-256color python -m …screen_picture
sdtui-demo "3 tab tab tab tab c" docs/images/monitor.png`; without these two pictures are drawn with letters.

The app runs without a terminal; what its screen holds is drawn cell by cell. Blocks and braille dots are drawn as what they
are, so that a font needs letters and lines only.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len
from textual.app import App

from sdtui.tui.app import SdtuiApp
from sdtui.tui.settings import read_settings

CELL = 10, 20
FONT_SIZE = 16
# Bits of a braille character, from its lowest: column and row of the dot.
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
# Quarters of a cell that a block fills: upper left, upper right, lower left, lower right.
QUARTERS = {"▀": "ab", "▄": "cd", "█": "abcd", "▌": "ac", "▐": "bd", "▖": "c", "▗": "d", "▘": "a", "▝": "b"}
QUARTERS |= {"▙": "acd", "▚": "ad", "▛": "abc", "▜": "abd", "▞": "bc", "▟": "bcd"}
Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Cell(NamedTuple):
    """One character with its colours."""

    char: str
    ink: Colour
    ground: Colour
    bold: bool


def cells_of(app: App[Any]) -> list[list[Cell]]:
    """What the screen shows, row by row; the second half of a wide character is an empty cell."""
    return [list(_row(strip)) for strip in app.screen._compositor.render_strips()]  # noqa: SLF001  Textual has no other way to a screen that is not drawn


def _row(strip: Any) -> Iterator[Cell]:
    for text, style, control in strip:
        if control or style is None:
            continue
        ink, ground = (
            tuple(colour.get_truecolor()) if colour else (0, 0, 0) for colour in (style.color, style.bgcolor)
        )
        if style.reverse:
            ink, ground = ground, ink
        for char in text:
            yield Cell(char, ink, ground, bool(style.bold))
            if cell_len(char) > 1:
                yield Cell("", ink, ground, bold=False)


def picture_of(rows: Sequence[Sequence[Cell]], fonts: Sequence[Font]) -> Image.Image:
    """The cells as a picture; `fonts`: a plain and a bold one, as wide as a cell."""
    width, height = CELL
    picture = Image.new("RGB", (width * max(map(len, rows)), height * len(rows)))
    pen = ImageDraw.Draw(picture)
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            place = x * width, y * height
            if cell.char:
                wide = width * cell_len(cell.char)
                pen.rectangle((*place, place[0] + wide - 1, place[1] + height - 1), fill=cell.ground)
                _draw(pen, cell, place, fonts[cell.bold])
    return picture


def _draw(pen: ImageDraw.ImageDraw, cell: Cell, place: tuple[int, int], font: Font) -> None:
    (x, y), (width, height) = place, CELL
    if cell.char in QUARTERS:
        for quarter in QUARTERS[cell.char]:
            down, right = divmod("abcd".index(quarter), 2)
            left, top = x + right * width // 2, y + down * height // 2
            pen.rectangle((left, top, left + width // 2 - 1, top + height // 2 - 1), fill=cell.ink)
    elif 0x2800 <= ord(cell.char) < 0x2900:
        for bit, (column, row) in enumerate(DOTS):
            if ord(cell.char) >> bit & 1:
                left, top = x + 2 + 5 * column, y + 2 + 5 * row
                pen.rectangle((left, top, left + 1, top + 1), fill=cell.ink)
    elif cell.char.strip():
        pen.text(place, cell.char, font=font, fill=cell.ink)


async def taken(workspace: Path, keys: list[str], size: tuple[int, int]) -> list[list[Cell]]:
    """The screen after these keys, each given a moment."""
    app = SdtuiApp(workspace, settings=read_settings())
    async with app.run_test(size=size) as pilot:
        for key in ["", *keys]:
            await pilot.press(*filter(None, [key]))
            await asyncio.sleep(1.0)
        return cells_of(app)


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("keys", help="separated by spaces, by Textual's names: `3 c`")
    parser.add_argument("file", type=Path)
    parser.add_argument("--size", default="120x36", help="in cells (default: 120x36)")
    dejavu = Path("/usr/share/fonts/truetype/dejavu")
    parser.add_argument("--font", type=Path, default=dejavu / "DejaVuSansMono.ttf")
    parser.add_argument("--bold", type=Path, default=dejavu / "DejaVuSansMono-Bold.ttf")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    rows = asyncio.run(taken(given.workspace.resolve(), given.keys.split(), (width, height)))
    # A terminal has few colours besides those of the pictures in it.
    fonts = [ImageFont.truetype(str(path), FONT_SIZE) for path in (given.font, given.bold)]
    picture_of(rows, fonts).quantize(256).save(given.file, optimize=True)


if __name__ == "__main__":
    main()
