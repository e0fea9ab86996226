from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdtui import paths
from sdtui.dataset import edit
from sdtui.dataset.conflict import Choice
from sdtui.dataset.edit import Change, ConflictError, Journal, Operation
from sdtui.dataset.journal import State, Store
from sdtui.errors import SdtuiError, UserError
from sdtui.files import write_atomic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_bytes(name.encode())
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def change(folder: Path, name: str, before: bytes | None, after: bytes | None) -> Change:
    return Change(folder / f"{name}.txt", before, after)


def test_opening_writes_nothing(folder: Path) -> None:
    journal = Journal.open(folder)
    assert journal.undo() is None
    assert journal.redo() is None
    assert journal.history() == []
    assert not (folder / ".sdtui").exists()


def test_apply_undo_redo_restore_exact_bytes(folder: Path) -> None:
    original = contents(folder)
    journal = Journal.open(folder)
    made = journal.apply(
        [
            change(folder, "a", b"a", b"\xff\xfe\r\n\0"),
            change(folder, "b", b"b", None),
            change(folder, "new", None, b""),
            change(folder, "c", b"c", b"c"),
        ],
        "rework",
    )
    assert made is not None
    assert [item.path.name for item in made.changes] == ["a.txt", "b.txt", "new.txt"]
    edited = {"a.txt": b"\xff\xfe\r\n\0", "c.txt": b"c", "new.txt": b""}
    assert contents(folder) == edited
    # Another process, next week.
    journal = Journal.open(folder)
    assert journal.undo() is not None
    assert contents(folder) == original
    assert journal.undo() is None
    assert journal.redo() is not None
    assert contents(folder) == edited
    assert journal.redo() is None


def test_files_that_do_not_change_are_not_touched(folder: Path) -> None:
    before = (folder / "a.txt").stat()
    assert Journal.open(folder).apply([change(folder, "a", b"a", b"a")], "nothing") is None
    assert (folder / "a.txt").stat() == before


def test_a_new_edit_after_undo_drops_what_could_be_redone(folder: Path) -> None:
    journal = Journal.open(folder)
    for text in (b"1", b"2", b"3"):
        journal.apply([change(folder, "a", (folder / "a.txt").read_bytes(), text)], f"to {text.decode()}")
    journal.undo()
    journal.undo()
    assert [(item.number, item.label, item.applied) for item in journal.history()] == [
        (3, "to 3", False),
        (2, "to 2", False),
        (1, "to 1", True),
    ]
    journal.apply([change(folder, "a", b"1", b"other")], "other way")
    assert journal.redo() is None
    assert [(item.label, item.files) for item in journal.history()] == [("other way", 1), ("to 1", 1)]
    journal.undo()
    journal.undo()
    assert contents(folder)["a.txt"] == b"a"


def test_a_file_changed_by_someone_else_is_named_and_nothing_is_overwritten(folder: Path) -> None:
    journal = Journal.open(folder)
    (folder / "b.txt").write_bytes(b"theirs")
    with pytest.raises(ConflictError) as caught:
        journal.apply([change(folder, "a", b"a", b"A"), change(folder, "b", b"b", b"B")], "upper case")
    assert caught.value.paths == (folder / "b.txt",)
    assert "b.txt" in caught.value.message
    assert contents(folder) == {"a.txt": b"a", "b.txt": b"theirs", "c.txt": b"c"}
    assert journal.history() == []


def test_undo_refuses_when_the_file_moved_on(folder: Path) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, "a", b"a", b"A"), change(folder, "b", b"b", b"B")], "upper case")
    (folder / "a.txt").write_bytes(b"theirs")
    with pytest.raises(ConflictError, match="cannot undo 'upper case'"):
        journal.undo()
    assert contents(folder) == {"a.txt": b"theirs", "b.txt": b"B", "c.txt": b"c"}
    (folder / "a.txt").write_bytes(b"A")
    assert journal.undo() is not None
    assert contents(folder)["b.txt"] == b"b"


def test_a_file_that_appeared_is_a_conflict_too(folder: Path) -> None:
    with pytest.raises(ConflictError):
        Journal.open(folder).apply([change(folder, "a", None, b"new")], "create")


