"""The preview on a picture that is an embedding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdtui.runs.layout import RunFolder
from sdtui.training.cover import cover


def preview(run: RunFolder, step: int, index: int, prompt: str, *, drawn: bool = True) -> Path:
    folder = run.preview_dir(step)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{index:02d}.json").write_text(json.dumps({"prompt": prompt}), "utf-8")
    picture = folder / f"{index:02d}.png"
    if drawn:
        picture.write_bytes(b"")
    return picture


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_the_newest_that_shows_the_word(run: RunFolder) -> None:
    preview(run, 10, 0, "a photo of my-cat")
    preview(run, 20, 0, "a photo of a dog")
    shown = preview(run, 20, 1, "a photo of My-Cat, red")
    preview(run, 20, 2, "my-cat again")
    assert cover(run, "my-cat", 25) == shown


def test_what_does_not_show_it_is_passed_over(run: RunFolder) -> None:
    shown = preview(run, 10, 0, "my-cat")
    preview(run, 20, 0, "my-cat-2 and tommy-cat")
    preview(run, 30, 0, "my-cat", drawn=False)
    (run.preview_dir(20) / "01.json").write_text("{", "utf-8")
    preview(run, 50, 0, "my-cat")
    assert cover(run, "my-cat", 40) == shown


def test_none_from_before_the_first_step(run: RunFolder) -> None:
    preview(run, 0, 0, "my-cat")
    assert cover(run, "my-cat", 5) is None
