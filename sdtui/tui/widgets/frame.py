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
        """Per row the stretch of cells that differs from `before`, which has the same size.

        One stretch a row: the compositor sends a widget's row from its left edge to the end of each stretch.
        """
        regions: list[Region] = []
        for y, (new, old) in enumerate(zip(self.rows, before.rows, strict=True)):
            columns = [x for x, (a, b) in enumerate(zip(new, old, strict=True)) if a != b]
            if columns:
                regions.append(Region(columns[0], y, columns[-1] - columns[0] + 1, 1))
        return regions

    def strip(self, y: int, styles: Mapping[str, Style]) -> Strip:
        """Row `y` ready for the compositor; blanks take the style before them, which saves a colour change each."""
        roles: list[str] = []
        for character, role in self.rows[y]:
            roles.append(roles[-1] if character == " " and roles else role)
        segments = [
            Segment("".join(character for (character, _), _role in run), styles[role])
            for role, run in groupby(zip(self.rows[y], roles, strict=True), key=lambda pair: pair[1])
        ]
        return Strip(segments, self.width)

    def plain(self) -> list[str]:
        """The rows as text, without trailing blanks."""
        return ["".join(character for character, _ in row).rstrip() for row in self.rows]
