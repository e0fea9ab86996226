from __future__ import annotations

import math
from pathlib import Path

import pytest

from sdtui.dataset.image import content_digest
from sdtui.dataset.library import Library
from sdtui.errors import UserError
from sdtui.tagging.lookup import ScoreLookup
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scores import Scores
from tests.tagging.helpers import TAGS, facts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    return tmp_path


def score(folder: Path, tagger: str, image: str, value: float) -> None:
    row = (content_digest(folder / f"{image}.png"), [(1, value)])
    Scores.of(folder, facts(tagger)).append(ScoreTable.of_lists(TAGS, [row]))


def test_the_highest_of_all_taggers_counts(folder: Path) -> None:
    score(folder, "one", "a", 0.5)
    score(folder, "other", "a", 0.75)
    first, second = ScoreLookup(Library.scan(folder))("cat").tolist()
    assert first == 0.75
    assert math.isnan(second)


def test_new_scores_are_seen(folder: Path) -> None:
    score(folder, "one", "a", 0.5)
    lookup = ScoreLookup(Library.scan(folder))
    assert math.isnan(lookup("cat").tolist()[1])
    score(folder, "one", "b", 0.25)
    assert lookup("cat").tolist() == [0.5, 0.25]


def test_nothing_is_read_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score(folder, "one", "a", 0.5)
    lookup = ScoreLookup(Library.scan(folder))
    lookup("cat")
    monkeypatch.setattr(Scores, "table", lambda _: pytest.fail("read again"))
    assert lookup("night sky").tolist()[0] == 0


def test_without_any_scores_it_says_what_to_do(folder: Path) -> None:
    with pytest.raises(UserError, match="no tagger has scored these images"):
        ScoreLookup(Library.scan(folder))("cat")


def test_a_tag_that_no_tagger_knows_is_not_a_score_of_nothing(folder: Path) -> None:
    score(folder, "one", "a", 0.5)
    with pytest.raises(UserError, match=r"knows no tag 'night skies'. Did you mean night_sky\?"):
        ScoreLookup(Library.scan(folder))("night skies")
