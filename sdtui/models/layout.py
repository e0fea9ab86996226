"""Whether a base model is whole: its parts, their kinds and the length of its weights, without PyTorch.

Headers alone are read, so a model of many gigabytes takes milliseconds, before anything is started.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sdtui.errors import UserError
from sdtui.models.folder import part, read_index, read_json, weight_files
from sdtui.models.original import VAE
from sdtui.models.recognise import Found, families, recognise
from sdtui.models.weights import Contents, read_contents

PREDICTIONS = ("epsilon", "v_prediction")
UNET_FILE = VAE_FILE = "diffusion_pytorch_model"
TEXT_FILE = "model"

T = TypeVar("T")


def base_problems(base: Path, *, own_vae: bool = True) -> list[UserError]:
    """Everything that keeps the folder or single file `base` from being loaded; without its VAE if another one is used."""
    problems: list[UserError] = []
    if base.is_file():
        found = _attempt(problems, partial(recognise, base))
        if found is not None and own_vae:
            _attempt(problems, partial(_needs_vae, found))
        return problems
    index = _attempt(problems, partial(read_index, base))
    if index is None:
        return problems
    found = _attempt(problems, partial(recognise, base))
    if problems and (base / "unet" / "config.json").is_file():
        return problems  # of no family: what else it lacks is beside the point
    kind = index.get("_class_name")
    family = found.family if found else next((each for each in families() if kind in each.pipelines), None)
    checks: list[Callable[[], object]] = [partial(_weights, base, "unet", UNET_FILE)] if found else []
    for encoder in family.encoders if family else ():
        checks.append(partial(_weights, base, encoder.component, TEXT_FILE))
        checks.append(partial(part, base, encoder.tokenizer, "vocab.json", "merges.txt"))
    checks.append(partial(read_scheduler, base))
    if own_vae:
        checks.append(partial(_weights, base, "vae", VAE_FILE))
    for check in checks:
        _attempt(problems, check)
    return problems


def vae_problems(vae: Path) -> list[UserError]:
    """Everything that keeps the VAE of the folder or file `vae` from being loaded."""
    problems: list[UserError] = []
    if vae.is_file():
        _attempt(problems, partial(read_vae_file, vae))
        return problems
    folder = _attempt(problems, partial(vae_folder, vae))
    if folder is not None:
        _attempt(problems, partial(_weights, folder.parent, folder.name, VAE_FILE))
    return problems


def vae_folder(vae: Path) -> Path:
    """The folder of the VAE that `model.vae` means: a VAE folder, or a pipeline that has one."""
    if not vae.is_dir():
        raise UserError(
            "there is no such VAE", where=str(vae), remedy="Set model.vae to a VAE's file or to a diffusers folder"
        )
    if (vae / "vae").is_dir():
        return part(vae, "vae", "config.json")
    return part(vae.parent, vae.name, "config.json")


def read_vae_file(vae: Path) -> tuple[Contents, str]:
    """The header of a file with a VAE in it, and what its weights' names start with: a whole model's serves, too."""
    contents = read_contents(vae)
    for prefix in ("", VAE):
        if contents.has(f"{prefix}encoder.") and contents.has(f"{prefix}decoder."):
            return contents, prefix
    raise UserError(
        "the file holds no VAE", where=str(vae), remedy="Set model.vae to a VAE's own file, or leave it out"
    )


def read_scheduler(base: Path) -> dict[str, Any]:
    """The noise schedule's settings, checked to predict something that training has a target for."""
    path = part(base, "scheduler", "scheduler_config.json") / "scheduler_config.json"
    settings = {"prediction_type": "epsilon"} | read_json(path)
    if settings["prediction_type"] not in PREDICTIONS:
        raise UserError(
            f"prediction_type is {settings['prediction_type']!r}; known: {', '.join(PREDICTIONS)}", where=str(path)
        )
    return settings


def _needs_vae(found: Found) -> None:
    """A single file without a VAE serves only beside one."""
    if found.contents is not None and not found.contents.has(f"{VAE}encoder."):
        raise UserError("the file holds no VAE", where=str(found.base), remedy="Set model.vae to one that fits it")


def _weights(base: Path, name: str, stem: str) -> None:
    """One part with weights: its folder, its settings and each of its weight files."""
    folder = part(base, name, "config.json")
    read_json(folder / "config.json")
    for file in weight_files(folder, stem)[0]:
        read_contents(file)


def _attempt(problems: list[UserError], check: Callable[[], T]) -> T | None:
    try:
        return check()
    except UserError as error:
        problems.append(error)
        return None
