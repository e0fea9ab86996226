from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import caption_edit, main
from sdtui.dataset.bulk import Proposal, propose

AFTER_UNDO = {
    "mine": {"a.txt": b"wall\r\n", "b.txt": b"wall\r\n"},
    "theirs": {"a.txt": b"night, wall, sky\r\n", "b.txt": b"wall\r\n"},
    "merge": {"a.txt": b"night, wall\r\n", "b.txt": b"wall\r\n"},
}


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Two captions that got `sky`; then another program put `night` before one of them."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").touch()
        (tmp_path / f"{name}.txt").write_bytes(b"wall\r\n")
    assert caption("add", tmp_path, "sky") == 0
    (tmp_path / "a.txt").write_bytes(b"night, wall, sky\r\n")
    capsys.readouterr()
    return tmp_path


def caption(*words: str | Path) -> int:
    return main(["caption", *map(str, words)])


def texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt"))}


@pytest.mark.parametrize("words", [(), ("--on-conflict", "stop"), ("--on-conflict", "theirs=b.txt")])
def test_nothing_is_overwritten_before_somebody_chose(
    folder: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = texts(folder)
    assert caption("undo", folder, *words) == 1
    err = capsys.readouterr().err
    assert f"changed on disk by another program since: {folder / 'a.txt'}" in err
    assert "--on-conflict mine, theirs or merge" in err
    assert texts(folder) == before


@pytest.mark.parametrize("choice", ["mine", "theirs", "merge"])
def test_undo_as_chosen_and_redo_brings_back_what_was_there(
    folder: Path, choice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = texts(folder)
    assert caption("undo", folder, "--on-conflict", choice, "--json") == 0
    said = capsys.readouterr()
    report: dict[str, Any] = json.loads(said.out)
    assert report["conflicts"] == [{"path": str(folder / "a.txt"), "choice": choice}]
    assert f"{folder / 'a.txt'}: changed by another program meanwhile; " in said.err
    assert texts(folder) == AFTER_UNDO[choice]
    assert caption("redo", folder) == 0
    assert texts(folder) == before


@pytest.mark.parametrize("form", ["a.txt", "{folder}/a.txt"])
def test_a_choice_for_one_file(folder: Path, form: str) -> None:
    (folder / "b.txt").write_bytes(b"b\r\n")
    file = form.format(folder=folder)
    assert caption("undo", folder, "--on-conflict", "theirs", "--on-conflict", f"merge={file}") == 0
    assert texts(folder) == {"a.txt": b"night, wall\r\n", "b.txt": b"b\r\n"}


@pytest.mark.parametrize(
    ("choice", "text", "changed"),
    [("mine", b"wall, moon\r\n", 2), ("theirs", b"gate\r\n", 1), ("merge", b"gate, moon\r\n", 2)],
)
def test_an_edit_of_captions_that_change_while_it_is_worked_out(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    choice: str,
    text: bytes,
    changed: int,
) -> None:
    (folder / "b.txt").write_bytes(b"wall\r\n")

    def slow(*words: Any, **named: Any) -> Proposal:
        proposal = propose(*words, **named)
        (folder / "b.txt").write_bytes(b"gate\r\n")
        return proposal

    monkeypatch.setattr(caption_edit, "propose", slow)
    assert caption("add", folder, "moon") == 1
    assert texts(folder)["a.txt"] == b"night, wall, sky\r\n"
    (folder / "b.txt").write_bytes(b"wall\r\n")
    capsys.readouterr()
    assert caption("add", folder, "moon", "--on-conflict", choice, "--json") == 0
    assert texts(folder) == {"a.txt": b"night, wall, sky, moon\r\n", "b.txt": text}
    assert json.loads(capsys.readouterr().out)["changed"] == changed
    assert caption("undo", folder) == 0
    assert texts(folder) == {"a.txt": b"night, wall, sky\r\n", "b.txt": b"gate\r\n"}


def test_a_choice_that_there_is_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert caption("undo", folder, "--on-conflict", "ours") == 2
    assert "--on-conflict 'ours' is not possible" in capsys.readouterr().err
