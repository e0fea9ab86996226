"""Tensors on disk: found again, verified, and never trusted when damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from sdtui import files
from sdtui.errors import SdtuiError
from sdtui.training.store import TensorStore, key_of

KEY = key_of("a", 1)
ENTRY = {"mean": torch.arange(4.0), "std": torch.ones(2, dtype=torch.bfloat16)}


def the_file(folder: Path) -> Path:
    (path,) = folder.rglob("*.safetensors")
    return path


def test_keys_depend_on_every_part() -> None:
    assert len({key_of("a", 1), key_of("a", 2), key_of("b", 1), key_of("a")}) == 4


def test_what_was_put_is_found_by_another_store(tmp_path: Path) -> None:
    TensorStore(tmp_path).put(KEY, ENTRY)
    found = TensorStore(tmp_path).get(KEY)
    assert torch.equal(found["mean"], ENTRY["mean"])
    assert torch.equal(found["std"], ENTRY["std"])


def test_nothing_is_found_under_another_key(tmp_path: Path) -> None:
    store = TensorStore(tmp_path)
    store.put(KEY, ENTRY)
    assert store.find(key_of("other")) is None


@pytest.mark.parametrize("damage", ["truncated", "one bit", "empty"])
def test_a_damaged_entry_counts_as_absent(tmp_path: Path, damage: str) -> None:
    TensorStore(tmp_path).put(KEY, ENTRY)
    path = the_file(tmp_path)
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[:-3]
    elif damage == "one bit":
        content[-1] ^= 1
    else:
        content.clear()
    path.write_bytes(content)
    assert TensorStore(tmp_path).find(KEY) is None


def test_beyond_its_memory_a_store_reads_from_disk(tmp_path: Path) -> None:
    store = TensorStore(tmp_path, memory_bytes=0)
    store.put(KEY, ENTRY)
    assert torch.equal(store.get(KEY)["mean"], ENTRY["mean"])
    the_file(tmp_path).unlink()
    with pytest.raises(SdtuiError, match="deleted or damaged"):
        store.get(KEY)


def test_within_its_memory_a_store_survives_a_deleted_cache(tmp_path: Path) -> None:
    store = TensorStore(tmp_path)
    store.put(KEY, ENTRY)
    the_file(tmp_path).unlink()
    assert torch.equal(store.get(KEY)["mean"], ENTRY["mean"])


def test_a_disk_that_takes_nothing_costs_the_cache_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    store = TensorStore(tmp_path, memory_bytes=0)
    monkeypatch.setattr(files, "_create_beside", full)
    store.put(KEY, ENTRY)
    assert torch.equal(store.get(KEY)["mean"], ENTRY["mean"])
    assert store.failure is not None
    assert "no space left" in store.failure.message
    assert not list(tmp_path.rglob("*.safetensors"))
