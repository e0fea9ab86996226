from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.image import content_digest
from sdtui.dataset.library import Library
from sdtui.dataset.marks import Marks
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scores import Scores, TaggerFacts
from sdtui.tagging.tag_list import TagList
from sdtui.tui.captions.hand import take
from sdtui.tui.captions.known import Known
from sdtui.tui.captions.states import BROKEN, FINE, TWICE, UNTAGGED

CAPTIONS = {"a": b"city, city\n", "b": b"city\n", "c": b"\n", "d": None, "e": b"\xff"}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for name, raw in CAPTIONS.items():
        (tmp_path / f"{name}.png").touch()
        if raw is not None:
            (tmp_path / f"{name}.txt").write_bytes(raw)
    return Library.scan(tmp_path)


def states(known: Known) -> list[int]:
    return [known.state(at) for at in range(len(CAPTIONS))]


def loaded(library: Library) -> Known:
    known = Known(library, Marks(library.folder))
    assert list(known.load_slowly())[-1] == len(CAPTIONS)
    return known


def test_before_the_captions_are_read_only_missing_files_are_known(library: Library) -> None:
    known = Known(library, Marks(library.folder))
    assert states(known) == [FINE, FINE, FINE, UNTAGGED, FINE]
    known.note(0, "a, a")
    known.note(1, None)
    assert states(known) == [TWICE, BROKEN, FINE, UNTAGGED, FINE]
    (library.folder / "c.txt").write_bytes(b"x\n")
    known.look_again([2], lambda at: take(library, at))
    assert known.state(2) == FINE


def test_all_states_once_they_are_read(library: Library) -> None:
    known = loaded(library)
    assert states(known) == [TWICE, FINE, UNTAGGED, UNTAGGED, BROKEN]
    assert known.count(UNTAGGED) == 2
    (library.folder / "b.txt").write_bytes(b"x, y, x\n")
    known.look_again([1], lambda at: take(library, at))
    assert known.state(1) == TWICE


def test_next_goes_round_in_the_view(library: Library) -> None:
    known = loaded(library)
    everything = range(5)
    assert [known.next_in(everything, row, UNTAGGED, BROKEN) for row in range(5)] == [2, 2, 3, 4, 2]
    assert [known.next_in(everything, row, TWICE) for row in range(2)] == [0, 0]
    assert known.next_in([1, 3], 0, UNTAGGED) == 1
    assert known.next_in([0, 1], 0, UNTAGGED) is None
    assert [known.next_of(everything, row, [1, 3], -1) for row in range(5)] == [3, 3, 1, 1, 3]


def test_queries_and_counts(library: Library) -> None:
    known = loaded(library)
    assert known.search_slowly("problem:any", lambda: False) == [0, 2, 3, 4]
    ranks = known.count_slowly([0]).ranks
    assert [ranks[0], len(ranks)] == [("city", 1), 1]


def test_stored_scores_can_be_searched_for(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    facts = TaggerFacts("tagger", "ab" * 32, "as it is", TagList.plain(["cat"]))
    rows = [(content_digest(tmp_path / "b.png"), [(0, 0.9)])]
    Scores.of(tmp_path, facts).append(ScoreTable.of_lists(facts.tags, rows))
    known = Known(Library.scan(tmp_path), Marks(tmp_path))
    assert known.search_slowly("score:cat>0.5", lambda: False) == [1]