@pytest.mark.parametrize("others", [1, 40], ids=["few files", "many files"])
def test_a_file_that_is_written_while_the_edit_goes_on_keeps_what_it_was_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    changes = [Change(folder / f"{number:02}.txt", None, b"made") for number in range(others)]
    journal = Journal.open(folder)
    real = Store.record

    def record(store: Store, operation: Operation) -> None:
        real(store, operation)
        (folder / "a.txt").write_bytes(b"theirs")

    monkeypatch.setattr(Store, "record", record)
    with pytest.raises(ConflictError) as caught:
        journal.apply([*changes, change(folder, "a", b"a", b"mine")], "edit")
    assert [(conflict.path.name, conflict.theirs) for conflict in caught.value.conflicts] == [("a.txt", b"theirs")]
    assert contents(folder) == {"a.txt": b"theirs", "b.txt": b"b", "c.txt": b"c"}
    assert [path.name for path in folder.glob(".*.tmp")] == []
    assert Journal.open(folder).history() == []


@pytest.mark.parametrize("others", [1, 40], ids=["few files", "many files"])
def test_one_file_under_two_names_is_no_conflict_with_itself(folder: Path, others: int) -> None:
    (folder / "link.txt").symlink_to("a.txt")
    changes = [Change(folder / f"{number:02}.txt", None, b"made") for number in range(others)]
    twice = [change(folder, "a", b"a", b"both"), change(folder, "link", b"a", b"both")]
    assert Journal.open(folder).apply([*changes, *twice], "edit") is not None
    assert ((folder / "a.txt").read_bytes(), (folder / "link.txt").is_symlink()) == (b"both", True)
    assert Journal.open(folder).undo() is not None
    assert (folder / "a.txt").read_bytes() == b"a"


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_a_disk_that_is_full_once_all_is_written_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    journal = Journal.open(folder)
    real = Store.write_state

    def write_state(store: Store, state: State, *, sync: bool) -> None:
        if (folder / "a.txt").read_bytes() == after:
            raise SdtuiError("cannot write: no space left on the disk")
        real(store, state, sync=sync)

    after = b"new" if verb == "apply" else b"a"
    edits = [change(folder, "a", b"a", b"new")]
    if verb == "undo":
        journal.apply(edits, "edit")
    with monkeypatch.context() as full:
        full.setattr(Store, "write_state", write_state)
        made = journal.apply(edits, "edit") if verb == "apply" else journal.undo()
    assert made is not None
    assert (folder / "a.txt").read_bytes() == after
    assert [row.applied for row in Journal.open(folder).history()] == [verb == "apply"]


def test_a_failed_write_puts_everything_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.open(folder)
    real = write_atomic

    def full(path: Path, data: bytes, *, sync: bool) -> None:
        if path.name == "c.txt":
            raise SdtuiError("cannot write: no space left on the disk", where=str(path))
        real(path, data, sync=sync)

    monkeypatch.setattr(edit, "write_atomic", full)
    changes = [change(folder, name, name.encode(), b"X") for name in "abc"]
    with pytest.raises(SdtuiError, match="no space left"):
        journal.apply(changes, "all X")
    assert contents(folder) == {"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"}
    assert Journal.open(folder).recovered is None
    monkeypatch.setattr(edit, "write_atomic", real)
    journal.apply(changes, "all X")
    assert [item.label for item in journal.history()] == ["all X"]


