from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    captions = {"img1": b"wall, sky\n", "img2": b"\xef\xbb\xbfsky,tower,\r\n", "img10": b"tower"}
    for stem, raw in captions.items():
        (tmp_path / f"{stem}.png").touch()
        (tmp_path / f"{stem}.txt").write_bytes(raw)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "bare.png").touch()
    return tmp_path


def texts(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.txt"))}


def caption(*words: str | Path) -> int:
    return main(["caption", *map(str, words)])


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == 1
    assert isinstance(answer, dict)
    return answer


def test_ls_prints_images_and_captions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("ls", folder) == 0
    out, words = capsys.readouterr()
    assert out == "img1.png\twall, sky\nimg2.png\tsky,tower,\nimg10.png\ttower\nmore/bare.png\t(no caption)\n"
    assert words == "4 of 4 images, 1 untagged; 3 .txt\n"


def test_ls_untagged_flat_and_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("ls", folder, "--untagged", "--json") == 0
    assert as_json(capsys)["images"] == [{"image": "more/bare.png", "caption": None}]
    assert caption("ls", folder, "--flat", "--where", "TOWER", "--json") == 0
    assert [row["image"] for row in as_json(capsys)["images"]] == ["img2.png", "img10.png"]


def test_a_blank_caption_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "img1.txt").write_text(" \n")
    assert caption("ls", folder) == 0
    out, words = capsys.readouterr()
    assert out.startswith("img1.png\t(empty caption)\n")
    assert words == "4 of 4 images, 2 untagged; 3 .txt\n"
    assert caption("ls", folder, "--untagged", "--json") == 0
    assert [row["image"] for row in as_json(capsys)["images"]] == ["img1.png", "more/bare.png"]
    assert caption("stats", folder) == 0
    assert capsys.readouterr().err == "4 images, 2 untagged, 2 different tags; 3 .txt\n"


