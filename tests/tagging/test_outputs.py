from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.tagging.describers.base import Asked
from sdtui.tagging.outputs import open_output
from sdtui.tagging.taggers.base import Where

CPU = Where("cpu", threads=1)


@pytest.mark.parametrize(
    ("word", "asked", "message"),
    [
        ("starter", Asked("a photo of"), "a tagger is not asked in words"),
        ("starter", Asked(max_tokens=9), "a tagger is not asked in words"),
        ("starter", Asked(model="m"), "only an address has several models"),
        ("http://localhost:1/v1", Asked(model="m", terms=("a.txt",)), "terms are for CLIP models"),
    ],
    ids=["prompt", "tokens", "model", "terms"],
)
def test_options_that_would_do_nothing_are_refused(tmp_path: Path, word: str, asked: Asked, message: str) -> None:
    with pytest.raises(UserError, match=message):
        open_output(word, tmp_path, CPU, asked)
