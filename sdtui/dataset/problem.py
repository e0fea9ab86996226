"""What is wrong with a dataset: one line per file or folder, with the kind that settings tolerate or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdtui.dataset.names import printable

Kind = Literal[
    "no-folders",
    "bad-folder",
    "bad-layout",
    "left-out",
    "no-images",
    "unreadable-folder",
    "unreadable-image",
    "bad-caption",
    "missing-caption",
    "empty-caption",
    "bad-masks",
    "unreadable-mask",
    "mask-shape",
    "foreign-image",
    "stray-mask",
    "no-alpha",
]

HARMLESS: frozenset[Kind] = frozenset({"left-out", "foreign-image", "stray-mask", "no-alpha"})
"""What stops no run: something lies there that is not used, or is asked for and not there."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the dataset: which kind, at which path, what was found, and what to do."""

    kind: Kind
    path: Path
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{printable(self.path)}: {self.message}"
        return f"{text}. {self.remedy}" if self.remedy else text
