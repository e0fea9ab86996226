"""A model as huggingface_hub leaves it in its cache."""

from __future__ import annotations

from pathlib import Path


def hub_model(cache: Path, name: str) -> Path:
    """The folder of the downloaded `owner/name`, with an index and nothing else in it."""
    folder = cache / f"models--{name.replace('/', '--')}"
    snapshot = folder / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123abcd")
    (snapshot / "model_index.json").write_text("{}")
    return snapshot
