"""Writing whole models: what is in the file and the folder, and that neither is ever half there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from sdtui.errors import SdtuiError
from sdtui.formats import FORMATS
from sdtui.formats.learned import Content, Whole


def single_file(dtype: torch.dtype) -> dict[str, Tensor]:
    return {"a.weight": torch.ones(2, dtype=dtype)}


def folder(dtype: torch.dtype) -> Iterator[tuple[str, Content]]:
    yield "model_index.json", b"{}"
    yield "unet/x.safetensors", {"a": torch.ones(3, dtype=dtype)}


def broken(dtype: torch.dtype) -> Iterator[tuple[str, Content]]:
    yield "model_index.json", b"[]"
    raise OSError(28, "No space left on device")


WHOLE = Whole(single_file, folder)


def test_a_single_file_holds_the_tensors_in_the_precision_and_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    assert FORMATS["single-file"](path, WHOLE, {"modelspec.title": "x"}, "bf16") == path.stat().st_size
    with safe_open(path, "pt") as opened:
        assert opened.metadata() == {"modelspec.title": "x"}
        assert list(opened.keys()) == ["a.weight"]
        assert opened.get_tensor("a.weight").dtype == torch.bfloat16


def test_a_folder_holds_the_files_and_says_who_wrote_its_weights(tmp_path: Path) -> None:
    path = tmp_path / "m"
    size = FORMATS["folder"](path, WHOLE, {"modelspec.title": "x"}, "fp16")
    files = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    assert files == {"model_index.json", "unet/x.safetensors"}
    assert size == 2 + (path / "unet/x.safetensors").stat().st_size
    with safe_open(path / "unet/x.safetensors", "pt") as opened:
        assert opened.metadata() == {"format": "pt", "modelspec.title": "x"}
        assert opened.get_tensor("a").dtype == torch.float16


def test_a_folder_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "m"
    (path / "old").mkdir(parents=True)
    # What a process left that was killed.
    (tmp_path / ".m.partial/rest").mkdir(parents=True)
    FORMATS["folder"](path, WHOLE, {}, "fp16")
    assert sorted(file.name for file in path.iterdir()) == ["model_index.json", "unet"]
    assert [file.name for file in tmp_path.iterdir()] == ["m"]


def test_a_folder_that_cannot_be_finished_leaves_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "m"
    FORMATS["folder"](path, WHOLE, {}, "fp16")
    with pytest.raises(SdtuiError, match="no space left"):
        FORMATS["folder"](path, Whole(single_file, broken), {}, "fp16")
    assert (path / "model_index.json").read_bytes() == b"{}"
    assert [file.name for file in tmp_path.iterdir()] == ["m"]
