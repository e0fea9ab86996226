"""The file: the library reads it back, its bytes depend on its content alone, and a failure leaves the old one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from sdtui.errors import SdtuiError
from sdtui.formats.safetensors_file import chunks, header, write

TENSORS = {
    "b.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a": torch.tensor(0.5, dtype=torch.float16),
    "c": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "strided": torch.arange(6, dtype=torch.float32).reshape(2, 3).T,
    "none": torch.zeros(0, 4),
    "flags": torch.tensor([True, False]),
}
METADATA = {"zeta": "1", "alpha": "ünïcode 日本", "quote": '"\\\n'}


def test_the_library_reads_back_tensors_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    size = write(path, TENSORS, METADATA)
    assert size == path.stat().st_size
    read = safetensors.torch.load_file(path)
    assert read.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(read[name], tensor)
        assert read[name].dtype == tensor.dtype
    with safe_open(path, "pt") as opened:
        assert opened.metadata() == METADATA


def test_data_lies_as_the_library_lays_it() -> None:
    mine = b"".join(chunks(TENSORS, {}))
    theirs = safetensors.torch.save({name: tensor.contiguous() for name, tensor in TENSORS.items()})
    assert mine[8 + int.from_bytes(mine[:8], "little") :] == theirs[8 + int.from_bytes(theirs[:8], "little") :]


def test_the_bytes_do_not_depend_on_the_order_of_insertion() -> None:
    backwards = dict(reversed(TENSORS.items()))
    other = dict(reversed(METADATA.items()))
    assert b"".join(chunks(TENSORS, METADATA)) == b"".join(chunks(backwards, other))


def test_the_header_is_padded_to_eight_bytes_and_ordered() -> None:
    text = header({"a": torch.zeros(2, dtype=torch.float16)}, {"b": "2", "a": "1"})
    assert text[:8] == (len(text) - 8).to_bytes(8, "little")
    assert len(text) % 8 == 0
    expected = '{"__metadata__":{"a":"1","b":"2"},"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}'
    assert text[8:].decode().rstrip(" ") == expected
    assert "__metadata__" not in json.loads(header({}, {})[8:])


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"old")

    def full(_tensors: object) -> object:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sdtui.formats.safetensors_file.data", full)
    with pytest.raises(SdtuiError, match="no space left"):
        write(path, TENSORS, {})
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
