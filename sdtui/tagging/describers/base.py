"""What a describer is to the job that runs it: facts, and a way from images to words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from sdtui.errors import SdtuiError
from sdtui.tagging.descriptions import DescriberFacts


@dataclass(frozen=True)
class Asked:
    """What a model is asked.

    Attributes:
        prompt: how the description begins, or what a chat model is told; empty: as the model likes.
        max_tokens: that it may answer with.
        model: which of an endpoint's models.
        terms: files of terms that a CLIP model chooses from.
    """

    prompt: str = ""
    max_tokens: int = 75
    model: str = ""
    terms: tuple[str, ...] = ()


class RefusedImageError(SdtuiError):
    """The model says nothing of this one image; others may go well."""


class BusyError(SdtuiError):
    """The model does not answer now, and may later.

    Attributes:
        seconds: how long it asks to be left alone; None: it does not say.
    """

    def __init__(self, message: str, *, where: str = "", remedy: str = "", seconds: float | None = None) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.seconds = seconds


class Describer(Protocol):
    """A model that puts images into words."""

    @property
    def facts(self) -> DescriberFacts:
        """Name, digest and what it is asked."""
        ...

    @property
    def device(self) -> str:
        """What it computes on: `cpu`, `cuda`, or an address."""
        ...

    @property
    def fixed_batch(self) -> int | None:
        """How many images it takes at once; None: any number."""
        ...

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """A description of each image, on one line.

        Raises:
            RefusedImageError: it says nothing of these images.
            BusyError: it may answer later.
            SdtuiError: the model cannot answer.
        """
        ...


def on_one_line(text: str) -> str:
    """Words without line ends and doubled blanks: a line of a caption is a caption of its own."""
    return " ".join(text.split())
