"""A canvas of dots, eight to a cell in braille, or one character to a cell where the terminal knows only ASCII."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

# Bit of the dot at (column, row) of a 2 × 4 braille cell: Unicode chapter 21, U+2800 + bits.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
BLANK = 0x2800


@dataclass(slots=True)
class Canvas:
    """`width` × `height` cells holding two layers of dots: the band behind and the line in front.

    A cell that the line passes through shows only the line, so the two stay apart without colour.
    """

    width: int
    height: int
    band: list[list[int]] = field(default_factory=list)
    line: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.band = [[0] * self.width for _ in range(self.height)]
        self.line = [[0] * self.width for _ in range(self.height)]

    def draw_band(self, lows: Sequence[float], highs: Sequence[float]) -> None:
        """Fill each dot column between two heights (0 bottom, 1 top) with every other dot; the ends are always set."""
        for x, (low, high) in enumerate(zip(lows, highs, strict=True)):
            if math.isnan(low) or (low > 1 and high > 1) or (low < 0 and high < 0):
                continue
            bottom, top = self._row(low), self._row(high)
            for y in range(top, bottom + 1):
                if y in {top, bottom} or (x + y) % 2 == 0:
                    self._set(self.band, x, y)

    def draw_line(self, heights: Sequence[float]) -> None:
        """Join the heights (0 bottom, 1 top; NaN: nothing known in this column) by a continuous line."""
        before: tuple[int, int] | None = None
        for x, height in enumerate(heights):
            if math.isnan(height):
                continue
            here = (x, self._row(height))
            self._join(before or here, here)
            before = here

    def _join(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        (x0, y0), (x1, y1) = start, end
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            self._set(self.line, x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps))

    def _row(self, height: float) -> int:
        """The dot row, counted from the top, of a height; outliers stop at the edge."""
        rows = self.height * 4
        return min(rows - 1, max(0, round((1 - height) * (rows - 1))))

    def cell_row(self, height: float) -> int:
        """The row of cells, counted from the top, that a height lies in."""
        return self._row(height) // 4

    def _set(self, layer: list[list[int]], x: int, y: int) -> None:
        layer[y // 4][x // 2] |= DOTS[x % 2][y % 4]

    def cells(self, ascii_only: bool = False) -> list[list[tuple[str, bool]]]:
        """Rows of (character, belongs to the line)."""
        glyph = _ascii_glyph if ascii_only else _braille_glyph
        return [
            [(glyph(line or band, bool(line)), bool(line)) for band, line in zip(bands, lines, strict=True)]
            for bands, lines in zip(self.band, self.line, strict=True)
        ]


def _braille_glyph(dots: int, _line: bool) -> str:
    return chr(BLANK + dots) if dots else " "


def _ascii_glyph(dots: int, line: bool) -> str:
    """The line as `*`, the band as `.` or, where dense, `:`."""
    if not dots:
        return " "
    if line:
        return "*"
    return ":" if dots.bit_count() > 2 else "."
