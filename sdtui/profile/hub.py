"""Names of models on the Hugging Face hub, and where its programs keep what was downloaded; nothing is asked of the network."""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def is_hub_name(written: str) -> bool:
    """Whether it could be an `owner/name`; a relative path of two parts looks the same."""
    return _NAME.fullmatch(written) is not None


def cached_model(name: str) -> Path | None:
    """The folder of the downloaded pipeline `owner/name`, if there is one (huggingface_hub's cache layout)."""
    folder = cache_folder() / f"models--{name.replace('/', '--')}"
    try:
        revision = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    snapshot = folder / "snapshots" / revision
    return snapshot if (snapshot / "model_index.json").is_file() else None


def cache_folder() -> Path:
    """`$HF_HUB_CACHE`, else `hub` in `$HF_HOME`, else `huggingface/hub` in the XDG cache folder."""
    if chosen := os.environ.get("HF_HUB_CACHE"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    return Path(home).expanduser() / "hub"


def offline() -> bool:
    """Whether the user keeps Hugging Face's programs from the network (`HF_HUB_OFFLINE`)."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
