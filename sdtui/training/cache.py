"""Latents of the images: mean and spread of what the VAE says, encoded once and kept outside the images' folder.

An entry is found by what it was made from (bytes of the image, VAE, scaling and crop), so a renamed image keeps its
latents and a changed one gets new ones. Each step draws a fresh sample from mean and spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sdtui.dataset.buckets import Bucket, fit
from sdtui.dataset.image import ImageFacts, UnreadableImage, content_digest, open_rgb
from sdtui.errors import SdtuiError
from sdtui.models.family import Model
from sdtui.paths import cache_dir
from sdtui.training.store import TensorStore, key_of

CODE_VERSION = 2
"""Raised whenever the same image would be encoded differently than before."""

CHUNK_PIXELS = 1 << 20
"""Pixels encoded at once: 4 images of 512 × 512, which is where a GPU stops gaining and a CPU never starts."""

Progress = Callable[[int, int], None]


class Picture(Protocol):
    """The part of a dataset's sample that its latents depend on."""

    @property
    def path(self) -> Path:
        """The image file."""

    @property
    def facts(self) -> ImageFacts:
        """Its size."""

    @property
    def bucket(self) -> Bucket:
        """The size it is trained at."""


class Sizes(NamedTuple):
    """Where the pixels came from, each (width, height) or (left, top) in pixels: what SDXL is told of an image."""

    original: tuple[int, int]
    crop: tuple[int, int]  # in the scaled image, as it is shown: a mirrored image is cropped from its other side
    target: tuple[int, int]


class Encoded(NamedTuple):
    """One image shown in one way."""

    mean: Tensor  # (4, h, w)
    std: Tensor  # (4, h, w)
    mask: Tensor | None  # (h, w), 0…1: how much each place counts; None: all alike
    sizes: Sizes


class Ways(Protocol):
    """In which ways one sample may be shown; each has an entry of its own."""

    @property
    def flips(self) -> bool:
        """Whether it is also shown mirrored."""

    @property
    def variants(self) -> int:
        """How many crops and colourings it has, at least one."""

    def key(self, flip: bool, variant: int) -> str:
        """The key of that entry."""

    def sizes(self, flip: bool, variant: int) -> Sizes:
        """Which part of the image it is."""


@dataclass(frozen=True)
class Latents:
    """What the VAE says of each sample, by its number and the way it is shown."""

    store: TensorStore
    ways: Sequence[Ways]

    @property
    def digest(self) -> str:
        """One digest of all images, the ways they are shown and their order."""
        return key_of(*((way.key(False, 0), way.flips, way.variants) for way in self.ways))

    def at(self, sample: int, flip: bool, variant: int) -> Encoded:
        """The sample shown in one of its ways."""
        way = self.ways[sample]
        entry = self.store.get(way.key(flip, variant))
        return Encoded(entry["mean"], entry["std"], entry.get("mask"), way.sizes(flip, variant))


@dataclass(frozen=True)
class CenterCrop:
    """A picture that is always shown alike."""

    picture: Picture
    only_key: str
    flips: bool = False
    variants: int = 1

    def key(self, _flip: bool, _variant: int) -> str:
        """The key of the only entry."""
        return self.only_key

    def sizes(self, _flip: bool, _variant: int) -> Sizes:
        """The middle of the picture."""
        facts, bucket = self.picture.facts, self.picture.bucket
        left, top, *_ = fit(facts.width, facts.height, bucket).crop
        return Sizes((facts.width, facts.height), (left, top), (bucket.width, bucket.height))