def test_ctrl_c_in_the_middle_puts_everything_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, name, name.encode(), b"X") for name in "abc"], "all X")
    real = write_atomic
    written: list[Path] = []

    def interrupted(path: Path, data: bytes, *, sync: bool) -> None:
        real(path, data, sync=sync)
        written.append(path)
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(edit, "write_atomic", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.undo()
    assert set(contents(folder).values()) == {b"X"}
    monkeypatch.setattr(edit, "write_atomic", real)
    assert journal.undo() is not None
    assert contents(folder) == {"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"}


KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from sdtui.dataset import edit
    folder, verb, survive = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    real = edit.write_atomic
    def deadly(path, data, *, sync):
        global survive
        if survive == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        survive -= 1
        real(path, data, sync=sync)
    edit.write_atomic = deadly
    journal = edit.Journal.open(folder)
    if verb == "apply":
        journal.apply([edit.Change(folder / f"{n}.txt", n.encode(), n.upper().encode()) for n in "abc"], "upper case")
    else:
        getattr(journal, verb)()
""")


def killed(folder: Path, verb: str, survive: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), verb, str(survive)], check=False)
    assert done.returncode == -signal.SIGKILL


LOWER = {"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"}
UPPER = {"a.txt": b"A", "b.txt": b"B", "c.txt": b"C"}


@pytest.mark.parametrize("survive", [0, 2])
def test_an_edit_cut_by_kill_9_is_finished_by_the_next_open(folder: Path, survive: int) -> None:
    killed(folder, "apply", survive)
    (folder / ".c.txt.k1ll3d.tmp").touch()
    (folder / ".other.tmp").touch()
    assert set(contents(folder).values()) <= {b"a", b"b", b"c", b"A", b"B", b"C"}
    journal = Journal.open(folder)
    assert journal.recovered is not None
    assert (journal.recovered.label, journal.recovered.written) == ("upper case", 3 - survive)
    assert contents(folder) == UPPER
    assert [path.name for path in folder.glob(".*.tmp")] == [".other.tmp"]
    assert Journal.open(folder).recovered is None
    journal.undo()
    assert contents(folder) == LOWER


def test_undo_and_redo_cut_by_kill_9_are_finished_too(folder: Path) -> None:
    upper = [change(folder, name, name.encode(), name.upper().encode()) for name in "abc"]
    Journal.open(folder).apply(upper, "upper case")
    killed(folder, "undo", 1)
    assert Journal.open(folder).recovered is not None
    assert contents(folder) == LOWER
    killed(folder, "redo", 1)
    journal = Journal.open(folder)
    assert contents(folder) == UPPER
    assert journal.redo() is None
    assert journal.undo() is not None


def test_recovery_leaves_alone_what_someone_else_changed_meanwhile(folder: Path) -> None:
    killed(folder, "apply", 1)
    (folder / "b.txt").write_bytes(b"theirs")
    journal = Journal.open(folder)
    assert journal.recovered is not None
    assert journal.recovered.conflicts == (folder / "b.txt",)
    assert contents(folder) == {"a.txt": b"A", "b.txt": b"theirs", "c.txt": b"C"}


def test_many_files_in_one_operation(tmp_path: Path) -> None:
    changes = [Change(tmp_path / f"{number}.txt", None, b"%d" % number) for number in range(100)]
    journal = Journal.open(tmp_path)
    journal.apply(changes, "create")
    assert (tmp_path / "99.txt").read_bytes() == b"99"
    journal.undo()
    assert list(tmp_path.glob("*.txt")) == []


def test_many_files_are_put_back_when_one_fails(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}.txt").write_bytes(b"old")
    changes = [Change(tmp_path / f"{number}.txt", b"old", b"new") for number in range(100)]
    (tmp_path / "in the way").mkdir()
    journal = Journal.open(tmp_path)
    with pytest.raises(SdtuiError, match="cannot"):
        journal.apply([*changes, Change(tmp_path / "in the way", None, b"new")], "all new")
    with pytest.raises(SdtuiError, match="cannot write"):
        journal.apply([*changes, Change(tmp_path / "none" / "x.txt", None, b"new")], "all new")
    assert set(contents(tmp_path).values()) == {b"old"}
    assert journal.history() == []
    assert list(tmp_path.glob(".*.tmp")) == []


# More than wait for the threads at once, and the death comes amid them.
FILES = 1600


@pytest.mark.parametrize(("verb", "place"), [("apply", "written beside"), ("apply", "switched"), ("undo", "switched")])
def test_kill_9_amid_1_600_files_leaves_each_old_or_new_and_is_finished(tmp_path: Path, verb: str, place: str) -> None:
    for number in range(FILES):
        (tmp_path / f"{number}.txt").write_bytes(b"old\r\n")
    changes = [Change(tmp_path / f"{number}.txt", b"old\r\n", b"new\r\n") for number in range(FILES)]
    if verb == "undo":
        Journal.open(tmp_path).apply(changes, "all new")
    done = subprocess.run([sys.executable, "-c", KILLED_AMID, str(tmp_path), verb, place, str(FILES)], check=False)
    assert done.returncode == -signal.SIGKILL
    found = set(contents(tmp_path).values())
    assert found == ({b"old\r\n", b"new\r\n"} if place == "switched" else {changes[0].side(SIDES[verb])})
    journal = Journal.open(tmp_path)
    assert journal.recovered is not None
    assert journal.recovered.conflicts == ()
    assert set(contents(tmp_path).values()) == {b"new\r\n" if verb == "apply" else b"old\r\n"}
    assert list(tmp_path.glob(".*.tmp")) == []
    assert (journal.undo() if verb == "apply" else journal.redo()) is not None
    assert set(contents(tmp_path).values()) == {b"old\r\n" if verb == "apply" else b"new\r\n"}


SIDES: dict[str, Literal["before", "after"]] = {"apply": "before", "undo": "after"}
KILLED_AMID = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from sdtui.dataset import edit, switch
    folder, verb, place, files = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    name = "_written_beside" if place == "written beside" else "_switch"
    real, count = getattr(switch, name), 0
    def deadly(*words):
        global count
        count += 1
        if count > 600:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*words)
    setattr(switch, name, deadly)
    journal = edit.Journal.open(folder)
    if verb == "apply":
        journal.apply([edit.Change(folder / f"{n}.txt", b"old\\r\\n", b"new\\r\\n") for n in range(files)], "all new")
    else:
        journal.undo()
""")


