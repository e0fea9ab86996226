"""A CLIP interrogator: which of the user's own terms fit an image best, by any CLIP model of transformers.

Each text file is a list of terms, one a line, and a category by its name. As in A1111, the score of a term is its share among
all of its list: the softmax of the similarities times the model's scale. Of a list called `name.topN.txt` only the N best count.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError
from sdtui.files import write_atomic
from sdtui.paths import cache_dir
from sdtui.tagging.scores import TaggerFacts
from sdtui.tagging.tag_list import TagList
from sdtui.tagging.taggers.base import Pixels, Where, torch_device

_WEIGHTS = "*.safetensors"
_BATCH = 256
_TOP = re.compile(r"(.+)\.top(\d+)")


class Terms(NamedTuple):
    """One list: its category, its terms, and how many of them may count (None: all)."""

    category: str
    words: tuple[str, ...]
    top: int | None


class ClipTagger:
    """A CLIP model and lists of terms, whose embeddings are kept in the cache folder."""

    fixed_batch: int | None = None

    def __init__(self, folder: Path, name: str, where: Where, files: Sequence[Path]) -> None:
        """Load it; raises UserError where a list cannot be read, or the folder holds no CLIP model in safetensors."""
        from transformers import AutoImageProcessor, CLIPModel

        self._lists = [read_terms(path) for path in files]
        self.device = torch_device(where)
        try:
            self._processor: Any = AutoImageProcessor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            self._model = CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"not a CLIP model: {str(error).splitlines()[0]}", where=printable(folder)) from error
        self._model.to(self.device).eval()
        digest = _digest(folder, self._lists)
        self._embeddings = self._of_terms(folder, digest)
        words = tuple(word for each in self._lists for word in each.words)
        categories = tuple(each.category for each in self._lists for _ in each.words)
        lists = ", ".join(f"{each.category} ({len(each.words)})" for each in self._lists)
        self.facts = TaggerFacts(name, digest, f"CLIP's own; share among {lists}", TagList(words, categories))

    def prepare(self, image: Image.Image) -> Pixels:
        """As `Tagger.prepare`: as the model's own processor does."""
        found: Pixels = np.asarray(self._processor(images=image, return_tensors="np")["pixel_values"][0], np.float32)
        return found

    @torch.inference_mode()
    def scores(self, batch: Pixels) -> NDArray[np.float32]:
        """As `Tagger.scores`."""
        features = _plain(self._model.get_image_features(pixel_values=torch.from_numpy(batch).to(self.device)))
        similar = self._model.logit_scale.exp() * normalize(features, dim=-1) @ self._embeddings.T
        parts = similar.split([len(each.words) for each in self._lists], dim=-1)
        shares = [_best(part.softmax(dim=-1), each.top) for part, each in zip(parts, self._lists, strict=True)]
        found: NDArray[np.float32] = torch.cat(shares, dim=-1).float().cpu().numpy()
        return found

    @torch.inference_mode()
    def _of_terms(self, folder: Path, digest: str) -> Tensor:
        """The terms' embeddings, each of length 1: (terms, width)."""
        from safetensors.torch import load, save

        kept = cache_dir() / "clip-terms" / f"{digest}.safetensors"
        if kept.is_file():
            return load(kept.read_bytes())["embeddings"].to(self.device)
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        words = [word for each in self._lists for word in each.words]
        parts = []
        for first in range(0, len(words), _BATCH):
            given = tokenizer(words[first : first + _BATCH], padding=True, truncation=True, return_tensors="pt")
            features = _plain(self._model.get_text_features(**given.to(self.device)))
            parts.append(normalize(features, dim=-1).cpu())
        embeddings = torch.cat(parts).contiguous()
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(kept, save({"embeddings": embeddings}), sync=False)
        except (OSError, SdtuiError):
            return embeddings.to(self.device)  # worked out again the next time, which costs time and nothing else
        return embeddings.to(self.device)


def read_terms(path: Path) -> Terms:
    """One list of terms.

    Raises:
        UserError: it cannot be read, or holds none.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise UserError(f"cannot read the terms: {error}", where=printable(path)) from error
    words = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not words:
        raise UserError("the list holds no terms", where=printable(path), remedy="Write one a line")
    match = _TOP.fullmatch(path.stem)
    return Terms(match[1], words, int(match[2])) if match else Terms(path.stem, words, None)


def _best(shares: Tensor, top: int | None) -> Tensor:
    """The shares with all but the `top` highest of each row put to 0."""
    if top is None or top >= shares.shape[-1]:
        return shares
    values, places = shares.topk(top, dim=-1)
    return torch.zeros_like(shares).scatter(-1, places, values)


def _plain(found: Any) -> Tensor:
    """The features themselves, which some versions of transformers give within an object."""
    features: Tensor = found if isinstance(found, Tensor) else found.pooler_output
    return features


def _digest(folder: Path, lists: Sequence[Terms]) -> str:
    """Of the model's configuration, its files' names and sizes, and the terms."""
    found = hashlib.sha256((folder / "config.json").read_bytes())
    for path in sorted(folder.glob(_WEIGHTS)):
        found.update(f"{path.name} {path.stat().st_size}\n".encode())
    found.update(json.dumps(lists).encode())
    return found.hexdigest()
