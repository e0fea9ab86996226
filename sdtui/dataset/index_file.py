"""The index on disk: one file in the dataset's `.sdtui/`, replaced whole, and only ever a copy of what the captions say.

A NumPy archive (`.npz`, which any program can read) of the columns, the tags' lists of images, the tags, the texts as
`Texts` keeps them, and the images' names. A file that is damaged or of another version counts as none: it is made again.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.columns import KINDS, Columns
from sdtui.dataset.postings import Numbers
from sdtui.dataset.texts import BLOCK
from sdtui.files import open_atomic, write_failure

SCHEMA = 2
# Names never hold a NUL, tags never a line end.
_NAMES_END, _WORDS_END = "\0", "\n"
# A byte that is another can ask for a method of packing that nobody has (RuntimeError), or for a petabyte.
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    RuntimeError,
    OverflowError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Stored:
    """What an index file holds; `names` are the images' relative paths as one text of bytes, `joined_names`."""

    names: bytes
    words: list[str]
    starts: NDArray[np.int64]
    lists: Numbers
    columns: Columns
    blocks: Sequence[bytes]

    @property
    def relatives(self) -> list[str]:
        """The images' relative paths, in the order of the rows."""
        joined = self.names.decode("utf-8", "surrogateescape")
        return joined.split(_NAMES_END) if joined else []


def joined_names(relatives: Sequence[str]) -> bytes:
    """Relative paths as they stand in the file, to be compared without taking them apart."""
    return _NAMES_END.join(relatives).encode("utf-8", "surrogateescape")


def index_path(home: Path) -> Path:
    """The index file in the folder of what belongs to a dataset."""
    return home / "index.npz"


def write(home: Path, stored: Stored) -> None:
    """Replace the index file; raises SdtuiError when the disk does not take it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_failure(home, error) from error
    arrays = {
        "schema": np.array([SCHEMA, BLOCK]),
        "names": np.frombuffer(stored.names, np.uint8),
        "words": np.frombuffer(_WORDS_END.join(stored.words).encode("utf-8"), np.uint8),
        "starts": stored.starts,
        "lists": stored.lists,
        "texts": np.frombuffer(b"".join(stored.blocks), np.uint8),
        "text_sizes": np.array([len(block) for block in stored.blocks], np.int64),
        **stored.columns.arrays(),
    }
    # Without a sync: after a power failure a file that is cut short is noticed, and made again.
    with open_atomic(index_path(home), sync=False) as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def read(home: Path) -> Stored | None:
    """What the file holds; None when there is none that can be used."""
    try:
        with np.load(index_path(home), allow_pickle=False) as archive:
            if archive["schema"].tolist() != [SCHEMA, BLOCK]:
                return None
            words = archive["words"].tobytes().decode("utf-8")
            sizes = np.concatenate(([0], np.cumsum(archive["text_sizes"]))).tolist()
            texts = archive["texts"].tobytes()
            stored = Stored(
                archive["names"].tobytes(),
                words.split(_WORDS_END) if words else [],
                archive["starts"],
                archive["lists"],
                Columns(**{name: archive[name] for name in KINDS}),
                [texts[start:end] for start, end in pairwise(sizes)],
            )
    except _UNREADABLE:
        return None
    return stored if _fits(stored) else None


def _fits(stored: Stored) -> bool:
    """Whether the parts belong together: what follows relies on it, and the folder may be from anywhere."""
    count = len(stored.columns.state)
    columns = stored.columns.arrays()
    return (
        all(array.shape == (count,) and array.dtype == KINDS[name] for name, array in columns.items())
        and (stored.names.count(b"\0") + 1 if stored.names else 0) == count
        and len(stored.blocks) == -(-count // BLOCK)
        and stored.starts.dtype == np.int64
        and stored.lists.dtype == np.uint32
        and len(stored.starts) in range(1, len(stored.words) + 2)
        and stored.starts[0] == 0
        and bool((np.diff(stored.starts) >= 0).all())
        and stored.starts[-1] == len(stored.lists)
        and (not len(stored.lists) or int(stored.lists.max()) < count)
    )
