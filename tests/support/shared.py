"""What a test process has once: CLIP's vocabulary, and libraries that the garbage collector passes by.

To build the vocabulary takes as long as to load the rest of a tiny model, and a look through all that the libraries
made takes as long as a short run.
"""

from __future__ import annotations

import gc
import hashlib
from pathlib import Path
from typing import Any

from tokenizers.models import BPE
from transformers.models.clip import tokenization_clip

_built: dict[tuple[Any, ...], BPE] = {}


def share() -> None:
    """Vocabularies are built once for each content of their files, and what is in memory now stays until the end."""
    # Tokenizers only read their vocabulary: what they add, as words do, each adds to itself.
    vars(tokenization_clip)["BPE"] = _vocabulary
    gc.collect()
    gc.freeze()
    # What is frozen no longer counts where Python decides how often to look, which would be after every few tests.
    gc.set_threshold(10_000, 10, 10)


def _vocabulary(vocab: Any, merges: Any, **settings: Any) -> BPE:
    if not isinstance(vocab, str):  # the words themselves, which are few
        return BPE(vocab=vocab, merges=merges, **settings)
    digests = (hashlib.sha256(Path(file).read_bytes()).digest() for file in (vocab, merges))
    key = (*digests, *sorted(settings.items()))
    if key not in _built:
        _built[key] = BPE(vocab=vocab, merges=merges, **settings)
    return _built[key]
