from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import main
from sdtui.dataset import index as index_module
from sdtui.dataset import index_file
from sdtui.dataset.index import Index
from sdtui.dataset.marks import Marks
from sdtui.errors import SdtuiError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    captions = {"img1": "stone wall, sky", "img2": "sky, tower, night", "img10": "tower"}
    for stem, text in captions.items():
        (tmp_path / f"{stem}.png").touch()
        (tmp_path / f"{stem}.txt").write_text(text)
    (tmp_path / "bare.png").touch()
    return tmp_path


def caption(*words: str | Path) -> int:
    return main(["caption", *map(str, words)])


def images(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def test_find_takes_a_query(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("find", folder, "tag:sky AND NOT tags:<3") == 0
    out, words = capsys.readouterr()
    assert out == "img2.png\tsky, tower, night\n"
    assert words == "1 of 4 images, 0 untagged; 3 .txt\n"
    assert caption("find", folder, "tokens:3..", "--count") == 0
    assert capsys.readouterr().out == "2\n"
    assert caption("find", folder, "tower", "--count", "--json") == 0
    assert as_json(capsys) == {"schema": 1, "found": 2, "images": 4}


def test_a_query_that_is_none_is_pointed_at(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("find", folder, "tag:sky AND (tga:x)") == 2
    assert capsys.readouterr().err == (
        "tag:sky AND (tga:x)\n"
        "             ^^^^\n"
        "sdtui: query, column 14: there is no field tga:. "
        "Did you mean tag:? For a text with a colon in it put quotes around it\n"
    )


def test_edits_and_lists_keep_to_what_a_query_finds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("add", folder, "x", "--where", "tags:>2") == 0
    assert (folder / "img2.txt").read_text() == "sky, tower, night, x"
    assert (folder / "img10.txt").read_text() == "tower"
    capsys.readouterr()
    assert caption("ls", folder, "--where", "NOT tag:*") == 0
    assert images(capsys) == ["bare.png"]
    assert caption("stats", folder, "--where", "tag:x") == 0
    assert capsys.readouterr().out == "1\tnight\n1\tsky\n1\ttower\n1\tx\n"


def test_marks_and_stars(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("mark", folder, "tag:tower", "3") == 0
    assert capsys.readouterr().err == "mark 3 set on 2 images, 2 images found\n"
    assert caption("mark", folder, "tag:night", "3", "--off", "--json") == 0
    assert as_json(capsys) == {"schema": 1, "action": "mark", "found": 1, "changed": 1}
    assert caption("find", folder, "mark:3") == 0
    assert images(capsys) == ["img10.png"]
    assert caption("rate", folder, "tag:sky", "4") == 0
    assert capsys.readouterr().err == "4 stars given to 2 images, 2 images found\n"
    assert Marks(folder).now.stars == {"img1.png": 4, "img2.png": 4}
    assert caption("find", folder, "stars:>3 AND tag:tower") == 0
    assert images(capsys) == ["img2.png"]


@pytest.mark.parametrize(
    ("words", "message"), [(("mark", "10"), "there is no selection 10"), (("rate", "6"), "6 stars")]
)
def test_marks_that_there_are_not(
    folder: Path, words: tuple[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert caption(words[0], folder, "sky", words[1]) == 2
    assert message in capsys.readouterr().err
    assert not (folder / ".sdtui").exists()


def test_saved_queries(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("queries", folder, "--save", "dark ones", "tag:night OR tags:0") == 0
    assert capsys.readouterr().out == "dark ones\ttag:night OR tags:0\n"
    assert caption("find", folder, "@dark ones") == 0
    assert images(capsys) == ["bare.png", "img2.png"]
    assert caption("queries", folder, "--json") == 0
    assert as_json(capsys)["queries"] == {"dark ones": "tag:night OR tags:0"}
    assert caption("find", folder, "@light") == 2
    assert "no query is saved as 'light'. Saved are: dark ones" in capsys.readouterr().err
    assert caption("queries", folder, "--save", "bad", "(") == 2
    assert capsys.readouterr().err.startswith("(\n^\n")
    assert caption("queries", folder, "--rename", "dark ones", "at night") == 0
    assert capsys.readouterr().out == "at night\ttag:night OR tags:0\n"
    assert caption("queries", folder, "--rename", "dark ones", "x") == 2
    assert "no query is saved as 'dark ones'" in capsys.readouterr().err
    assert caption("queries", folder, "--rename", "at night", "dark ones") == 0
    capsys.readouterr()
    assert caption("queries", folder, "--forget", "dark ones") == 0
    assert capsys.readouterr().out == ""
    assert caption("queries", folder, "--forget", "dark ones") == 2
    assert caption("queries", folder / "nowhere") == 2


def test_a_large_set_keeps_its_index(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = index_file.index_path(folder / ".sdtui")
    assert caption("find", folder, "sky") == 0
    assert not path.exists()
    monkeypatch.setattr(index_module, "KEPT_FROM", 4)
    assert caption("find", folder, "sky") == 0
    assert path.exists()
    (folder / "bare.txt").write_text("sky")
    capsys.readouterr()
    assert caption("find", folder, "sky") == 0
    assert images(capsys) == ["bare.png", "img1.png", "img2.png"]


def test_without_room_for_the_index_the_answer_is_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_index: Index) -> bool:
        raise SdtuiError("cannot write: no space left on the disk")

    monkeypatch.setattr(Index, "keep", full)
    assert caption("find", folder, "tower") == 0
    out, words = capsys.readouterr()
    assert out.count("\n") == 2
    assert "the captions will be read again next time: cannot write: no space left" in words
