"""A grid of characters with roles, so that a widget can tell the terminal only what changed since the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

Cell = tuple[str, str]

# Two changed stretches nearer than this are sent as one: a cursor move costs about as many bytes.
JOIN = 6


@dataclass(slots=True)
class Frame:
    """`width` × `height` cells of (character, role); a role is what the style sheet calls a component class."""

    width: int
    height: int
    rows: list[list[Cell]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = [[(" ", "")] * self.width for _ in range(self.height)]

    def text(self, x: int, y: int, words: str, role: str = "") -> None:
        """Write single-width `words` from (x, y); what falls outside is cut off."""
        if not 0 <= y < self.height:
            return
        row = self.rows[y]
        for offset, character in enumerate(words):
            if 0 <= x + offset < self.width:
                row[x + offset] = (character, role)

    def changed(self, before: Frame) -> list[Region]:
        """The stretches of cells that differ from `before`, which has the same size."""
        regions: list[Region] = []
        for y, (new, old) in enumerate(zip(self.rows, before.rows, strict=True)):
            columns = [x for x, (a, b) in enumerate(zip(new, old, strict=True)) if a != b]
            regions.extend(Region(first, y, last - first + 1, 1) for first, last in _stretches(columns))
        return regions

    def strip(self, y: int, styles: Mapping[str, Style]) -> Strip:
        """Row `y` ready for the compositor."""
        segments = [
            Segment("".join(character for character, _ in run), styles[role])
            for role, run in groupby(self.rows[y], key=lambda cell: cell[1])
        ]
        return Strip(segments, self.width)

    def plain(self) -> list[str]:
        """The rows as text, without trailing blanks."""
        return ["".join(character for character, _ in row).rstrip() for row in self.rows]


def _stretches(columns: list[int]) -> list[tuple[int, int]]:
    """Runs of columns as (first, last), joined over gaps shorter than a cursor move."""
    runs: list[tuple[int, int]] = []
    for column in columns:
        if runs and column - runs[-1][1] <= JOIN:
            runs[-1] = (runs[-1][0], column)
        else:
            runs.append((column, column))
    return runs
