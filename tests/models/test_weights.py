"""Headers of safetensors files, and what is said of damaged ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sdtui.errors import UserError
from sdtui.models.loading import SingleFile
from sdtui.models.weights import Weight, check_length, read_contents


@pytest.fixture
def file(tmp_path: Path) -> Path:
    weights = {"a": torch.ones(2, 3), "b": torch.tensor(1.0, dtype=torch.bfloat16)}
    save_file(weights, tmp_path / "m.safetensors", {"modelspec.architecture": "stable-diffusion-v1"})
    return tmp_path / "m.safetensors"


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_contents(path)
    return str(caught.value)


def test_names_types_shapes_and_places(file: Path) -> None:
    contents = read_contents(file)
    start = 8 + int.from_bytes(file.read_bytes()[:8], "little")
    assert contents.weights == {"a": Weight("F32", (2, 3), start), "b": Weight("BF16", (), start + 24)}
    assert contents.facts == {"modelspec.architecture": "stable-diffusion-v1"}
    assert (contents.shape("a"), contents.shape("none"), contents.has("b"), contents.has("c")) == (
        (2, 3),
        (),
        True,
        False,
    )


def test_bytes_count_what_lies_between_first_and_last() -> None:
    assert Weight("F16", (3, 2), 0).bytes == 12
    assert Weight("F16", (3, 2), 0, stride=(1, 3)).bytes == 12
    assert Weight("F16", (3, 2), 0, stride=(10, 1)).bytes == 44
    assert Weight("F32", (0, 2), 0, stride=(1, 1)).bytes == 0


def test_the_ending_does_not_matter(file: Path) -> None:
    other = file.rename(file.with_suffix(".ckpt"))
    assert set(read_contents(other).weights) == {"a", "b"}


def test_lengths_are_compared(file: Path) -> None:
    size = file.stat().st_size
    os.truncate(file, size - 4)
    with pytest.raises(UserError, match=f"cut short: it has {size - 4} bytes, and its header tells of {size}"):
        check_length(file)
    file.write_bytes(file.read_bytes() + b"........")
    assert "the file is too long" in refusal(file)


@pytest.mark.parametrize(
    "content",
    [
        b"words",
        b"\3\0\0\0\0\0\0\0[1]",
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
        b'\x16\0\0\0\0\0\0\0{"a":{"dtype": "F32"}}',
    ],
    ids=["text", "a list", "deep brackets", "no shape"],
)
def test_what_is_no_weights_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    assert "not a readable safetensors file (" in refusal(tmp_path / "m.safetensors")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "none.safetensors")


@pytest.mark.parametrize("length", [0x280, 0x104_0380])
def test_a_header_whose_length_looks_like_a_pickle(tmp_path: Path, length: int) -> None:
    file = tmp_path / "m.safetensors"
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({"__metadata__": {"a": ""}, "w": entry}, separators=(",", ":"))
    header = json.dumps({"__metadata__": {"a": "x" * (length - len(header))}, "w": entry}, separators=(",", ":"))
    file.write_bytes(length.to_bytes(8, "little") + header.encode() + bytes(4))
    assert file.read_bytes()[:1] == b"\x80"
    assert list(read_contents(file).weights) == ["w"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (
            b"\n<!DOCTYPE html><title>Log in</title>",
            "a web page, not a file of weights. Its publisher may ask for a login",
        ),
        (b"<html>", "a web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            "a pointer of Git LFS, not the file itself. Run git lfs pull",
        ),
    ],
    ids=["empty", "page", "bare page", "pointer"],
)
def test_what_is_often_saved_in_place_of_weights_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    assert message in refusal(tmp_path / "m.safetensors")


def entry(start: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"a": entry(0, 8, [2]), "b": entry(4, 12, [2]), "c": entry(12, 16, [1])}, "b lies over its neighbour or"),
        ({"a": entry(0, 8, [2]), "b": entry(0, 8, [2]), "c": entry(8, 16, [2])}, "b lies over its neighbour or"),
        ({"a": entry(0, 8, [2]), "b": entry(12, 16, [1])}, "b lies over its neighbour or"),
        ({"a": entry(0, 16, [3])}, "a lies over its neighbour or is of another size"),
        ({"a": entry(0, 16, [2**60])}, "a lies over its neighbour or is of another size"),
        ({"a": entry(0, 16, [-2, -2])}, "a shape or a place is no whole number"),
        ({"a": entry(-16, 16, [8])}, "a shape or a place is no whole number"),
        ({"a": entry(0, 16, [True, 4])}, "a shape or a place is no whole number"),
        ({"a": entry(0, 2**63, [2**61])}, "cut short"),
    ],
    ids=["overlap", "same place", "gap", "small", "huge", "negative", "before", "a truth", "beyond"],
)
def test_tensors_that_do_not_lie_where_they_say_are_refused(
    tmp_path: Path, header: dict[str, Any], message: str
) -> None:
    text = json.dumps(header).encode()
    (tmp_path / "m.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    assert message in refusal(tmp_path / "m.safetensors")


def test_an_unknown_type_is_told_when_it_is_needed_and_not_before(tmp_path: Path) -> None:
    text = json.dumps({"a": entry(0, 16, [2], "C64")}).encode()
    (tmp_path / "m.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    with pytest.raises(UserError, match="a is of the unknown type C64"):
        SingleFile(read_contents(tmp_path / "m.safetensors")).raw("a")
