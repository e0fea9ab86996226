"""CLIP's byte-pair vocabulary, bundled so that captions are counted and starters built without a download."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