def test_originals_are_what_was_there_before_the_first_edit_in_force(folder: Path) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, "a", b"a", b"1"), change(folder, "new", None, b"n")], "one")
    journal.apply([change(folder, "a", b"1", b"2"), change(folder, "b", b"b", None)], "two")
    assert journal.originals() == {folder / "a.txt": b"a", folder / "new.txt": None, folder / "b.txt": b"b"}
    journal.undo()
    assert journal.originals() == {folder / "a.txt": b"a", folder / "new.txt": None}


@pytest.mark.parametrize("choice", ["mine", "theirs", "merge"])
def test_originals_outlive_what_another_program_wrote(folder: Path, choice: Choice) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, "a", b"a", b"a, x"), change(folder, "b", b"b", b"B")], "one")
    (folder / "a.txt").write_bytes(b"a, x, theirs")
    journal.undo(lambda _: choice)
    journal.apply([change(folder, "c", b"c", b"C")], "two")
    if choice == "mine":
        assert contents(folder)["a.txt"] == b"a"
        assert journal.originals() == {folder / "c.txt": b"c"}
    else:
        assert journal.originals() == {folder / "a.txt": b"a", folder / "c.txt": b"c"}
    assert [item.label for item in journal.history()] == ["two"]
    assert Journal.unfinished(folder) is None


def test_an_original_is_what_the_first_of_several_edits_found(folder: Path) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, "a", b"a", b"1")], "one")
    journal.apply([change(folder, "a", b"1", b"2"), change(folder, "b", b"b", b"B")], "two")
    for name, theirs in (("a", b"theirs"), ("b", b"others")):
        (folder / f"{name}.txt").write_bytes(theirs)
    journal.undo(lambda _: "theirs")
    journal.undo(lambda _: "theirs")
    assert contents(folder) == {"a.txt": b"theirs", "b.txt": b"others", "c.txt": b"c"}
    assert journal.originals() == {folder / "a.txt": b"a", folder / "b.txt": b"b"}


