"""A base model named as on the Hugging Face hub: the copy that was downloaded before, or a download if the profile allows."""

from __future__ import annotations

from pathlib import Path

from sdtui.errors import UserError
from sdtui.profile.hub import cached_model, is_hub_name, offline

# Of a repository with the same weights in several forms, the one that is read; single files beside the folders are not.
WANTED = ("model_index.json", "*/*.json", "*/*.txt", "*/*.safetensors")
UNWANTED = ("*/*.fp16.safetensors", "*/*.non_ema.safetensors", "safety_checker/*", "vae_1_0/*")


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


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(name, allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED))
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
