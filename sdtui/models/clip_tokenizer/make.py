"""Derives the files beside it from OpenAI's merge list: `python -m sdtui.models.clip_tokenizer.make LIST.txt.gz`.

The list is `bpe_simple_vocab_16e6.txt.gz`, found in OpenAI's CLIP repository and in the `open-clip-torch` wheel.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

from sdtui.files import write_atomic
from sdtui.models.clip_tokenizer import FOLDER

START, END = "<|startoftext|>", "<|endoftext|>"
SIZE = 49_408
# The list holds 262 144 merges; CLIP was trained with as many as fill its vocabulary.
MERGES = SIZE - 2 * 256 - len((START, END))


def byte_letters() -> list[str]:
    """A printable letter for each byte in CLIP's order: bytes that print as themselves first, then the others."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = (byte for byte in range(256) if byte not in printable)
    return [chr(byte) for byte in printable] + [chr(256 + rank) for rank, _ in enumerate(others)]


def read_merges(source: Path) -> list[str]:
    """The merges CLIP uses, best first, each two symbols with a space between; the list's first line is a title."""
    lines = gzip.decompress(source.read_bytes()).decode("utf-8").split("\n")
    return lines[1 : 1 + MERGES]


def vocabulary(merges: list[str]) -> dict[str, int]:
    """Symbol → id: bytes, bytes that end a word, merges in order, then the two marks."""
    letters = byte_letters()
    symbols = [*letters, *(letter + "</w>" for letter in letters), *(merge.replace(" ", "") for merge in merges)]
    return {symbol: index for index, symbol in enumerate([*symbols, START, END])}


def make(source: Path, folder: Path = FOLDER) -> None:
    """Write the four files that transformers' CLIPTokenizer reads."""
    merges = read_merges(source)
    settings = {
        "add_prefix_space": False,
        "bos_token": START,
        "do_lower_case": True,
        "eos_token": END,
        "errors": "replace",
        "model_max_length": 77,
        "pad_token": END,
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": END,
    }
    marks = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    write_atomic(folder / "vocab.json", json.dumps(vocabulary(merges), ensure_ascii=False, separators=(",", ":")))
    write_atomic(folder / "merges.txt", "\n".join(["#version: 0.2", *merges, ""]))
    write_atomic(folder / "tokenizer_config.json", json.dumps(settings, indent=2) + "\n")
    write_atomic(folder / "special_tokens_map.json", json.dumps(marks, indent=2) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