def test_undecodable_file_names(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(b"x")
    journal = Journal.open(tmp_path)
    journal.apply([Change(path, b"x", b"y")], "edit")
    journal.undo()
    assert path.read_bytes() == b"x"


def test_two_processes_do_not_interleave(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdtui.dataset.sidecar._LOCK_SECONDS", 0.05)
    one, other = Journal.open(folder), Journal.open(folder)
    with (
        one._store.locked(),
        pytest.raises(SdtuiError, match="another sdtui is changing captions in this folder"),
    ):
        other.apply([change(folder, "a", b"a", b"A")], "edit")
    assert contents(folder) == LOWER
    other.apply([change(folder, "a", b"a", b"A")], "edit")
    assert one.undo() is not None


def test_a_dataset_that_cannot_be_written_keeps_its_journal_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    home = Journal.open(folder).home
    assert home.is_relative_to(paths.data_dir() / "datasets")
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert Journal.open(folder).home == folder / ".sdtui" / "edits"


def test_files_outside_the_dataset_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="not inside the dataset"):
        Journal.open(folder).apply([Change(folder / ".." / "x.txt", None, b"x")], "escape")


def plant(folder: Path, *lines: list[str | None]) -> None:
    """The journal of a dataset that somebody else packed, with an edit under way."""
    home = folder / ".sdtui" / "edits"
    home.mkdir(parents=True)
    header = {"schema": 1, "label": "trap", "time": 0, "files": len(lines)}
    with gzip.open(home / "000001.jsonl.gz", "wt") as packed:
        packed.write("".join(json.dumps(line) + "\n" for line in (header, *lines)))


@pytest.mark.parametrize("name", ["../x.txt", "a/../../x.txt", "{outside}/x.txt"])
def test_a_foreign_journal_writes_nothing_outside_the_dataset(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "dataset"
    folder.mkdir()
    plant(folder, [name.format(outside=tmp_path), None, "owned"])
    with pytest.raises(SdtuiError, match="names a file outside the dataset"):
        Journal.open(folder)
    assert not (tmp_path / "x.txt").exists()


def test_a_foreign_journal_does_not_write_through_links(tmp_path: Path) -> None:
    folder, home = tmp_path / "dataset", tmp_path / "home"
    home.mkdir()
    folder.mkdir()
    (folder / "link").symlink_to(home)
    plant(folder, ["link/x.txt", None, "owned"], ["in.txt", None, "in"])
    journal = Journal.open(folder)
    assert journal.recovered is not None
    assert journal.recovered.conflicts == (folder / "link" / "x.txt",)
    assert (list(home.iterdir()), contents(folder)) == ([], {"in.txt": b"in"})


@pytest.mark.parametrize(
    "content", ["[]", '{"schema": 1}', '{"schema": 1, "applied": "1", "last": 1, "under_way": null}', "[" * 10**5]
)
def test_a_damaged_state_is_one_message(folder: Path, content: str) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, "a", b"a", b"A")], "edit")
    (journal.home / "state.json").write_text(content)
    with pytest.raises(SdtuiError, match="cannot read the edit journal"):
        Journal.open(folder)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not gzip", id="no gzip"),
        pytest.param(gzip.compress(b"{}"), id="not an edit"),
        pytest.param(gzip.compress(b"x" * 999)[:-9], id="cut short"),
    ],
)
def test_a_damaged_record_is_one_message(folder: Path, content: bytes) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, "a", b"a", b"A")], "edit")
    (journal.home / "000001.jsonl.gz").write_bytes(content)
    for read in (journal.undo, journal.history):
        with pytest.raises(SdtuiError, match="cannot read a recorded edit"):
            read()


def test_a_journal_from_a_newer_sdtui_or_damaged_is_one_message(folder: Path) -> None:
    journal = Journal.open(folder)
    journal.apply([change(folder, "a", b"a", b"A")], "edit")
    (journal.home / "000001.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(SdtuiError, match="cannot read a recorded edit"):
        journal.undo()
    (journal.home / "state.json").write_text('{"schema": 2}')
    with pytest.raises(SdtuiError, match="schema 2, this sdtui knows 1"):
        Journal.open(folder)
    (journal.home / "state.json").write_text("{")
    with pytest.raises(SdtuiError, match="cannot read the edit journal"):
        Journal.open(folder)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.sampled_from("xyz"), st.none() | st.binary(max_size=8)), max_size=6))
def test_any_sequence_of_edits_then_undo_gives_the_original_bytes(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, bytes | None]]
) -> None:
    folder = tmp_path_factory.mktemp("set")
    (folder / "x.txt").write_bytes(b"\xef\xbb\xbfx\r\n")
    journal = Journal.open(folder)
    for name, after in edits:
        path = folder / f"{name}.txt"
        journal.apply([Change(path, path.read_bytes() if path.exists() else None, after)], f"edit {name}")
    while journal.undo():
        pass
    assert contents(folder) == {"x.txt": b"\xef\xbb\xbfx\r\n"}
