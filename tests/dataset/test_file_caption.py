"""File names as captions, by A1111's rules."""

from __future__ import annotations

import pytest

from sdtui.dataset.file_caption import file_caption
from sdtui.profile.schema import Captions


@pytest.mark.parametrize(
    ("stem", "pattern", "join", "expected"),
    [
        ("00012-0-a red cat", "", " ", "a red cat"),
        ("a red cat 3", "", " ", "a red cat 3"),
        ("00012", "", " ", ""),
        ("7 red_cat, sits", "[a-z]+", " ", "red cat sits"),
        ("7 red_cat, sits", "[a-z]+", ", ", "red, cat, sits"),
        ("[red] [cat] x", r"\[(\w+)\]", " ", "red cat"),
        ("red", "[0-9]+", " ", ""),
    ],
)
def test_a_name_reads_as_its_words(stem: str, pattern: str, join: str, expected: str) -> None:
    settings = Captions(on_missing="file-name", file_name_pattern=pattern, file_name_join=join)
    assert file_caption(stem, settings) == expected
