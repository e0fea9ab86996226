"""Jobs of docs/captions.md done by keys alone in a real terminal: a misspelt tag found, one tag checked over all images."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.terminal import Terminal, sdtui, wait_until

pytestmark = pytest.mark.e2e

CAPTIONS = {
    "bridge": "city, stone wall",
    "canal": "city, ston wall, boat",
    "gate": "city, ston wall",
    "tower": "city, tower",
}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    folder.mkdir()
    for name, text in CAPTIONS.items():
        Image.new("RGB", (64, 48), "teal").save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"{text}\n")
    return folder


def captions(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text().rstrip("\n") for path in sorted(folder.glob("*.txt"))}


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 40)], ids=["80x24", "140x40"])
def test_a_misspelt_tag_is_found_and_corrected_everywhere(
    images: Path, folders: dict[str, str], width: int, height: int
) -> None:
    with Terminal(sdtui("captions", images), width=width, height=height, env=folders) as terminal:
        terminal.wait_for("city, stone wall", "2 tags")
        terminal.press("T")
        terminal.wait_for("tags  5", "ston wall")
        terminal.press("/")
        terminal.type("ston w")
        terminal.wait_for("tags  1 of 5")
        terminal.press("Enter", "Enter")
        terminal.wait_for('/ tag:"ston wall"', "2 of 4", "canal.png", "gate.png")
        terminal.press("M")
        terminal.wait_for("2 marked")
        # The tag cursor is on the tag that was chosen.
        terminal.press("r")
        terminal.wait_for("replace with (2 marked)  ston wall")
        terminal.press("C-u")
        terminal.type("stone wall")
        terminal.press("Enter")
        wait_until(lambda: captions(images)["gate"] == "city, stone wall", terminal.screen)
        assert captions(images) == {**CAPTIONS, "canal": "city, stone wall, boat", "gate": "city, stone wall"}
        terminal.press("u")
        wait_until(lambda: captions(images) == CAPTIONS, terminal.screen)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 40)], ids=["80x24", "140x40"])
def test_one_tag_is_checked_over_all_images(images: Path, folders: dict[str, str], width: int, height: int) -> None:
    with Terminal(sdtui("captions", images), width=width, height=height, env=folders) as terminal:
        terminal.wait_for("city, stone wall", "2 tags")
        terminal.press("y")
        terminal.wait_for("Yes or no: which tag, of 4 images?")
        terminal.press("C-u")
        terminal.type("boat")
        terminal.press("Enter")
        terminal.wait_for("yes or no: boat", "1 of 4", "has it not")
        terminal.press("y", "n", "Space")
        terminal.wait_for("4 of 4", "1 yes · 1 no")
        terminal.press("y")
        terminal.wait_for("that was the last image", "2 yes · 1 no")
        terminal.press("u", "Escape")
        terminal.wait_for("tower.png", "? keys")
        wait_until(
            lambda: captions(images) == {**CAPTIONS, "bridge": "city, stone wall, boat", "canal": "city, ston wall"},
            terminal.screen,
        )
