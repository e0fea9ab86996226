"""A document being edited: undo, problems, saving without overwriting others."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.profile.document import Change, DiskConflictError, ProfileDocument
from sdtui.profile.problem import Finding
from tests.profile.conftest import SOUND


@pytest.fixture
def document(workspace: Path) -> ProfileDocument:
    return ProfileDocument.load(workspace / "sound.toml")


def test_values_and_defaults(document: ProfileDocument) -> None:
    assert document.get("training.steps") == 100
    assert document.get("method.rank") == 16
    assert (document.is_set("training.steps"), document.is_set("method.rank")) == (True, False)
    assert document.get("dataset.folders[0].path") == "images"
    assert document.rows("dataset.folders") == 1
    with pytest.raises(KeyError):
        document.get("method.rnak")


def test_lines(document: ProfileDocument) -> None:
    assert document.line_of("training.steps") == 8
    assert document.line_of("saving.keep_last") == 10
    document.replace_text("[broken")
    assert document.line_of("training.steps") == 1


def test_undo_and_redo_give_back_the_bytes(document: ProfileDocument) -> None:
    document.set("method.rank", 8)
    document.set("training.steps", 200)
    edited = document.text
    assert document.undo()
    assert document.undo()
    assert document.text == SOUND
    assert not document.undo()
    assert document.redo()
    assert document.redo()
    assert document.text == edited
    assert not document.redo()
    document.undo()
    document.set("training.steps", 7)
    assert not document.redo()


def test_setting_what_is_there_is_no_change(document: ProfileDocument) -> None:
    document.set("training.steps", 100)
    document.unset("method.rank")
    assert not document.dirty
    assert not document.undo()


def test_problems_follow_the_text(document: ProfileDocument) -> None:
    assert document.problems() == ()
    document.set("training.steps", 0)
    assert [problem.key for problem in document.problems_at("training.steps")] == ["training.steps"]
    assert [problem.key for problem in document.problems_at("training")] == ["training.steps"]
    assert document.problems_at("method") == ()
    document.undo()
    assert document.problems() == ()


def test_recheck_sees_what_changed_on_disk(document: ProfileDocument, workspace: Path) -> None:
    assert document.problems() == ()
    (workspace / "images").rmdir()
    assert document.problems() == ()
    assert [problem.key for problem in document.recheck().problems] == ["dataset.folders[0].path"]


def test_what_was_found_beyond_the_text_stands_until_its_setting_changes(document: ProfileDocument) -> None:
    bad = Finding("unreadable-image", "dataset.folders[0].path", "a.png: it is empty", "Replace it")
    odd = Finding("no-trigger", "prior.trigger", "not in 1 of 3 captions", severity="warning")
    document.found([bad, odd])
    line = document.line_of("dataset.folders[0].path")
    assert [(each.line, each.message) for each in document.report().errors] == [(line, "a.png: it is empty")]
    assert [each.message for each in document.problems_at("prior")] == ["not in 1 of 3 captions"]
    assert document.report().profile is None
    assert document.profile is not None
    document.set("training.steps", 7)
    assert len(document.report().errors) == 1
    document.set("dataset.folders[0].path", "other")
    assert "a.png: it is empty" not in [each.message for each in document.problems()]
    document.undo()
    document.found([])
    assert document.report().errors == ()


def test_what_was_found_is_not_told_beside_errors_of_the_text(document: ProfileDocument) -> None:
    document.found([Finding("unreadable-image", "dataset.folders[0].path", "a.png: it is empty")])
    document.set("training.steps", "many")
    assert [each.key for each in document.report().errors] == ["training.steps"]
    assert document.profile is None


def test_a_broken_text_is_mended_as_text(document: ProfileDocument) -> None:
    document.replace_text(SOUND + "oops\n")
    assert (document.parses, [problem.code for problem in document.problems()]) == (False, ["syntax"])
    with pytest.raises(UserError, match="not valid TOML at the moment"):
        document.set("training.steps", 3)
    document.replace_text(SOUND)
    document.set("training.steps", 3)
    assert document.get("training.steps") == 3


def test_rows(document: ProfileDocument) -> None:
    document.add_row("dataset.folders", path="more", repeats=2)
    assert document.get("dataset.folders[1].repeats") == 2
    document.remove_row("dataset.folders[0]")
    assert (document.rows("dataset.folders"), document.get("dataset.folders[0].path")) == (1, "more")


def test_save_writes_and_is_clean(document: ProfileDocument) -> None:
    document.set("training.steps", 200)
    edited = document.dirty
    document.save()
    assert (edited, document.dirty) == (True, False)
    assert document.path.read_text() == SOUND.replace("steps = 100", "steps = 200")


def test_save_never_overwrites_another_programs_change(document: ProfileDocument) -> None:
    document.set("training.steps", 200)
    document.path.write_text("# theirs\n" + SOUND)
    assert document.changed_on_disk()
    with pytest.raises(DiskConflictError, match="changed by another program"):
        document.save()
    assert document.path.read_text() == "# theirs\n" + SOUND
    document.save(force=True)
    assert document.path.read_text() == SOUND.replace("steps = 100", "steps = 200")
    assert not document.changed_on_disk()


def test_a_touched_file_with_the_same_bytes_is_no_change(document: ProfileDocument) -> None:
    document.path.write_text(SOUND)
    assert not document.changed_on_disk()


def test_a_file_that_is_gone_or_suddenly_there(document: ProfileDocument, workspace: Path) -> None:
    document.path.unlink()
    assert document.changed_on_disk()
    fresh = ProfileDocument(workspace / "fresh.toml", SOUND)
    assert fresh.dirty
    assert not fresh.changed_on_disk()
    (workspace / "fresh.toml").write_text("")
    with pytest.raises(DiskConflictError):
        fresh.save()


def test_reload_can_be_undone(document: ProfileDocument) -> None:
    document.set("training.steps", 200)
    mine = document.text
    document.path.write_text("# theirs\n" + SOUND)
    document.reload()
    assert document.text == "# theirs\n" + SOUND
    assert document.diff_disk() == []
    document.undo()
    assert document.text == mine
    assert document.dirty


def test_diff_against_disk(document: ProfileDocument) -> None:
    assert document.diff_disk() == []
    document.set("training.steps", 200)
    assert [line for line in document.diff_disk() if line[0] in "+-"] == [
        "--- on disk",
        "+++ edited",
        "-steps = 100",
        "+steps = 200",
    ]


def test_diff_against_defaults(document: ProfileDocument) -> None:
    document.set("method.rank", 16)
    document.set("optimizer.betas", [0.9, 0.95])
    assert document.diff_defaults() == [
        Change("model.base", None, "model"),
        Change("dataset.folders[0].path", None, "images"),
        Change("training.steps", None, 100),
        Change("optimizer.betas", None, [0.9, 0.95]),
        Change("saving.every_steps", 0, 50),
    ]


def test_byte_order_mark_and_crlf_survive(workspace: Path) -> None:
    raw = ("\ufeff" + SOUND.replace("\n", "\r\n")).encode()
    path = workspace / "windows.toml"
    path.write_bytes(raw)
    document = ProfileDocument.load(path)
    document.set("training.steps", 200)
    document.set("method.rank", 8)
    document.save()
    assert path.read_bytes() == raw.replace(b"steps = 100", b"steps = 200") + b"\r\n[method]\r\nrank = 8\r\n"


def test_a_text_nested_without_end_is_only_a_problem(document: ProfileDocument) -> None:
    document.replace_text("a = " + "[" * 3000 + "]" * 3000)
    assert (document.parses, [problem.code for problem in document.problems()]) == (False, ["syntax"])
    assert document.get("method.rank") == 16
