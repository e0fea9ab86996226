"""Latents of the images: mean and spread of what the VAE says, encoded once and kept outside the images' folder.

An entry is found by what it was made from (bytes of the image and its mask, VAE, scaling, crop, colours), so a renamed
image keeps its latents and a changed one gets new ones. Each step draws a fresh sample from mean and spread.

Every entry is encoded by itself. The last bits of a result depend on what it was batched with and how many threads
shared the work, and an entry must have the same bits whether this run made it, or another, or a run that was killed and
began again; the processor encodes batches no faster. Instead small images are encoded side by side there, and all are
decoded by threads while the VAE encodes the ones before, the first of them by one thread while the model is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from math import prod
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from PIL import Image
from torch import Tensor

from sdtui import heap
from sdtui.dataset.collect import Sample
from sdtui.dataset.digests import Digests
from sdtui.dataset.image import UnreadableImage, open_alpha, open_mask, open_rgb
from sdtui.dataset.variants import variants_of
from sdtui.errors import SdtuiError
from sdtui.models.family import SPEAKER_DTYPE, Eyes
from sdtui.paths import cache_dir
from sdtui.profile.schema import Augment
from sdtui.profile.side_by_side import encoders
from sdtui.training.ahead import Beforehand, ahead
from sdtui.training.pixels import as_input, render, render_mask
from sdtui.training.randomness import derive
from sdtui.training.store import TensorStore, key_of
from sdtui.training.threads import compute_in, in_threads
from sdtui.training.views import Sizes, View, sizes_of, view_of

CODE_VERSION = 4
"""Raised whenever the same image would be encoded differently than before."""

THREADS = 4
"""How many images are decoded at once."""

JOB_PIXELS = 1 << 22
"""How many pixels of one image's ways are made at once: 12 MiB of each image that waits to be encoded."""

RENDERED_BYTES = 128 << 20
"""How much is read and scaled before the model is there: 170 images at 512 px."""

Progress = Callable[[int, int], None]


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
    """What the VAE says of each sample, by its number and the way it is shown.

    Args:
        store: where entries are.
        ways: of each sample.
        remake: makes the entry of a sample's way again, if it can.
    """

    store: TensorStore
    ways: Sequence[Ways]
    remake: Callable[[int, bool, int], None] | None = None

    @property
    def digest(self) -> str:
        """One digest of all images, the ways they are shown and their order."""
        return key_of(*((way.key(False, 0), way.flips, way.variants) for way in self.ways))

    def at(self, sample: int, flip: bool, variant: int) -> Encoded:
        """The sample shown in one of its ways; an entry that was deleted or damaged since is made again, bit for bit.

        Raises:
            SdtuiError: it cannot be made again.
        """
        way = self.ways[sample]
        key = way.key(flip, variant)
        entry = self.store.find(key)
        if entry is None:
            if self.remake is not None:
                self.remake(sample, flip, variant)
            entry = self.store.get(key)
        return Encoded(entry["mean"], entry["std"], entry.get("mask"), way.sizes(flip, variant))


@dataclass(frozen=True)
class Shown:
    """The ways in which one image of the dataset is shown."""

    sample: Sample
    augment: Augment
    digest: str  # of the image file
    made_from: tuple[object, ...]  # what else its entries depend on: mask, VAE, background

    @property
    def flips(self) -> bool:
        """Whether it is also shown mirrored."""
        return self.augment.flip

    @cached_property
    def variants(self) -> int:
        """How many crops and colourings it has."""
        return variants_of(self.augment, self.sample.fit())

    def all(self) -> Iterator[tuple[bool, int]]:
        """Every way, as (mirrored, number of the variant)."""
        yield from ((flip, variant) for variant in range(self.variants) for flip in ((False, True)[: 1 + self.flips]))

    def view(self, flip: bool, variant: int) -> View:
        """What is done to the image."""
        return view_of(self.augment, self.sample.fit(), self.digest, variant, flip=flip)

    def key(self, flip: bool, variant: int) -> str:
        """The key of that entry."""
        return key_of(CODE_VERSION, self.digest, *self.made_from, self.view(flip, variant))

    def sizes(self, flip: bool, variant: int) -> Sizes:
        """Which part of the image it is."""
        facts = self.sample.facts
        return sizes_of((facts.width, facts.height), self.view(flip, variant))


class Job(NamedTuple):
    """Ways of one image that are made together, so that it is decoded once for all of them."""

    sample: int
    ways: tuple[tuple[bool, int], ...]


