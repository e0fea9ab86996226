"""Whether a pipeline folder is whole: its parts, their kinds and the length of its weights, without PyTorch.

Headers alone are read, so a folder of many gigabytes takes milliseconds, before anything is started.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sdtui.errors import UserError
from sdtui.models.folder import part, read_index, read_json, weight_files

SD1_PIPELINES = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")
PREDICTIONS = ("epsilon", "v_prediction")
UNET_FILE = VAE_FILE = "diffusion_pytorch_model"
TEXT_FILE = "model"

T = TypeVar("T")

# The format allows no longer header (safetensors, `MAX_HEADER_SIZE`).
_LONGEST_HEADER = 100_000_000


def is_sd1(base: Path, index: dict[str, Any]) -> bool:
    """Whether it is a text-to-image pipeline whose UNet takes CLIP-L states; SD 2.x shares the pipeline class."""
    if index.get("_class_name") not in SD1_PIPELINES:
        return False
    unet = read_json(part(base, "unet", "config.json") / "config.json")
    return not unet.get("use_linear_projection", False) and unet.get("in_channels", 4) == 4


def unknown_family(base: Path, index: dict[str, Any], known: list[str]) -> UserError:
    """What to say of a pipeline that no family recognises."""
    return UserError(
        f"the folder holds a {index.get('_class_name', 'pipeline without a class name')} of a family that cannot be "
        f"trained yet; known: {', '.join(known)}",
        where=str(base),
        remedy="Choose a Stable Diffusion 1.x pipeline folder",
    )


def pipeline_problems(base: Path, *, own_vae: bool = True) -> list[UserError]:
    """Everything that keeps the pipeline folder `base` from being loaded; without its VAE if another one is used."""
    problems: list[UserError] = []
    index = _attempt(problems, partial(read_index, base))
    if index is None:
        return problems
    family = _attempt(problems, partial(is_sd1, base, index))
    if family is False:
        return [unknown_family(base, index, ["sd1"])]
    checks: list[Callable[[], object]] = [
        partial(_weights, base, "text_encoder", TEXT_FILE),
        partial(part, base, "tokenizer", "vocab.json", "merges.txt"),
        partial(read_scheduler, base),
    ]
    if family is not None:
        checks.insert(0, partial(_weights, base, "unet", UNET_FILE))
    if own_vae:
        checks.append(partial(_weights, base, "vae", VAE_FILE))
    for check in checks:
        _attempt(problems, check)
    return problems


def vae_problems(vae: Path) -> list[UserError]:
    """Everything that keeps the VAE of the folder `vae` from being loaded."""
    problems: list[UserError] = []
    folder = _attempt(problems, partial(vae_folder, vae))
    if folder is not None:
        _attempt(problems, partial(_weights, folder.parent, folder.name, VAE_FILE))
    return problems


def vae_folder(vae: Path) -> Path:
    """The folder of the VAE that `model.vae` means: a VAE folder, or a pipeline that has one."""
    if not vae.is_dir():
        raise UserError("there is no such VAE folder", where=str(vae), remedy="Set model.vae to a diffusers VAE folder")
    if (vae / "vae").is_dir():
        return part(vae, "vae", "config.json")
    return part(vae.parent, vae.name, "config.json")


def read_scheduler(base: Path) -> dict[str, Any]:
    """The noise schedule's settings, checked to predict something that training has a target for."""
    path = part(base, "scheduler", "scheduler_config.json") / "scheduler_config.json"
    settings = {"prediction_type": "epsilon"} | read_json(path)
    if settings["prediction_type"] not in PREDICTIONS:
        raise UserError(
            f"prediction_type is {settings['prediction_type']!r}; known: {', '.join(PREDICTIONS)}", where=str(path)
        )
    return settings


def check_length(file: Path) -> None:
    """Compare the file's length with what its header says.

    Raises:
        UserError: it is truncated, too long, or no safetensors file.
    """
    try:
        ends, size = _ends(file)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(file, f"not a readable safetensors file ({error})") from error
    if size != ends:
        cause = "cut short" if size < ends else "too long"
        raise _broken(file, f"the file is {cause}: it has {size} bytes, and its header tells of {ends}")


def _ends(file: Path) -> tuple[int, int]:
    """Where the last tensor ends by the header, and the file's length."""
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > _LONGEST_HEADER or 8 + length > size:
            raise ValueError("its header is cut short or of another kind")
        header = json.loads(stream.read(length))
    tensors = [entry["data_offsets"][1] for name, entry in dict(header).items() if name != "__metadata__"]
    return 8 + length + max(tensors, default=0), size


def _weights(base: Path, name: str, stem: str) -> None:
    """One part with weights: its folder, its settings and each of its weight files."""
    folder = part(base, name, "config.json")
    read_json(folder / "config.json")
    for file in weight_files(folder, stem)[0]:
        check_length(file)


def _attempt(problems: list[UserError], check: Callable[[], T]) -> T | None:
    try:
        return check()
    except UserError as error:
        problems.append(error)
        return None


def _broken(file: Path, message: str) -> UserError:
    return UserError(message, where=str(file), remedy="Copy or download it again")
