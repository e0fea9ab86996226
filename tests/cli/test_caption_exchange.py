from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import main

# `a.png` and `b/c.png` have captions, `d.png` has none.
CAPTIONS = {"a.txt": b"\xef\xbb\xbfcat, wall\r\n", "b/c.txt": b"dog\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    (folder / "b").mkdir(parents=True)
    for name in ("a.png", "b/c.png", "d.png"):
        (folder / name).touch()
    for name, raw in CAPTIONS.items():
        (folder / name).write_bytes(raw)
    return folder


def caption(*words: str | Path) -> int:
    return main(["caption", *map(str, words)])


def files(folder: Path) -> dict[str, bytes]:
    """All files but images and what is sdtui's own."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in {".png", ".jpg"})
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if ".sdtui" not in path.parts}


def metadata(folder: Path, content: dict[str, Any]) -> Path:
    path = folder.parent / "meta.json"
    path.write_text(json.dumps(content))
    return path


KOHYA = {
    "a.png": {"caption": "a cat", "tags": "cat, night"},
    "/data/set/b/c.png": {"tags": "dog"},
    "d": {"caption": "a bird"},
    "nobody.png": {"caption": "x"},
    "b/": {"train_resolution": [512, 512]},
}


def test_captions_that_would_be_overwritten_are_named_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("import", folder, metadata(folder, KOHYA)) == 2
    err = capsys.readouterr().err
    assert "there is another caption already for a.png" in err
    assert "--existing keep, replace or add" in err
    assert files(folder) == CAPTIONS


@pytest.mark.parametrize(
    ("existing", "text"),
    [
        ("keep", CAPTIONS["a.txt"]),
        ("replace", b"\xef\xbb\xbfa cat, cat, night\r\n"),
        ("add", b"\xef\xbb\xbfcat, wall, a cat, night\r\n"),
    ],
)
def test_kohyas_captions_are_taken_over_and_undo_takes_them_back(
    folder: Path, existing: str, text: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert caption("import", folder, metadata(folder, KOHYA), "--existing", existing) == 0
    assert files(folder) == {"a.txt": text, "b/c.txt": b"dog\n", "d.txt": b"a bird\n"}
    err = capsys.readouterr().err
    assert "2 names that no one image has: nobody.png, b/" in err
    assert caption("undo", folder) == 0
    assert files(folder) == CAPTIONS


def test_a_dry_run_of_an_import_tells_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("import", folder, metadata(folder, KOHYA), "--dry-run", "--json") == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert (report["named"], report["differing"], report["changed"]) == (3, 1, 1)
    assert report["unknown"] == ["nobody.png", "b/"]
    assert report["samples"] == [{"path": str(folder / "d.txt"), "before": "", "after": "a bird"}]
    assert "1 image with another caption: choose with --existing" in said.err
    assert files(folder) == CAPTIONS


def test_an_import_keeps_to_the_images_asked_for_and_one_column(folder: Path) -> None:
    path = metadata(folder, KOHYA)
    assert caption("import", folder, path, "--existing", "replace", "--where", "name:a", "--column", "tags") == 0
    assert files(folder) == {**CAPTIONS, "a.txt": b"\xef\xbb\xbfcat, night\r\n"}


def test_a_folder_of_caption_files_is_taken_over(folder: Path) -> None:
    other = folder.parent / "other"
    (other / "b").mkdir(parents=True)
    (other / "b" / "c.png.caption").write_text("a dog")
    (other / "d.txt").write_text("a bird")
    assert caption("import", folder, other, "--existing", "replace") == 0
    assert files(folder) == {**CAPTIONS, "b/c.txt": b"a dog\n", "d.txt": b"a bird\n"}


def test_two_files_that_say_different_things(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = folder / "metadata.jsonl"
    lines.write_text('{"file_name": "d.png", "text": "a fish"}\n')
    assert caption("import", folder, metadata(folder, {"d": {"caption": "a bird"}}), lines) == 2
    assert "d.png has two different captions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "name", "content"),
    [
        pytest.param(("--to", "metadata-jsonl"), "metadata.jsonl",
                     '{"file_name": "a.png", "text": "cat, wall"}\n{"file_name": "b/c.png", "text": "dog"}\n', id="jsonl"),
        pytest.param(("--to", "metadata-jsonl", "--column", "prompt", "--where", "tag:dog"), "metadata.jsonl",
                     '{"file_name": "b/c.png", "prompt": "dog"}\n', id="jsonl-column-and-scope"),
        pytest.param(("--to", "kohya-json"), "metadata.json",
                     '{\n  "a.png": {\n    "caption": "cat, wall"\n  },\n  "b/c.png": {\n    "caption": "dog"\n  }\n}\n',
                     id="kohya-json"),
        pytest.param(("--to", "kohya-jsonl"), "kohya.jsonl",
                     '{"image_path": "a.png", "caption": "cat, wall"}\n{"image_path": "b/c.png", "caption": "dog"}\n',
                     id="kohya-jsonl"),
    ],
)  # fmt: skip
def test_all_captions_in_one_file(folder: Path, words: tuple[str, ...], name: str, content: str) -> None:
    assert caption("export", folder, *words) == 0
    assert files(folder) == {**CAPTIONS, name: content.encode()}


def test_where_names_start(folder: Path) -> None:
    out = folder.parent / "train.jsonl"
    assert caption("export", folder, "--to", "metadata-jsonl", "--out", out) == 0
    assert [json.loads(line)["file_name"] for line in out.read_text().splitlines()] == ["set/a.png", "set/b/c.png"]
    assert caption("export", folder, "--to", "kohya-json", "--full-paths", "--out", folder.parent / "meta.json") == 0
    names = list(json.loads((folder.parent / "meta.json").read_text()))
    assert names == [str(folder / "a.png"), str(folder / "b" / "c.png")]


@pytest.mark.parametrize(
    ("existing", "row"),
    [("keep", {"caption": "a cat", "tags": "cat, night"}), ("replace", {"caption": "cat, wall"})],
)
def test_a_file_that_is_there_keeps_what_sdtui_does_not_know(folder: Path, existing: str, row: dict[str, Any]) -> None:
    there = {"nobody.png": {"caption": "x"}, "/data/set/a.png": {"caption": "a cat", "tags": "cat, night", "seen": 3}}
    path = metadata(folder, there)
    assert caption("export", folder, "--to", "kohya-json", "--out", path) == 2
    assert json.loads(path.read_text()) == there
    assert caption("export", folder, "--to", "kohya-json", "--out", path, "--existing", existing) == 0
    assert json.loads(path.read_text()) == {
        "nobody.png": {"caption": "x"},
        "/data/set/a.png": {"seen": 3, **row},
        "b/c.png": {"caption": "dog"},
    }


def test_what_is_exported_comes_back(folder: Path) -> None:
    for kind in ("kohya-json", "kohya-jsonl", "metadata-jsonl"):
        out = folder.parent / kind
        assert caption("export", folder, "--to", kind, "--out", out) == 0
        caption("remove", folder, "*", "--wildcard")
        assert caption("import", folder, out) == 0
        assert files(folder) == CAPTIONS


@pytest.mark.parametrize(
    ("to", "names"),
    [
        ("caption", ("a.caption", "b/c.caption")),
        ("img.png.txt", ("a.png.txt", "b/c.png.txt")),
        ("img.png.caption", ("a.png.caption", "b/c.png.caption")),
    ],
)
def test_caption_files_of_another_naming(
    folder: Path, to: str, names: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    copies = dict(zip(names, CAPTIONS.values(), strict=True))
    assert caption("export", folder, "--to", to, "--dry-run") == 0
    assert files(folder) == CAPTIONS
    assert caption("export", folder, "--to", to) == 0
    assert files(folder) == {**CAPTIONS, **copies}
    assert "beside the ones that are read now (2 .txt)" in capsys.readouterr().err
    caption("undo", folder)
    assert caption("export", folder, "--to", to, "--move") == 0
    assert files(folder) == copies
    caption("undo", folder)
    assert files(folder) == CAPTIONS
    assert caption("export", folder, "--to", to, "--out", folder.parent / "out") == 0
    assert files(folder.parent / "out") == copies
    assert files(folder) == CAPTIONS


def test_caption_files_that_say_something_else_stay(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.caption").write_text("mine")
    assert caption("export", folder, "--to", "caption") == 2
    assert f"there is another caption already for {folder / 'a.caption'}" in capsys.readouterr().err
    assert caption("export", folder, "--to", "caption", "--existing", "keep", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["written"], report["kept"], report["without_caption"]) == (1, [str(folder / "a.caption")], 1)
    assert (folder / "a.caption").read_text() == "mine"
    assert caption("export", folder, "--to", "caption", "--existing", "replace") == 0
    assert (folder / "a.caption").read_bytes() == CAPTIONS["a.txt"]


def test_moving_captions_to_where_they_are_moves_nothing(folder: Path) -> None:
    assert caption("export", folder, "--to", "txt", "--move") == 0
    assert files(folder) == CAPTIONS
    (folder / "a.caption").write_bytes(CAPTIONS["a.txt"])
    assert caption("export", folder, "--to", "caption", "--move") == 0
    assert files(folder) == {"a.caption": CAPTIONS["a.txt"], "b/c.caption": b"dog\n"}


def test_twins_share_a_caption_file_and_move_it_once(folder: Path) -> None:
    (folder / "a.jpg").touch()
    assert caption("export", folder, "--to", "img.png.txt", "--move", "--flat") == 0
    assert files(folder) == {"a.jpg.txt": CAPTIONS["a.txt"], "a.png.txt": CAPTIONS["a.txt"], "b/c.txt": b"dog\n"}


def test_captions_that_are_no_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.txt").write_bytes(b"caf\xe9")
    assert caption("export", folder, "--to", "kohya-json") == 1
    assert "not UTF-8" in capsys.readouterr().err
    assert json.loads((folder / "metadata.json").read_text()) == {"b/c.png": {"caption": "dog"}}
    assert caption("export", folder, "--to", "caption") == 0
    assert (folder / "a.caption").read_bytes() == b"caf\xe9"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "DIR", "none.json"), "cannot read the captions"),
        (("export", "DIR", "--to", "caption", "--full-paths"), "--column and --full-paths are for files of captions"),
        (("export", "DIR", "--to", "kohya-json", "--move"), "--move is for caption files"),
        (("export", "DIR", "--to", "kohya-json", "--out", "DIR/m.jsonl"), "this is a file of kind metadata-jsonl"),
    ],
)
def test_wrong_input_is_one_message(
    folder: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "m.jsonl").write_text('{"file_name": "a.png", "text": "cat, wall"}\n')
    assert caption(*(word.replace("DIR", str(folder)) for word in words)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
