"""A base model named as on the Hugging Face hub: the copy that was downloaded before, or a download if the profile allows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sdtui.errors import UserError
from sdtui.models.folder import VARIANTS
from sdtui.profile.hub import cached_model, is_hub_name, offline

# Parts that training has no use for.
_UNUSED = ("safety_checker/", "vae_1_0/", "feature_extractor/", "image_encoder/")
_WEIGHTS = re.compile(
    r"(?:diffusion_pytorch_model|model|pytorch_model)(?:\.(?P<variant>fp32|fp16|bf16))?"
    r"(?:-\d{5}-of-\d{5})?\.(?P<kind>safetensors|bin)"
)


def located(base: str) -> Path:
    """Where the base model `base` is: a path as it is, or the downloaded copy of an `owner/name` where there is one."""
    path = Path(base)
    # A profile that was read holds absolute paths, and names of the hub as they are.
    if path.is_absolute() or not is_hub_name(base):
        return path
    return cached_model(base) or path


def known_name(base: Path) -> str:
    """What the model at `base` is called: its file or folder, or on the hub, whose cache names folders by revision."""
    if base.parent.name == "snapshots":
        return base.parent.parent.name.rpartition("--")[2]
    return base.name if base.is_file() else base.resolve().name


def fetched(base: str, *, download: bool) -> Path:
    """The same, downloaded first where the profile allows it.

    Raises:
        UserError: it is not here and may not or cannot be downloaded.
    """
    path = located(base)
    if path.is_absolute() or not is_hub_name(base):
        return path
    if not download or offline():
        why = "HF_HUB_OFFLINE is set" if offline() else "model.download is false"
        raise UserError(
            f"the model has not been downloaded, and {why}",
            where=base,
            remedy=f"Download it (hf download {base}), or set model.download = true where there is a network",
        )
    return _download(base)


def chosen(files: Iterable[str]) -> list[str]:
    """Of a repository's files those that are read: settings, vocabularies, and each part's weights in one form.

    The form is that which `folder.weight_files` takes, where several are there: `.safetensors` before `.bin`, full
    precision before half. Single files beside the parts' folders are not read.
    """
    kept: list[str] = []
    forms: dict[str, dict[tuple[str, str | None], list[str]]] = {}
    for file in files:
        part, _, name = file.rpartition("/")
        if file == "model_index.json" or (part.count("/") == 0 and part and name.endswith((".json", ".txt"))):
            kept.append(file)
        elif part and (found := _WEIGHTS.fullmatch(name)):
            forms.setdefault(part, {}).setdefault((found["kind"], found["variant"]), []).append(file)
    order = [(kind, variant) for kind in ("safetensors", "bin") for variant in VARIANTS]
    for form in forms.values():
        kept += form[min(form, key=order.index)]
    return sorted(file for file in kept if not file.startswith(_UNUSED))


def _download(name: str) -> Path:
    from huggingface_hub import list_repo_files, snapshot_download

    try:
        snapshot_download(name, allow_patterns=chosen(list_repo_files(name)))
    except (OSError, ValueError) as error:
        raise UserError(
            f"the model cannot be downloaded: {str(error).strip().splitlines()[0]}",
            where=name,
            remedy="Check the name and the network; models with terms to accept need hf auth login",
        ) from error
    found = cached_model(name)
    if found is None:
        raise UserError("this is no diffusers pipeline", where=name, remedy="Choose a model with a model_index.json")
    return found
