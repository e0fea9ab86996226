"""`sdtui caption problems` and `complete`: the screen's colours and offers from the shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import caption_query, main
from sdtui.cli.caption import SCHEMES
from sdtui.dataset.edit import Change, Journal
from sdtui.tagging.applying import label_of
from sdtui.tagging.rules import Rules
from sdtui.tui.captions import schemes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dataset = tmp_path / "images"
    (dataset / "more").mkdir(parents=True)
    captions = {
        "a": "city, gargoyl, city", "b": "city, gargoyle, solo, 2girls", "c": "city, gargoyle", "d": "city, gargoyle",
        "more/e": "gargoyle, saber, long_hair, old name", "more/f": None,
    }  # fmt: skip
    for stem, text in captions.items():
        (dataset / f"{stem}.png").touch()
        if text is not None:
            (dataset / f"{stem}.txt").write_text(text)
    return dataset


@pytest.fixture
def listed(own_folders: Path) -> Path:
    path = own_folders / "tags.csv"
    path.write_text('saber,4,300,"artoria"\nlongcat,4,20,\nlong_hair,0,900,"long hair,old name"\n')
    (own_folders / "config.toml").write_text('[captions]\ntags = "tags.csv"\n')
    return path


def caption(*words: str | Path) -> int:
    return main(["caption", *map(str, words)])


def as_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_problems(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("problems", folder) == 0
    out, words = capsys.readouterr()
    assert out == (
        "a.png\tgargoyl\tmisspelt?\tin 1 caption of 6\tgargoyle\n"
        "a.png\tcity\ttwice\tstands here already\n"
        "b.png\tsolo\tat odds\tat odds with 2girls\n"
        "b.png\t2girls\tat odds\tat odds with solo\n"
    )
    assert words == "4 tags of 2 of 6 images\n"


def test_some_images_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("problems", folder, "--where", "tag:gargoyl", "--by", "frequency", "--json") == 0
    assert as_json(capsys) == {
        "schema": 1, "by": "frequency", "images": 1,
        "found": [
            {"image": "a.png", "tag": "gargoyl", "what": "misspelt?", "told": "in 1 caption of 6", "instead": "gargoyle"}
        ],
    }  # fmt: skip


@pytest.mark.usefixtures("listed")
def test_kinds_from_the_users_lists(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("problems", folder, "--by", "kinds", "--where", "folder:more", "--json") == 0
    found = as_json(capsys)["found"]
    assert [(row["tag"], row["what"], row["instead"]) for row in found] == [
        ("gargoyle", "in no list", ""), ("saber", "character", ""), ("old name", "old name", "long_hair"),
    ]  # fmt: skip


def test_tokens_and_triggers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.txt").write_text(", ".join(["wall"] * 40))
    assert caption("problems", folder, "--by", "tokens", "--json") == 0
    found = as_json(capsys)["found"]
    assert (len(found), found[0]["what"], found[0]["told"]) == (2, "tokens 76-150", "tokens 76 to 150")
    assert caption("problems", folder, "--by", "trigger", "--trigger", "city", "--where", "name:b", "--json") == 0
    assert [row["what"] for row in as_json(capsys)["found"]] == ["trigger word"]


@pytest.mark.usefixtures("listed")
def test_complete(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("complete", folder, "lon") == 0
    assert capsys.readouterr().out == "long_hair\t1\t900\tgeneral\nlongcat\t0\t20\tcharacter\n"
    assert caption("complete", folder, "art", "--limit", "-1") == 2
    assert "--limit is -1. Give 1 or more" in capsys.readouterr().err
    assert caption("complete", folder, "art", "--limit", "1", "--json") == 0
    assert as_json(capsys)["offers"] == [
        {
            "tag": "saber",
            "here": 1,
            "elsewhere": 300,
            "category": "character",
            "deprecated": False,
            "found_by": "artoria",
        }
    ]


def test_without_lists_the_datasets_own_tags_are_offered(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("complete", folder, "ga") == 0
    assert capsys.readouterr().out == "gargoyle\t4\t0\tunknown\ngargoyl\t1\t0\tunknown\n"


def test_a_list_that_is_not_there(folder: Path, listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed.unlink()
    assert caption("complete", folder, "ga") == 2
    assert "cannot read the list of tags" in capsys.readouterr().err


def test_every_scheme_of_the_screen_that_marks_anything() -> None:
    # Scores against the threshold are what `sdtui tags show` prints.
    told = [scheme.name for scheme in schemes.SCHEMES if scheme.classes and scheme.name != schemes.SCORES]
    assert tuple(told) == SCHEMES


def test_where_tags_came_from(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "a.txt"
    before = path.read_bytes()
    Journal.open(folder).apply([Change(path, before, before + b", zz_top")], label_of(Rules(threshold=0.35), "add"))
    assert caption("problems", folder, "--by", "origin", "--json") == 0
    found = as_json(capsys)["found"]
    assert [row["what"] for row in found if row["tag"] == "zz_top"] == ["from a tagger"]
    assert {row["what"] for row in found if row["tag"] != "zz_top"} == {"own"}


def test_progress_is_told_where_it_takes_its_time(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caption_query, "_QUIET_SECONDS", -1.0)
    assert caption("problems", folder) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2:] == ["looking for problems: 0 of 6 images", "4 tags of 2 of 6 images"]
    assert lines[0].startswith("reading captions: ")
