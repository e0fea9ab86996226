"""A folder tagged by keys alone in a real terminal: scored, the threshold moved, the tags applied and taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sdtui.starter.demo import IMAGES
from tests.e2e.terminal import Terminal, sdtui, wait_until

pytestmark = pytest.mark.e2e

NAMES = ("automobile", "butterfly", "crab")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(IMAGES / f"{name}.png", folder)
    return folder


def captions(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.txt"))}


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_a_folder_is_tagged_and_the_tags_are_taken_back(
    images: Path, folders: dict[str, str], width: int, height: int
) -> None:
    with Terminal(sdtui("captions", images), width=width, height=height, env=folders) as terminal:
        terminal.wait_for("automobile.png", "3 untagged")
        terminal.press("t")
        terminal.wait_for("No tagger has scored these images", "the embedded tagger")
        terminal.press("Enter")
        terminal.wait_for("threshold 0.50", "3 images", "0 left empty")
        terminal.press("{", "[", "[")
        terminal.wait_for("threshold 0.43")
        terminal.press("}", "]", "]", "A")
        terminal.wait_for("tags by the scores of starter", "changes 3 of 3 captions")
        terminal.press("Enter")
        terminal.wait_for("0 untagged", "+ 4 kept, 0 new", "as before, at 0.50")
        tagged = captions(images)
        assert set(tagged) == set(NAMES)
        assert tagged["automobile"] == "black, linocut style, monochrome, vehicle\n"
        terminal.press("Escape")
        # An escape with a letter right behind it would be another key.
        terminal.wait_gone("threshold 0.50")
        terminal.press("u")
        wait_until(lambda: captions(images) == {}, terminal.screen)
