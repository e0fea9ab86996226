"""Reading a diffusers pipeline folder: what is in it, and one clear message for each way it can be wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from sdtui.errors import UserError

VARIANTS = (None, "fp32", "fp16", "bf16")
"""Precisions that weights are published in, in the order in which they are taken."""
WHAT_A_FOLDER_IS = "A diffusers folder holds model_index.json beside unet/, vae/, text_encoder/, tokenizer/, scheduler/"


def read_index(base: Path) -> dict[str, Any]:
    """The pipeline's `model_index.json`.

    Raises:
        UserError: there is no such folder, it is a single-file checkpoint, or it is not a pipeline.
    """
    if base.is_file():
        raise UserError(
            "this is a file, and training needs a diffusers folder", where=str(base), remedy=WHAT_A_FOLDER_IS
        )
    if not base.is_dir():
        raise UserError("there is no such folder", where=str(base), remedy="Set model.base to a diffusers folder")
    if not (base / "model_index.json").is_file():
        inside = ", ".join(sorted(entry.name for entry in base.iterdir())[:6]) or "nothing"
        raise UserError(f"not a pipeline folder (it holds {inside})", where=str(base), remedy=WHAT_A_FOLDER_IS)
    return read_json(base / "model_index.json")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of the folder; raises UserError naming the file if it is missing, broken or something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("the file is missing", where=str(path), remedy="Copy the model folder again") from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot be read: {error}", where=str(path), remedy="Copy the model folder again") from error
    if not isinstance(content, dict):
        raise UserError("does not hold a JSON object", where=str(path), remedy="Copy the model folder again")
    return content


def part(base: Path, name: str, *files: str) -> Path:
    """The sub-folder `name` of a pipeline, checked to exist and to hold `files`."""
    folder = base / name
    if not folder.is_dir():
        raise UserError(f"the pipeline has no {name}/ folder", where=str(base), remedy=WHAT_A_FOLDER_IS)
    for file in files:
        if not (folder / file).is_file():
            raise UserError(f"the file {name}/{file} is missing", where=str(base), remedy="Copy the model folder again")
    return folder


def weight_files(folder: Path, stem: str) -> tuple[list[Path], str | None]:
    """The weight files of a part and their variant (None, or for example "fp16"); full precision first.

    `.safetensors` come first. A `.bin` is a pickle, as a `.ckpt` is, and is read as safely (`sdtui.models.unpickle`).

    Raises:
        UserError: there are none.
    """
    # transformers' name for its pickles is another.
    forms = {"safetensors": stem, "bin": {"model": "pytorch_model"}.get(stem, stem)}
    for (form, name), variant in product(forms.items(), VARIANTS):
        infix = f".{variant}" if variant else ""
        found = [folder / f"{name}{infix}.{form}"]
        index = folder / f"{name}.{form}.index{infix}.json"
        if index.is_file():
            found = _shards(index)
        if all(file.is_file() for file in found):
            return found, variant
    raise _without_weights(folder, forms)


def _shards(index: Path) -> list[Path]:
    """The files that an index names, in order."""
    named = read_json(index).get("weight_map")
    if not isinstance(named, dict) or not named or not all(isinstance(file, str) for file in named.values()):
        raise UserError("is no index of weights", where=str(index), remedy="Copy the model folder again")
    return sorted({index.parent / file for file in named.values()})


def _without_weights(folder: Path, forms: Mapping[str, str]) -> UserError:
    """Why none of the forms that are read is there."""
    for index in (each for form, name in forms.items() for each in sorted(folder.glob(f"{name}.{form}.index*.json"))):
        missing = ", ".join(file.name for file in _shards(index) if not file.is_file())
        return UserError(
            f"{folder.name}/ holds an index of weights, but not {missing}",
            where=str(folder),
            remedy="Copy the model folder again",
        )
    return UserError(
        f"{folder.name}/ holds no weights",
        where=str(folder),
        remedy=f"Save the model as {forms['safetensors']}.safetensors",
    )


def digest(files: Iterable[Path]) -> str:
    """SHA-256 over the files' names and contents, hex."""
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            total.update(file.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