def test_find(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("find", folder, "SKY") == 0
    assert capsys.readouterr().out == "img1.png\twall, sky\nimg2.png\tsky,tower,\n"


def test_stats_count_captions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("stats", folder) == 0
    out, words = capsys.readouterr()
    assert out == "2\tsky\n2\ttower\n1\twall\n"
    assert words == "4 images, 1 untagged, 3 different tags; 3 .txt\n"
    assert caption("stats", folder, "--sort", "name", "--top", "2") == 0
    assert capsys.readouterr().out == "2\tsky\n2\ttower\n"
    assert caption("stats", folder, "--sort", "length") == 0
    assert capsys.readouterr().out == "2\ttower\n1\twall\n2\tsky\n"
    assert caption("stats", folder, "--json", "--top", "1") == 0
    answer = as_json(capsys)
    assert answer["counts"] == [{"tag": "sky", "captions": 2}]
    assert (answer["images"], answer["untagged"], answer["tags"]) == (4, 1, 3)
    assert (answer["naming"], answer["namings"]) == (".txt", {".txt": 3})


def test_dry_run_shows_and_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = texts(folder)
    assert caption("add", folder, "night", "--where", "wall", "--dry-run") == 0
    assert capsys.readouterr().out == (
        f"add 'night': would change 1 of 1 captions\n{folder}/img1.txt\n  - wall, sky\n  + wall, sky, night\n"
        "captions with the tag:\n  0 → 1\tnight\n"
    )
    assert texts(folder) == before
    assert not (folder / ".sdtui").exists()


def test_add_writes_only_what_changes_and_undo_restores_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = texts(folder)
    untouched = (folder / "img1.txt").stat()
    assert caption("add", folder, "sky", "--front") == 0
    assert "add 'sky': 2 of 4 captions changed" in capsys.readouterr().err
    assert (folder / "img1.txt").stat() == untouched
    assert texts(folder) == {**before, "img10.txt": b"sky, tower", "more/bare.txt": b"sky\n"}
    assert caption("undo", folder) == 0
    assert capsys.readouterr().err == "undo: add 'sky' (2 files)\n"
    assert texts(folder) == before
    assert caption("redo", folder, "--json") == 0
    assert as_json(capsys)["files"] == [str(folder / "img10.txt"), str(folder / "more" / "bare.txt")]


def test_remove_replace_sort_and_set(folder: Path) -> None:
    assert caption("remove", folder, "tower") == 0
    assert caption("replace", folder, "wall", "stone wall") == 0
    assert caption("sort", folder) == 0
    assert caption("set", folder, "more/bare.png", "a gate") == 0
    assert texts(folder) == {
        "img1.txt": b"sky, stone wall\n",
        "img10.txt": b"",
        "img2.txt": b"\xef\xbb\xbfsky,\r\n",
        "more/bare.txt": b"a gate\n",
    }


def test_one_file_is_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("set", folder, "more/bare.png", "a gate") == 0
    assert caption("undo", folder) == 0
    assert capsys.readouterr().err.endswith(" (1 file)\n")


def test_sort_by_frequency(folder: Path) -> None:
    assert caption("sort", folder, "--by", "frequency", "--where", "wall") == 0
    assert (folder / "img1.txt").read_bytes() == b"sky, wall\n"


def test_edits_report_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("replace", folder, "sky", "cloudy sky", "--json") == 0
    answer = as_json(capsys)
    assert (answer["edit"], answer["captions"], answer["changed"], answer["dry_run"]) == (1, 4, 2, False)
    assert answer["samples"][0] == {
        "path": str(folder / "img1.txt"), "before": "wall, sky", "after": "wall, cloudy sky",
    }  # fmt: skip


def test_nothing_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("remove", folder, "gate") == 0
    assert "0 of 4 captions changed\n" in capsys.readouterr().err
    assert caption("undo", folder) == 1
    assert capsys.readouterr().err == "sdtui: nothing to undo\n"


def test_history_lists_edits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    caption("add", folder, "night")
    caption("remove", folder, "night")
    caption("undo", folder)
    capsys.readouterr()
    assert caption("history", folder) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], *line[2:]) for line in lines] == [
        ("2", "4 files", "remove 'night'", "undone"),
        ("1", "4 files", "add 'night'"),
    ]
    assert caption("history", folder, "--json", "--limit", "1") == 0
    assert [item["label"] for item in as_json(capsys)["edits"]] == ["remove 'night'"]
    assert caption("history", folder, "--limit", "0") == 2
    assert "--limit is 0. Give 1 or more" in capsys.readouterr().err
    assert caption("stats", folder, "--top", "-1") == 2
    assert "--top is -1. Give 0 or more" in capsys.readouterr().err


def test_a_caption_that_is_no_text_is_named_and_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "img10.txt").write_bytes(b"caf\xe9")
    assert caption("add", folder, "night") == 1
    words = capsys.readouterr().err
    assert f"left out: {folder}/img10.txt: the caption is not UTF-8: byte 0xe9 at offset 3" in words
    assert (folder / "img10.txt").read_bytes() == b"caf\xe9"
    assert (folder / "img1.txt").read_bytes() == b"wall, sky, night\n"
    assert caption("ls", folder, "--json") == 0
    assert as_json(capsys)["images"][2]["error"].startswith("the caption is not UTF-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ls", "DIR/none"], "the folder does not exist"),
        (["undo", "DIR/none"], "the folder does not exist"),
        (["ls", "DIR/img1.png"], "this is a file, not a folder"),
        (["set", "DIR", "none.png", "x"], "there is no such image in the dataset"),
        (["add", "DIR", " , "], "the tag is empty"),
    ],
)
def test_wrong_input_is_one_message_and_exit_2(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert caption(*(word.replace("DIR", str(folder)) for word in words)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_an_empty_folder_tells_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.md").touch()
    assert caption("ls", tmp_path) == 2
    assert "no images here: it holds 1 other file (.md)" in capsys.readouterr().err


def test_captions_and_names_cannot_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"caf\xe9\x1b")
    (tmp_path / f"{name}.png").touch()
    (tmp_path / f"{name}.txt").write_text("\x1b[31mred\nline two")
    assert caption("ls", tmp_path) == 0
    assert capsys.readouterr().out == "caf\\xe9\\x1b.png\t\\x1b[31mred\\nline two\n"
    assert caption("ls", tmp_path, "--json") == 0
    assert as_json(capsys)["images"][0]["caption"] == "\x1b[31mred\nline two"
