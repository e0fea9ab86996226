from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.errors import UserError
from sdtui.tagging.foreign import Foreign, decoded, ranked, read_foreign

HASH = "ab" * 32


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("stored", "number", "score"),
    [(0.75, 0, 0.75), (1.0, 0, 1.0), (1.25, 1, 0.25), (12.0, 11, 1.0), (12.5, 12, 0.5)],
    ids=["first", "first, sure", "second", "twelfth, sure", "thirteenth"],
)
def test_picobyte_keeps_number_and_score_in_one(stored: float, number: int, score: float) -> None:
    assert decoded(stored) == (number, score)


def test_picobytes_db_holds_several_interrogators(tmp_path: Path) -> None:
    db = {
        "rating": {"safe": [0.75, 1.5]},
        "tag": {"1girl": [1.0, 1.25, 2.5], "solo": [0.5]},
        "query": {
            f"{HASH}wd-v1-4": ["/sets/a.png", 0],
            f"{HASH[::-1]}wd-v1-4": ["/sets/b.png", 1],
            f"{HASH}deepdanbooru": ["/sets/a.png", 2],
        },
    }
    one, other = read_foreign(write(tmp_path / "db.json", db))
    assert (one.tagger, other.tagger) == ("wd-v1-4", "deepdanbooru")
    assert one.rows == {
        "/sets/a.png": {"safe": 0.75, "1girl": 1.0, "solo": 0.5},
        "/sets/b.png": {"safe": 0.5, "1girl": 0.25},
    }
    assert other.rows == {"/sets/a.png": {"1girl": 0.5}}
    assert one.tags().names == ("safe", "1girl", "solo")
    assert one.tags().categories == ("rating", "general", "general")


def test_toriatos_files_lie_beside_the_images(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "a.json", [{"rating:safe": 0.9}, {"1girl": 0.8, "solo": 0.003}])
    write(tmp_path / "notes.json", {"unrelated": 1})
    (found,) = read_foreign(tmp_path)
    assert found.rows == {"deep/a": {"rating:safe": 0.9, "1girl": 0.8, "solo": 0.003}}
    assert found.tags().categories == ("rating", "general", "general")


def test_kohyas_metadata_has_tags_without_scores(tmp_path: Path) -> None:
    (found,) = read_foreign(
        write(tmp_path / "meta.json", {"/x/a.png": {"tags": "1girl, solo", "caption": "a girl"}, "b": {"caption": "x"}})
    )
    assert found.rows == {"/x/a.png": {"1girl": 1.0, "solo": 1.0}}


def test_ranked_captions_are_read_back() -> None:
    assert ranked(r"(long hair:0.981), (saber \(fate\):0.5), own tag, (heavy:1.2), (solo:1.000)") == {
        "long hair": 0.981,
        "saber (fate)": 0.5,
        "solo": 1.0,
    }


def test_a_folder_of_ranked_captions(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "(1girl:0.990), (solo:0.500)")
    write(tmp_path / "b.txt", "no ranks here")
    (found,) = read_foreign(tmp_path)
    assert found.rows == {"a": {"1girl": 0.99, "solo": 0.5}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("db.json", "{", "not JSON"),
        ("db.json", {"rating": {}, "tag": {"x": ["a"]}, "query": {HASH: ["a", 0]}}, "a damaged db.json"),
        ("db.json", {"rating": {}, "tag": {"x": [float("inf")]}, "query": {HASH: ["a", 0]}}, "a damaged db.json"),
        ("db.json", {"rating": {}, "tag": {}, "query": {HASH: 1}}, "a damaged db.json"),
        ("db.json", {"rating": {}, "tag": {}, "query": {}}, "no scores or tags"),
        ("meta.json", {"a.png": {"caption": "x"}}, "no scores or tags"),
    ],
    ids=["no json", "no number", "endless number", "no pair", "empty", "no tags"],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_foreign(write(tmp_path / name, content))


def test_an_empty_folder_and_a_missing_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no scores or tags"):
        read_foreign(tmp_path)
    with pytest.raises(UserError, match="cannot read the scores"):
        read_foreign(tmp_path / "gone.json")


def test_a_folder_is_read_around_what_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [{"safe": 0.9}, {"1girl": 0.8}])
    junk = write(tmp_path / "junk.json", "{")
    (tmp_path / "old.txt").write_bytes(b"\xff\xfe")
    write(tmp_path / "b.txt", "(1girl:0.990)")
    toriato, captions = read_foreign(tmp_path)
    assert (list(toriato.rows), [error.where for error in toriato.left_out]) == (["a"], [str(junk)])
    assert [error.message for error in captions.left_out] == ["the file is not UTF-8"]


def test_spellings_of_one_tag_are_one_tag() -> None:
    found = Foreign("t", "how", {"a": {"long_hair": 0.5, "long hair": 0.25, " ": 1.0}, "b": {"long_hair": 0.5}})
    assert found.tags().names == ("long hair",)
