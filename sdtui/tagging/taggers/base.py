"""What a tagger is to the job that runs it: facts, a way to prepare an image, a way to score a batch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.tagging.scores import TaggerFacts

Device = Literal["auto", "cpu", "cuda"]
Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Where:
    """What a tagger may compute on.

    Attributes:
        device: `auto` is the GPU where there is one that can be used.
        threads: of the processor, for the model alone; 0: as many as it likes.
    """

    device: Device = "auto"
    threads: int = 0


class Tagger(Protocol):
    """A loaded model."""

    @property
    def facts(self) -> TaggerFacts:
        """Name, digest, preprocessing and tags."""
        ...

    @property
    def device(self) -> str:
        """What it computes on: `cpu`, `cuda`."""
        ...

    @property
    def fixed_batch(self) -> int | None:
        """How many images a batch must have; None: any number."""
        ...

    def prepare(self, image: Image.Image) -> Pixels:
        """An RGB image as the model reads it, without the batch's axis; called by several threads at once."""
        ...

    def scores(self, batch: Pixels) -> NDArray[np.float32]:
        """Scores 0–1 of a batch: (images, tags)."""
        ...


def file_digest(path: Path) -> str:
    """SHA-256 of a model file in hex.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot read the model: {error.strerror}", where=printable(path)) from error


def torch_device(where: Where) -> str:
    """What a model of PyTorch computes on, with so many threads as `where` says; imports PyTorch.

    Raises:
        UserError: a GPU is wanted, and there is none.
    """
    import torch

    if where.threads:
        torch.set_num_threads(where.threads)
    has_cuda = torch.cuda.is_available()
    if where.device == "cuda" and not has_cuda:
        raise UserError("PyTorch finds no NVIDIA GPU", where="--device cuda", remedy="Use --device cpu")
    return "cuda" if has_cuda and where.device != "cpu" else "cpu"
