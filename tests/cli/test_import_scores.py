from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdtui.cli import main
from sdtui.dataset.image import content_digest
from sdtui.tagging.scores import scores_of, taggers

HASH = "ab" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    (images / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.png"):
        (images / name).write_bytes(name.encode())
    return images


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "db.json"
    query = {f"{HASH}wd": ["/elsewhere/images/a.png", 0], f"{HASH[::-1]}wd": ["/elsewhere/images/deep/b.png", 1]}
    query[f"{HASH}wd "] = ["gone.png", 2]
    path.write_text(json.dumps({"rating": {"safe": [0.9]}, "tag": {"1girl": [0.75, 1.5]}, "query": query}))
    return path


def test_scores_of_another_program_become_the_datasets_own(
    folder: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "scores", str(db), str(folder), "--json"]) == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)["taggers"]
    assert [(row["images"], row["tags"], row["unknown"]) for row in told] == [(2, 2, []), (0, 0, ["gone.png"])]
    assert "gone.png: means none of the images" in shown.err
    assert scores_of(folder, "wd").facts.preprocessing == "picobyte's tagger"
    assert main(["tags", "show", str(folder), "--threshold", "0.5"]) == 0
    assert capsys.readouterr().out == "a.png\t1girl\ndeep/b.png\t1girl\n"


def test_a_dry_run_stores_nothing_and_a_name_can_be_given(
    folder: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "scores", str(db), str(folder), "--dry-run", "--name", "old"]) == 0
    assert "scores of 2 images would be imported" in capsys.readouterr().out
    assert not taggers(folder)


def test_captions_with_ranks_come_from_the_folder_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "deep" / "b.txt").write_text("(cat:0.250), (dog:0.750)")
    assert main(["import", "scores", str(folder), str(folder)]) == 0
    assert "scores of 1 image imported, 2 tags" in capsys.readouterr().out
    assert main(["tags", "show", str(folder)]) == 0
    assert capsys.readouterr().out == "a.png\t(not scored)\ndeep/b.png\tdog\n"


def test_a_folder_without_images_is_said(tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["import", "scores", str(db), str(tmp_path / "empty")]) == 2
    assert "no images here" in capsys.readouterr().err


def test_of_two_spellings_of_a_tag_the_higher_score_is_imported_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.txt").write_text("(long_hair:0.500), (long hair:0.750)")
    (folder / "old.txt").write_bytes(b"\xff")
    assert main(["import", "scores", str(folder), str(folder)]) == 0
    assert "old.txt: the file is not UTF-8" in capsys.readouterr().err
    assert main(["tags", "show", str(folder), "--ranks"]) == 0
    assert capsys.readouterr().out == "a.png\t(long hair:0.750)\ndeep/b.png\t(not scored)\n"


def test_scores_of_other_images_alone_are_an_error(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "x.png").write_bytes(b"x")
    assert main(["import", "scores", str(db), str(tmp_path / "others")]) == 2
    assert "none of the names means an image here" in capsys.readouterr().err


def test_an_image_is_read_once_for_all_interrogators(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read: list[str] = []

    def remembered(path: Path) -> str:
        read.append(path.name)
        return content_digest(path)

    # Files of this moment would be read again in case they still change.
    monkeypatch.setattr("sdtui.dataset.digests.SETTLED_NS", -(10**12))
    monkeypatch.setattr("sdtui.dataset.digests.content_digest", remembered)
    query = {f"{HASH}one": ["a.png", 0], f"{HASH}other": ["a.png", 1]}
    (tmp_path / "two.json").write_text(json.dumps({"rating": {}, "tag": {"cat": [0.5, 1.5]}, "query": query}))
    assert main(["import", "scores", str(tmp_path / "two.json"), str(folder)]) == 0
    assert capsys.readouterr().out.count("scores of 1 image imported") == 2
    assert read == ["a.png"]
