from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import main
from sdtui.dataset.operations import EDITS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    captions = {"img1": b"stone_wall, sky (night), sky\r\n", "img2": b"\xef\xbb\xbfSky,tower,\r\n", "img10": b"tower"}
    for stem, raw in captions.items():
        (tmp_path / f"{stem}.png").touch()
        (tmp_path / f"{stem}.txt").write_bytes(raw)
    return tmp_path


def texts(folder: Path) -> list[bytes]:
    return [(folder / f"{stem}.txt").read_bytes() for stem in ("img1", "img2", "img10")]


def caption(*words: str | Path) -> int:
    return main(["caption", *map(str, words)])


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["add", "DIR", "x", "--place", "2"], b"stone_wall, x, sky (night), sky\r\n"),
        (["remove", "DIR", "sky*", "--wildcard"], b"stone_wall\r\n"),
        (["remove", "DIR", "SKY", "--ignore-case"], b"stone_wall, sky (night)\r\n"),
        (["replace", "DIR", "l, s", "l; s", "--anywhere"], b"stone_wall; sky (night), sky\r\n"),
        (["regex", "DIR", r"^(s)(\w)", r"\2\1", "--each-tag"], b"tsone_wall, ksy (night), ksy\r\n"),
        (["dedupe", "DIR"], None),
        (["trim", "DIR", "--tags", "2"], b"stone_wall, sky (night)\r\n"),
        (["trim", "DIR", "--tokens", "3"], b"stone_wall\r\n"),
        (["trigger", "DIR", "sky"], b"sky, stone_wall, sky (night)\r\n"),
        (["front", "DIR", "sky", "stone_wall"], b"sky, stone_wall, sky (night)\r\n"),
        (["sort", "DIR", "--keep", "1"], b"stone_wall, sky, sky (night)\r\n"),
        (["sort", "DIR", "--order", "DIR/order.list"], b"sky, stone_wall, sky (night)\r\n"),
        (["spaces", "DIR"], b"stone wall, sky (night), sky\r\n"),
        (["spaces", "DIR", "--keep", "none", "--keep", "stone?*"], None),
        (["underscores", "DIR"], b"stone_wall, sky_(night), sky\r\n"),
        (["escape", "DIR"], b"stone_wall, sky \\(night\\), sky\r\n"),
        (["unescape", "DIR"], None),
        (["case", "DIR", "upper"], b"STONE_WALL, SKY (NIGHT), SKY\r\n"),
        (["prefix", "DIR", "photo, "], b"photo, stone_wall, sky (night), sky\r\n"),
        (["suffix", "DIR", ", hd"], b"stone_wall, sky (night), sky, hd\r\n"),
    ],
)
def test_edits(folder: Path, words: list[str], expected: bytes | None) -> None:
    (folder / "order.list").write_text("sky\nstone_wall\n")
    before = texts(folder)
    assert caption(*(word.replace("DIR", str(folder)) for word in words), "--where", "name:img1.") == 0
    assert texts(folder) == [expected or before[0], *before[1:]]
    assert caption("undo", folder) == (0 if expected else 1)
    assert texts(folder) == before


def test_every_edit_has_help_with_an_example_that_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    for verb, edit in EDITS.items():
        with pytest.raises(SystemExit):
            caption(verb, "--help")
        words = capsys.readouterr().out
        assert f"example: sdtui caption {verb} ~/cats" in re.sub(r"\s+", " ", words)
        assert "--dry-run" in words
        assert edit.summary[1:].split(",")[0][:40] in re.sub(r"\s+", " ", words)


def test_the_overview_names_every_action(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        caption("--help")
    words = capsys.readouterr().out.split()
    assert set(EDITS) | {"ls", "find", "stats", "set", "restore", "undo", "redo", "history"} <= set(words)


def test_scope_by_mark_and_query(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    caption("mark", folder, "tower", "2")
    capsys.readouterr()
    assert caption("add", folder, "x", "--mark", "2", "--where", "tags:1", "--json") == 0
    assert (as_json(capsys)["captions"], texts(folder)[2]) == (1, b"tower, x")
    assert caption("ls", folder, "--mark", "2") == 0
    assert capsys.readouterr().out.count("\n") == 2
    assert caption("add", folder, "y", "--mark", "0") == 2
    assert "there is no selection 0" in capsys.readouterr().err


def test_a_dry_run_counts_tags(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("replace", folder, "tower", "Sky", "--dry-run") == 0
    out = capsys.readouterr().out
    assert out.startswith("replace 'tower' by 'Sky': would change 2 of 3 captions\n")
    assert out.endswith("captions with the tag:\n  2 → 0\ttower\n  1 → 2\tSky\n")
    assert caption("replace", folder, "tower", "Sky", "--dry-run", "--json") == 0
    answer = as_json(capsys)
    assert answer["tags"] == [{"tag": "tower", "before": 2, "after": 0}, {"tag": "Sky", "before": 1, "after": 2}]
    assert (answer["edit"], answer["dry_run"]) == (None, True)


def test_lines_as_captions(folder: Path) -> None:
    (folder / "img10.txt").write_bytes(b"a, b\r\n\r\na,\r\n")
    assert caption("add", folder, "x", "--each-line", "--where", "name:img10") == 0
    assert texts(folder)[2] == b"a, b, x\r\n\r\na, x,\r\n"


def test_restore_brings_back_the_first_text_and_can_be_undone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bare.png").touch()
    before = texts(folder)
    caption("add", folder, "x")
    caption("remove", folder, "tower")
    (folder / "img10.txt").write_bytes(b"caf\xe9")
    caption("restore", folder, "--where", "name:img2")
    assert texts(folder)[1] == before[1]
    assert texts(folder)[0] != before[0]
    changed = texts(folder)
    capsys.readouterr()
    assert caption("restore", folder, "--dry-run") == 0
    assert capsys.readouterr().out.startswith("restore the originals: would change 3 of 4 captions\n")
    assert (texts(folder), (folder / "bare.txt").exists()) == (changed, True)
    assert caption("restore", folder) == 0
    assert (texts(folder), (folder / "bare.txt").exists()) == (before, False)
    assert caption("undo", folder) == 0
    assert (texts(folder), (folder / "bare.txt").read_bytes()) == (changed, b"x\n")


def test_restore_finds_a_caption_that_an_edit_deleted(folder: Path) -> None:
    (folder / "odd.png").touch()
    (folder / "odd.caption").write_text("a")
    from sdtui.dataset.edit import Change, Journal

    Journal.open(folder).apply([Change(folder / "odd.caption", b"a", None)], "delete")
    assert caption("restore", folder) == 0
    assert (folder / "odd.caption").read_text() == "a"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["regex", "DIR", "(", ""], "the regular expression cannot be used"),
        (["trim", "DIR"], "trim wants one limit"),
        (["sort", "DIR", "--by", "file"], "needs the file"),
    ],
)
def test_wrong_parameters_are_one_message(
    folder: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert caption(*(word.replace("DIR", str(folder)) for word in words)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