class Rendered(NamedTuple):
    """One way, ready for the VAE."""

    key: str
    pixels: Tensor  # (H, W, 3) uint8
    mask: Tensor | None  # (h, w)


Entry = tuple[str, dict[str, Tensor]]
"""What the store keeps of one way, and its key."""


class LatentCache:
    """Encodes images that were not encoded before.

    Args:
        model: whose VAE encodes; it need not be loaded before `fill`.
        samples: what will be trained and measured on.
        background: colour laid under transparent pixels.
        augments: how the images of each row of dataset.folders are varied; those that are only measured never are.
        store: where latents are kept; the user's cache folder if not given.
        progress: called with (images looked at, all) while it is seen what they are and what there is of them; may raise
            to end it early.
    """

    def __init__(
        self,
        model: Eyes,
        samples: Sequence[Sample],
        background: str,
        augments: Sequence[Augment],
        store: TensorStore | None = None,
        *,
        progress: Progress | None = None,
    ) -> None:
        self._model = model
        self.samples = samples
        self._background = background
        self._augments = augments
        self._digests: dict[Path, Digests] = {}
        self._unreadable: dict[int, UnreadableImage] = {}
        self._shown: dict[int, Shown] = {}
        self._incomplete: list[int] = []
        self._threads = torch.get_num_threads()
        self._rendered = Beforehand(self._try_to_render)
        self.store = store or TensorStore(cache_dir() / "latents")
        try:
            for index in range(len(samples)):
                self._take_in(index)
                if progress is not None:
                    progress(index + 1, len(samples))
        finally:
            # Also when it is ended early: what was read need not be read again.
            for digests in self._digests.values():
                digests.save()

    def latents(self, indices: Iterable[int]) -> Latents:
        """The latents of some of the samples, numbered anew."""
        chosen = list(indices)

        def remake(number: int, flip: bool, variant: int) -> None:
            job = Job(chosen[number], ((flip, variant),))
            with in_threads(self._threads // self._encoders(job)):
                for key, entry in self._encode(job, self._render(job)):
                    self.store.put(key, entry)

        return Latents(self.store, [self._shown[index] for index in chosen], remake)

    def leave_to_others(self, share: Callable[[Sequence[int]], Sequence[int]]) -> None:
        """Of the images that lack an entry, `fill` those only that `share` picks: other processes encode the rest."""
        self._incomplete = list(share(self._incomplete))

    def rendering(self) -> AbstractContextManager[None]:
        """Meanwhile the images that `fill` will begin with are read and scaled, up to `RENDERED_BYTES` of them."""
        return self._rendered.making(self._first_jobs())

    def fill(self, progress: Progress) -> dict[int, UnreadableImage]:
        """Encode what is not in the store yet; returns the samples that cannot be decoded, with the reason of each.

        `progress(done, total)` counts the ways of images that lack one, is called after each image and may raise to end
        it early.

        Raises:
            SdtuiError: the VAE answered with numbers that are not finite, which are never stored, or an image changed.
        """
        if self._incomplete:
            heap.keep_large()
        unreadable = dict(self._unreadable)
        total = sum((1 + shown.flips) * shown.variants for shown in map(self._shown.__getitem__, self._incomplete))
        done = 0

        def tell(ways: int) -> None:
            nonlocal done
            done += ways
            progress(done, total)

        def missing() -> Iterator[Job]:
            for job in self._jobs():
                left = self._missing(job)
                if len(left) < len(job.ways):
                    tell(len(job.ways) - len(left))
                if left:
                    yield Job(job.sample, left)

        for at_once, jobs in groupby(missing(), self._encoders):
            for job, found in self._encoded(jobs, at_once):
                if isinstance(found, UnreadableImage):
                    unreadable[job.sample] = found
                else:
                    for key, entry in found:
                        self.store.put(key, entry)
                tell(len(job.ways))
        # They would stay in memory for as long as the run lasts.
        self._digests.clear()
        self._rendered.forget()
        return dict(sorted(unreadable.items()))

    def _take_in(self, index: int) -> None:
        try:
            self._shown[index] = shown = self._look(index)
        except UnreadableImage as error:
            self._unreadable[index] = error
        else:
            if not all(self.store.has(shown.key(*way)) for way in shown.all()):
                self._incomplete.append(index)

    def _look(self, index: int) -> Shown:
        sample = self.samples[index]
        augment = Augment() if sample.role == "validation" else self._augments[sample.row]
        mask = self._digest(sample.mask.parent, sample.mask) if sample.mask else ""
        made_from = (mask, sample.alpha_mask, self._model.vae_digest, self._background, SPEAKER_DTYPE)
        return Shown(sample, augment, self._digest(Path(sample.folder), sample.path), made_from)

    def _digest(self, root: Path, file: Path) -> str:
        if root not in self._digests:
            self._digests[root] = Digests(root)
        return self._digests[root].of(file)

    def _jobs(self) -> Iterator[Job]:
        """All ways of the images that lack one, those of one size after another."""
        order = sorted(self._incomplete, key=lambda index: (self.samples[index].bucket, index))
        # Runs that cache the same images at the same time begin at different ones, and find what the others have made.
        first = derive(os.getpid(), 0, 0, "first image") % max(1, len(order))
        for index in order[first:] + order[:first]:
            width, height = self.samples[index].bucket
            size = max(1, JOB_PIXELS // (width * height))
            ways = tuple(self._shown[index].all())
            yield from (Job(index, ways[start : start + size]) for start in range(0, len(ways), size))

    def _first_jobs(self) -> Iterator[Job]:
        room = RENDERED_BYTES
        for job in self._jobs():
            left = self._missing(job)
            room -= 3 * prod(self.samples[job.sample].bucket) * len(left)
            if room < 0:
                return
            yield Job(job.sample, left)

    def _missing(self, job: Job) -> tuple[tuple[bool, int], ...]:
        shown = self._shown[job.sample]
        # By their keys: where little stands out of the bucket, some variants have the same crop.
        ways = {shown.key(*way): way for way in job.ways}
        return tuple(way for key, way in ways.items() if not self.store.has(key))

    def _try_to_render(self, job: Job) -> tuple[Job, list[Rendered] | UnreadableImage]:
        try:
            return job, self._render(job)
        except UnreadableImage as error:
            return job, error

    def _render(self, job: Job) -> list[Rendered]:
        shown = self._shown[job.sample]
        sample = shown.sample
        image, masks = open_rgb(sample.path, self._background), self._masks(sample)
        if self._look(job.sample) != shown:
            raise SdtuiError(
                "the image or its mask has changed while the run was using it",
                where=str(sample.path),
                remedy="Resume the run",
            )
        width, height = (side // self._model.latent_factor for side in sample.bucket)
        rendered = []
        for way in job.ways:
            view = shown.view(*way)
            mask = render_mask(masks, view, width, height) if masks else None
            rendered.append(Rendered(shown.key(*way), render(image, view), mask))
        return rendered

    def _masks(self, sample: Sample) -> list[Image.Image]:
        masks = [open_mask(sample.mask)] if sample.mask else []
        alpha = open_alpha(sample.path) if sample.alpha_mask else None
        return masks if alpha is None else [*masks, alpha]

    def _encoders(self, job: Job) -> int:
        """How many images of this one's size are encoded at once; on a GPU one takes it all."""
        if self._model.device.type != "cpu":
            return 1
        return encoders(prod(self.samples[job.sample].bucket), self._threads)

    def _encoded(self, jobs: Iterable[Job], at_once: int) -> Iterator[tuple[Job, Sequence[Entry] | UnreadableImage]]:
        """What is to be stored of each job, in their order."""
        rendered = ahead(self._rendered.make, jobs, THREADS)
        if at_once == 1:
            yield from map(self._try_to_encode, rendered)
            return
        share = partial(compute_in, self._threads // at_once)
        with in_threads(self._threads):  # what one thread sets is in part what all others have
            yield from ahead(self._try_to_encode, rendered, at_once, share)

    def _try_to_encode(
        self, made: tuple[Job, list[Rendered] | UnreadableImage]
    ) -> tuple[Job, list[Entry] | UnreadableImage]:
        job, found = made
        if isinstance(found, UnreadableImage):
            return job, found
        # The same image twice in the dataset, or made by another run meanwhile?
        lacking = (each for each in found if not self.store.has(each.key))
        return job, list(self._encode(job, lacking))

    def _encode(self, job: Job, found: Iterable[Rendered]) -> Iterator[Entry]:
        for key, pixels, mask in found:
            mean, std = (half[0] for half in self._model.encode_images(as_input(pixels)))
            if not (torch.isfinite(mean).all() and torch.isfinite(std).all()):
                raise SdtuiError(
                    "the VAE answers this image with numbers that are not finite",
                    where=str(self.samples[job.sample].path),
                    remedy="Choose another VAE (model.vae); half-precision ones are known for this",
                )
            yield key, {"mean": mean, "std": std} | ({} if mask is None else {"mask": mask})
