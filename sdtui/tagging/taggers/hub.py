"""Taggers and models from the Hugging Face hub: fetched once, then used without a look at the network."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from sdtui.errors import UserError
from sdtui.tagging import describers
from sdtui.tagging.taggers import wd

# Of a model of transformers: no pickles, no code.
_MODEL_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]


def from_hub(word: str) -> Path:
    """Where the files of a repository are: in the cache, or fetched into it where they are not all there.

    Raises:
        UserError: they are not in the cache and cannot be had.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    # What it says of its attempts would stand between the lines of the job.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        return _cached(word) or _fetched(word)
    except LocalEntryNotFoundError as error:
        raise UserError(
            f"there is no folder {word} here, and as a repository it is not in the cache, and the hub cannot be reached",
            remedy="Check the path or the network, or put the model's files into a folder and give that",
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise UserError(
            f"there is no folder {word} here, and the Hugging Face hub does not give it: {str(error).splitlines()[0]}",
            remedy="Check the name, or put the model's files into a folder and give that",
        ) from error


def _cached(word: str) -> Path | None:
    """Where the cache has a repository, with all of a tagger's or a model's files."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(word, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if wd.finds(folder) or (describers.finds(folder) and _has_weights(folder)) else None


def _has_weights(folder: Path) -> bool:
    """Whether all files of weights are there: one, or those that an index names."""
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_bytes())
        return all((folder / name).is_file() for name in index["weight_map"].values())
    except FileNotFoundError:
        return any(folder.glob("*.safetensors"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _fetched(word: str) -> Path:
    """A WD tagger's two files, or of another model what transformers reads."""
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return {Path(hf_hub_download(word, file)).parent for file in wd.FILES}.pop()
    except LocalEntryNotFoundError:
        raise
    except EntryNotFoundError:
        return Path(snapshot_download(word, allow_patterns=_MODEL_FILES))
