from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.image import content_digest
from sdtui.dataset.library import Library
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scored_images import ScoredImages
from sdtui.tagging.scores import Scores
from tests.tagging.helpers import TAGS, facts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    rows = [(content_digest(tmp_path / "b.png"), [(1, 0.75)]), (content_digest(tmp_path / "c.png"), [])]
    Scores.of(tmp_path, facts()).append(ScoreTable.of_lists(TAGS, rows))
    return tmp_path


def loaded(folder: Path) -> ScoredImages:
    return ScoredImages.load(Library.scan(folder), [Scores.of(folder, facts())])


def test_scores_are_found_by_position(folder: Path) -> None:
    images = loaded(folder)
    assert images.has_scores.tolist() == [False, True, True]
    assert [[tag.name for tag in images.scored(position)] for position in range(3)] == [[], ["cat"], []]


def test_a_renamed_image_keeps_its_scores(folder: Path) -> None:
    (folder / "b.png").rename(folder / "z.png")
    assert [[tag.name for tag in loaded(folder).scored(position)] for position in range(3)] == [[], [], ["cat"]]


def test_an_image_that_cannot_be_read_has_no_scores(folder: Path) -> None:
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to(folder / "gone")
    assert loaded(folder).has_scores.tolist() == [False, True, True]


def test_looking_up_is_told(folder: Path) -> None:
    heard: list[int] = []
    ScoredImages.load(Library.scan(folder), [Scores.of(folder, facts())], told=heard.append)
    assert heard == [1, 2, 3]
