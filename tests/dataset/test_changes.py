from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtui.dataset.changes import Change, Changes
from sdtui.errors import UserError


def test_what_was_put_comes_back_with_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes = Changes(Path("set"))
    changes.put(Change(Path("set/a.txt"), b"\xff\xfe\r\n\0", None))
    changes.put(Change(tmp_path / "set" / "sub" / "b.txt", None, b""))
    assert len(changes) == 2
    expected = [
        Change(tmp_path / "set" / "a.txt", b"\xff\xfe\r\n\0", None),
        Change(tmp_path / "set" / "sub" / "b.txt", None, b""),
    ]
    assert (list(changes), list(changes)) == (expected, expected)


@settings(max_examples=50, deadline=None)
@given(files=st.lists(st.tuples(st.none() | st.binary(), st.none() | st.binary())))
def test_any_bytes_come_back_from_a_record(files: list[tuple[bytes | None, bytes | None]]) -> None:
    root = Path("/set")
    changes = [Change(root / f"{number}.txt", *sides) for number, sides in enumerate(files)]
    record = io.BytesIO(gzip.compress(b"first line\n"))
    record.seek(0, io.SEEK_END)
    Changes(root, changes).write(record)
    read = Changes.recorded(root, record.getvalue(), head=1)
    assert (list(read), len(read)) == (changes, len(changes))
    again = io.BytesIO()
    read.write(again)
    assert list(Changes.recorded(root, again.getvalue(), head=0)) == changes


def test_many_take_little_memory(tmp_path: Path) -> None:
    caption = b", ".join(b"tag number %d" % number for number in range(30))
    changes = Changes(tmp_path)
    for number in range(2_000):
        changes.put(Change(tmp_path / f"{number}.txt", caption, b"one more, " + caption))
    assert sum(map(len, changes._lines)) <= 1 << 18
    record = io.BytesIO()
    changes.write(record)
    # Two million bytes of captions.
    assert len(record.getvalue()) < 100_000
    assert sum(change.after == b"one more, " + caption for change in changes) == 2_000


def test_a_record_of_one_piece_is_read_too(tmp_path: Path) -> None:
    lines = [{"label": "old"}, ["a.txt", "1", None], ["b/c.txt", None, "caf\udce9"]]
    raw = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    assert list(Changes.recorded(tmp_path, raw, head=1)) == [
        Change(tmp_path / "a.txt", b"1", None),
        Change(tmp_path / "b" / "c.txt", None, b"caf\xe9"),
    ]


@pytest.mark.parametrize("name", ["../x.txt", "..", "sub/../../x.txt", "."])
def test_files_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="not inside the dataset"):
        Changes(tmp_path / "set").put(Change(tmp_path / "set" / name, None, b""))


@pytest.mark.parametrize("name", ["../x.txt", "/etc/x.txt", "a/../x.txt", "a\0b", ""])
def test_a_record_with_files_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    raw = gzip.compress(json.dumps([name, None, "owned"]).encode() + b"\n")
    with pytest.raises(ValueError, match="names a file outside the dataset"):
        Changes.recorded(tmp_path, raw, head=0)