class LatentCache:
    """Encodes pictures that were not encoded before.

    Args:
        model: whose VAE encodes.
        pictures: what will be trained on.
        background: colour laid under transparent pixels.
        store: where latents are kept; the user's cache folder if not given.
        progress: called with (pictures looked at, all) while their bytes are read; may raise to end it early.
    """

    def __init__(
        self,
        model: Model,
        pictures: Sequence[Picture],
        background: str,
        store: TensorStore | None = None,
        *,
        progress: Progress | None = None,
    ) -> None:
        self._model = model
        self._pictures = pictures
        self._background = background
        self.store = store or TensorStore(cache_dir() / "latents")
        precision = next(model.vae.parameters()).dtype
        self._keys: list[str] = []
        for picture in pictures:
            self._keys.append(self._key(picture, precision))
            if progress is not None:
                progress(len(self._keys), len(pictures))

    def latents(self, indices: Iterable[int]) -> Latents:
        """The latents of some of the pictures, numbered anew."""
        return Latents(self.store, [CenterCrop(self._pictures[index], self._keys[index]) for index in indices])

    def fill(self, progress: Progress) -> dict[int, UnreadableImage]:
        """Encode what is not in the store yet; returns the pictures that cannot be decoded, with the reason of each.

        `progress(done, total)` is called after each chunk and may raise to end it early.

        Raises:
            SdtuiError: the VAE answered with numbers that are not finite, which are never stored.
        """
        unreadable: dict[int, UnreadableImage] = {}
        done = 0
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="decode") as pool:
            for chunk in self._chunks():
                # A chunk is encoded whole or not at all: the last bits of a result depend on what it was batched with,
                # and a run that was killed while caching must get the bits that it would have got.
                if any(self.store.find(self._keys[i]) is None for i in chunk):
                    unreadable |= self._encode(chunk, pool)
                done += len(chunk)
                progress(done, len(self._pictures))
        return unreadable

    def _chunks(self) -> Iterator[list[int]]:
        by_bucket: dict[Bucket, list[int]] = {}
        for index, picture in enumerate(self._pictures):
            by_bucket.setdefault(picture.bucket, []).append(index)
        for bucket, indices in sorted(by_bucket.items()):
            size = max(1, CHUNK_PIXELS // (bucket[0] * bucket[1]))
            yield from (indices[i : i + size] for i in range(0, len(indices), size))

    def _encode(self, chunk: list[int], pool: ThreadPoolExecutor) -> dict[int, UnreadableImage]:
        decoded = dict(zip(chunk, pool.map(self._decode, chunk), strict=True))
        unreadable = {index: found for index, found in decoded.items() if isinstance(found, UnreadableImage)}
        pixels = {index: found for index, found in decoded.items() if not isinstance(found, UnreadableImage)}
        if pixels:
            mean, std = self._model.encode_images(torch.stack(list(pixels.values())))  # from (B, 3, H, W)
            for i, index in enumerate(pixels):
                self._put(index, mean[i], std[i])
        return unreadable

    def _decode(self, index: int) -> Tensor | UnreadableImage:
        try:
            return load_pixels(self._pictures[index], self._background)
        except UnreadableImage as error:
            return error

    def _put(self, index: int, mean: Tensor, std: Tensor) -> None:
        if not (torch.isfinite(mean).all() and torch.isfinite(std).all()):
            raise SdtuiError(
                "the VAE answers this image with numbers that are not finite",
                where=str(self._pictures[index].path),
                remedy="Choose another VAE (model.vae); half-precision ones are known for this",
            )
        self.store.put(self._keys[index], {"mean": mean, "std": std})

    def _key(self, picture: Picture, precision: torch.dtype) -> str:
        scaled = fit(picture.facts.width, picture.facts.height, picture.bucket)
        return key_of(
            CODE_VERSION, content_digest(picture.path), self._model.vae_digest, *scaled, self._background, precision
        )


def load_pixels(picture: Picture, background: str) -> Tensor:
    """The image scaled and cropped to its bucket, (3, H, W) in [-1, 1]."""
    scaled = fit(picture.facts.width, picture.facts.height, picture.bucket)
    image = open_rgb(picture.path, background)
    # Only what the crop keeps is scaled: a strip of 60 000 × 10 pixels would grow to gigabytes first.
    across, down = image.width / scaled.resize[0], image.height / scaled.resize[1]
    left, top, right, bottom = scaled.crop
    box = (left * across, top * down, min(right * across, image.width), min(bottom * down, image.height))
    image = image.resize(picture.bucket, Image.Resampling.LANCZOS, box=box)
    pixels = torch.from_numpy(np.asarray(image, dtype=np.float32).copy())  # (H, W, 3), 0…255
    return pixels.permute(2, 0, 1) / 127.5 - 1.0
