"""Models that put images into words: from a folder or the Hugging Face hub, or behind an address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from sdtui.errors import UserError


def finds(path: Path) -> bool:
    """Whether a folder looks like a model of transformers that reads images."""
    return (path / "config.json").is_file() and any(
        (path / name).is_file() for name in ("processor_config.json", "preprocessor_config.json")
    )


def is_address(word: str) -> bool:
    """Whether a word is an address rather than a file."""
    return word.startswith(("http://", "https://"))


def require_plain(address: str) -> None:
    """Raises UserError unless it is a server and a path: what else it holds may be a secret, and addresses are stored and shown."""
    try:
        parts = urlsplit(address)
        plain = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        plain = False
    if not plain or "?" in address or "#" in address:
        raise UserError(
            "an address is a server and a path, and holds neither a key nor a password",
            remedy="Write http://localhost:8080/v1, and put the key into OPENAI_API_KEY",
        )
