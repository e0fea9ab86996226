"""Headers of safetensors files, and what is said of damaged ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sdtui.errors import UserError
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
        b"",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\3\0\0\0\0\0\0\0[1]",
        b"<!DOCTYPE html>",
        b'\x16\0\0\0\0\0\0\0{"a":{"dtype": "F32"}}',
    ],
)
def test_what_is_no_weights_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    assert "not a readable safetensors file (" in refusal(tmp_path / "m.safetensors")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "none.safetensors")
