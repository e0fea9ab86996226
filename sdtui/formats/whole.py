"""A whole model as one file with the published names, or as a folder that diffusers opens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from sdtui.files import sync_folder, write_atomic, write_failure
from sdtui.formats import safetensors_file
from sdtui.formats.kohya import PRECISIONS
from sdtui.formats.learned import Whole


def write_file(path: Path, whole: Whole, metadata: Mapping[str, str], precision: str) -> int:
    """Write the single file with `metadata`; returns its size in bytes.

    Raises:
        SdtuiError: the disk is full or the folder cannot be written; what was at `path` is untouched.
    """
    return safetensors_file.write(path, whole.single_file(PRECISIONS[precision]), metadata)


def write_folder(path: Path, whole: Whole, metadata: Mapping[str, str], precision: str) -> int:
    """Write the folder, each of its weight files with `metadata`; returns the bytes of all files.

    It is filled under another name and renamed, in the place of one that was there.

    Raises:
        SdtuiError: the disk is full or the folder cannot be written; what was at `path` is untouched.
    """
    partial = path.with_name(f".{path.name}.partial")
    # Programs of Hugging Face ask who wrote a weight file: PyTorch, or one of its rivals of old.
    told = {**metadata, "format": "pt"}
    try:
        _remove(partial)
        for name, content in whole.folder(PRECISIONS[precision]):
            file = partial / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                write_atomic(file, content)
            else:
                safetensors_file.write(file, content, told)
        size = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file())
        _remove(path)
        os.rename(partial, path)
        sync_folder(path.parent)
    except OSError as error:
        raise write_failure(path, error) from error
    finally:
        _remove(partial)
    return size


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
