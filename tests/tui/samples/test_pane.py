"""How pictures are laid out, and what is said of a drawing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.tui.samples.folder import Contents
from sdtui.tui.samples.pane import Mode, layout_of, state_words


@pytest.mark.parametrize(
    ("mode", "number", "width", "height", "columns", "layout"),
    [
        ("grid", 0, 80, 20, 0, (1, 1)),
        ("grid", 1, 80, 20, 0, (1, 1)),
        ("grid", 2, 80, 20, 0, (2, 1)),
        ("grid", 8, 80, 20, 0, (4, 2)),
        ("grid", 9, 80, 18, 0, (5, 2)),
        ("grid", 100, 80, 18, 0, (5, 2)),
        ("grid", 100, 176, 66, 0, (6, 4)),
        ("grid", 16, 80, 24, 4, (4, 3)),
        ("grid", 16, 40, 24, 4, (2, 3)),
        ("one", 16, 80, 24, 4, (1, 1)),
        ("two", 16, 80, 24, 4, (2, 1)),
        ("two", 16, 30, 24, 0, (1, 2)),
    ],
    ids=range(12),
)
def test_layouts(mode: Mode, number: int, width: int, height: int, columns: int, layout: tuple[int, int]) -> None:
    assert layout_of(mode, number, width, height, columns) == layout


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (Contents(Path("/x"), state="starting"), "loading"),
        (Contents(Path("/x"), state="running", done=2, total=9), "drawing 3 of 9"),
        (Contents(Path("/x"), state="running", done=2, total=9, step=4, steps=20), "drawing 3 of 9, step 4 of 20"),
        (Contents(Path("/x"), state="running", done=9, total=9), "writing the sheet"),
        (Contents(Path("/x"), state="stopped", done=2, total=9), "stopped, 2 of 9 drawn"),
        (Contents(Path("/x"), state="finished", done=9, total=9), ""),
        (Contents(Path("/x")), ""),
    ],
    ids=["loading", "drawing", "steps", "sheet", "stopped", "finished", "of others"],
)
def test_how_it_goes_in_words(contents: Contents, words: str) -> None:
    assert state_words(contents).plain == words
