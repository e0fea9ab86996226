"""Models that put images into words: from a folder or the Hugging Face hub, or behind an address."""

from __future__ import annotations

from pathlib import Path


def finds(path: Path) -> bool:
    """Whether a folder looks like a model of transformers that reads images."""
    return (path / "config.json").is_file() and any(
        (path / name).is_file() for name in ("processor_config.json", "preprocessor_config.json")
    )


def is_address(word: str) -> bool:
    """Whether a word is an address rather than a file."""
    return word.startswith(("http://", "https://"))
