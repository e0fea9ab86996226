from __future__ import annotations

import pytest

from sdtui.dataset.survey import folder_line
from sdtui.profile.surveyed import FolderPlan


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        (FolderPlan("/data/cats", "flat", images=1, repeats=3), "cats: flat, 1 image × 3"),
        (
            FolderPlan("/data/20_city", "kohya", 12, 20, "city", held_out=2, masks=11),
            '20_city: kohya, 12 images × 20, 2 held out, 11 with a mask, "city" where a caption is missing',
        ),
        (
            FolderPlan("/data/kept", "flat", 5, 1, regularization=True, note="old in it not looked into"),
            "kept: flat, 5 images × 1, for regularisation, old in it not looked into",
        ),
        (
            FolderPlan("/data/\x1b[31m", "flat", 0, 1, "\n"),
            r'\x1b[31m: flat, 0 images × 1, "\n" where a caption is missing',
        ),
    ],
)
def test_a_folder_in_a_line(folder: FolderPlan, line: str) -> None:
    assert folder_line(folder) == line
