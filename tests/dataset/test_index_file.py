from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdtui.dataset import index_file
from sdtui.dataset.columns import Columns
from sdtui.dataset.index_file import Stored, index_path, joined_names, read, write
from sdtui.dataset.texts import Texts
from sdtui.errors import SdtuiError

NAMES = ["a.png", os.fsdecode(b"caf\xe9\n.png")]


@pytest.fixture
def stored() -> Stored:
    texts = Texts(2)
    texts.put({0: "sky, größe"})
    columns = Columns.blank(2)
    columns.tokens[0] = 5
    return Stored(
        joined_names(NAMES), ["sky", "größe"], np.array([0, 1, 2]), np.array([0, 0], np.uint32), columns, texts.blocks
    )


def test_what_was_written_is_read(tmp_path: Path, stored: Stored) -> None:
    write(tmp_path / ".sdtui", stored)
    found = read(tmp_path / ".sdtui")
    assert found is not None
    assert found.relatives == NAMES
    assert (found.words, found.blocks) == (["sky", "größe"], stored.blocks)
    assert (found.starts.tolist(), found.lists.tolist()) == ([0, 1, 2], [0, 0])
    assert found.columns.tokens.tolist() == [5, -1]
    with np.load(index_path(tmp_path / ".sdtui")) as archive:
        assert archive["words"].tobytes().decode() == "sky\ngröße"


def test_nothing_is_found_in_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    empty = Stored(b"", [], np.zeros(1, np.int64), np.zeros(0, np.uint32), Columns.blank(0), [])
    write(tmp_path, empty)
    found = read(tmp_path)
    assert found is not None
    assert found.relatives == []


@pytest.mark.parametrize(
    "change",
    [
        {"names": b"a.png"},
        {"words": ["sky"]},
        {"starts": np.array([0, 2, 1])},
        {"starts": np.array([0, 1, 3])},
        {"starts": np.array([1, 1, 2])},
        {"lists": np.array([0, 2], np.uint32)},
        {"lists": np.array([0, 0], np.int64)},
        {"blocks": []},
        {"columns": Columns.blank(3)},
    ],
)
def test_parts_that_do_not_belong_together_are_none(tmp_path: Path, stored: Stored, change: dict[str, object]) -> None:
    write(tmp_path, replace(stored, **change))  # type: ignore[arg-type]
    assert read(tmp_path) is None


def test_another_schema_is_none(tmp_path: Path, stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, stored)
    monkeypatch.setattr(index_file, "SCHEMA", 99)
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    "head",
    [
        "{'descr': '<i8', 'fortran_order': False, 'shape': (100000000000000,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (100000000000000000000000,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (2,",
    ],
    ids=["a petabyte", "no number", "cut short"],
)
def test_an_array_of_nonsense_is_none(tmp_path: Path, head: str) -> None:
    line = head.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(index_path(tmp_path), "w") as archive:
        archive.writestr("schema.npy", b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line)
    assert read(tmp_path) is None


@pytest.mark.parametrize(("at", "byte"), [(6, 1), (8, 99)], ids=["encrypted", "packed by nobody"])
def test_a_byte_that_is_another_makes_it_none(tmp_path: Path, stored: Stored, at: int, byte: int) -> None:
    write(tmp_path, stored)
    raw = bytearray(index_path(tmp_path).read_bytes())
    # The archive's list of contents, which comes last, says the same of each file two bytes later.
    raw[raw.index(b"PK\1\2") + 2 + at] = byte
    index_path(tmp_path).write_bytes(raw)
    assert read(tmp_path) is None


def test_a_disk_that_does_not_take_it(tmp_path: Path, stored: Stored) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SdtuiError, match="cannot write"):
        write(tmp_path / "file" / ".sdtui", stored)
