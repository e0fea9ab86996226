from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.tagging import score_file
from sdtui.tagging.scores import Scores, scores_of, taggers
from tests.tagging.helpers import TAGS, facts, table, told


def files(scores: Scores) -> list[str]:
    return sorted(path.name for path in scores.home.glob("*.safetensors"))


def test_scores_are_kept_beside_the_images_by_tagger(tmp_path: Path) -> None:
    scores = Scores.of(tmp_path, facts("some/tagger v3"))
    assert not taggers(tmp_path)
    scores.append(table({"a": [0, 0.5, 0, 0]}))
    assert scores.home.parent == tmp_path / ".sdtui" / "scores"
    assert scores.id.startswith("some-tagger-v3-")
    (found,) = taggers(tmp_path)
    assert found.facts == scores.facts
    assert told(found.table(), "a") == {"cat": 0.5}


def test_a_tagger_without_scores_has_an_empty_table(tmp_path: Path) -> None:
    assert len(Scores.of(tmp_path, facts()).table()) == 0
    Scores.of(tmp_path, facts()).append(table({}))
    assert not (tmp_path / ".sdtui").exists()


def test_an_append_writes_one_file_and_leaves_the_others(tmp_path: Path) -> None:
    scores = Scores.of(tmp_path, facts())
    scores.append(table({"a": [0, 0.5, 0, 0], "b": [0, 0.25, 0, 0]}))
    first = (scores.home / "000001.safetensors").stat()
    scores.append(table({"c": [0, 0, 0, 0.75]}))
    assert files(scores) == ["000001.safetensors", "000002.safetensors"]
    assert (scores.home / "000001.safetensors").stat().st_mtime_ns == first.st_mtime_ns
    assert len(scores.table()) == 3


def test_an_image_that_is_scored_again_has_the_new_scores(tmp_path: Path) -> None:
    scores = Scores.of(tmp_path, facts())
    scores.append(table({"a": [0, 0.5, 0, 0], "b": [0, 0.25, 0, 0]}))
    scores.append(table({"a": [0, 0, 0, 0.75]}))
    assert told(scores.table(), "a") == {"tom": 0.75}
    scores.compact()
    assert files(scores) == ["000003.safetensors"]
    assert told(scores.table(), "a") == {"tom": 0.75}
    assert told(scores.table(), "b") == {"cat": 0.25}


def test_many_small_files_are_joined_and_the_large_one_stays(tmp_path: Path) -> None:
    scores = Scores.of(tmp_path, facts())
    scores.append(table({f"large {number}": [0, 0.5, 0, 0] for number in range(200)}))
    for number in range(16):
        scores.append(table({f"small {number}": [0, 0.5, 0, 0]}))
    assert files(scores) == ["000001.safetensors", "000018.safetensors"]
    assert len(scores.table()) == 216


def test_a_writer_that_dies_after_joining_leaves_nothing_wrong(tmp_path: Path) -> None:
    """The joined file is there, and so are those it stands for: what one of them said before is not believed."""
    scores = Scores.of(tmp_path, facts())
    scores.append(table({"a": [0, 0.5, 0, 0]}))
    scores.append(table({"a": [0, 0, 0, 0.75]}))
    kept = tmp_path / "kept"
    shutil.copytree(scores.home, kept)
    scores.compact()
    for path in kept.glob("*.safetensors"):
        shutil.copy(path, scores.home / path.name)
    assert len(files(scores)) == 3
    assert told(scores.table(), "a") == {"tom": 0.75}
    scores.append(table({"b": [0, 0.5, 0, 0]}))
    assert files(scores) == ["000003.safetensors", "000004.safetensors"]


def test_a_file_that_vanishes_while_it_is_read_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = Scores.of(tmp_path, facts())
    scores.append(table({"a": [0, 0.5, 0, 0]}))
    scores.append(table({"b": [0, 0, 0, 0.75]}))
    read = score_file.read
    calls = 0

    def joined_meanwhile(path: Path, tags: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 1:
            monkeypatch.setattr(score_file, "read", read)
            scores.compact()
        return read(path, TAGS)

    monkeypatch.setattr(score_file, "read", joined_meanwhile)
    assert len(scores.table()) == 2
    assert calls == 1


def test_taggers_stand_side_by_side_and_are_chosen_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no tagger has scored"):
        scores_of(tmp_path)
    Scores.of(tmp_path, facts("one")).append(table({"a": [0, 0.5, 0, 0]}))
    assert scores_of(tmp_path).facts.name == "one"
    Scores.of(tmp_path, facts("two")).append(table({"a": [0, 0, 0.5, 0]}))
    assert scores_of(tmp_path, "two").facts.name == "two"
    with pytest.raises(UserError, match="several taggers"):
        scores_of(tmp_path)
    with pytest.raises(UserError, match="no tagger 'three'"):
        scores_of(tmp_path, "three")


def test_what_says_which_tagger_it_is_may_be_damaged_or_newer(tmp_path: Path) -> None:
    scores = Scores.of(tmp_path, facts())
    scores.append(table({"a": [0, 0.5, 0, 0]}))
    path = scores.home / "tagger.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps({**raw, "schema": 2}))
    with pytest.raises(SdtuiError, match="schema 2"):
        taggers(tmp_path)
    path.write_text("{")
    with pytest.raises(SdtuiError, match="damaged"):
        taggers(tmp_path)


def test_a_dataset_that_cannot_be_written_has_its_scores_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setenv("SDTUI_DATA", str(tmp_path / "data"))
    dataset = tmp_path / "images"
    dataset.mkdir()
    scores = Scores.of(dataset, facts())
    scores.append(table({"a": [0, 0.5, 0, 0]}))
    assert scores.home.is_relative_to(tmp_path / "data")
    assert len(scores_of(dataset).table()) == 1


def test_scores_are_found_when_a_dataset_can_be_written_again_and_when_it_no_longer_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writable = True
    monkeypatch.setattr("os.access", lambda *_: writable)
    monkeypatch.setenv("SDTUI_DATA", str(tmp_path / "data"))
    dataset = tmp_path / "images"
    dataset.mkdir()
    seen = []
    for writable, score in ((False, 0.2), (True, 0.4), (False, 0.6)):
        Scores.of(dataset, facts()).append(table({f"only {score}": [0, score, 0, 0], "all": [0, score, 0, 0]}))
        (found,) = taggers(dataset)
        seen.append(found.newest)
        assert found.home.is_relative_to(dataset) == writable
        assert len(found.table()) == len(Scores.of(dataset, facts()).table())
    assert seen == [1, 2, 3]
    # What lies where scores are written now counts where both know an image.
    assert told(found.table(), "all") == {"cat": 0.6}
    assert [told(found.table(), f"only {score}") for score in (0.2, 0.4, 0.6)] == [
        {"cat": 0.2},
        {"cat": 0.4},
        {"cat": 0.6},
    ]
    assert found.size == sum(path.stat().st_size for path in tmp_path.rglob("0*.safetensors"))
    writable = True
    assert told(taggers(dataset)[0].table(), "all") == {"cat": 0.4}


WRITER = """
import sys
from pathlib import Path
from sdtui.tagging.scores import Scores
from tests.tagging.helpers import facts, table
for number in range(12):
    Scores.of(Path(sys.argv[1]), facts()).append(table({f"{sys.argv[2]} {number}": [0, 0.5, 0, 0]}))
"""


def test_two_processes_lose_nothing_of_each_others(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("one", "other")]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(scores_of(tmp_path).table()) == 24
