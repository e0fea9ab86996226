"""What a profile's dataset comes to: every image as it will be trained, and all that is wrong.

Folders are laid out flat or as kohya's scripts want it; of each image the header, the caption and the mask's header are
read. Images are divided into those that teach, those that show what is to be kept and those that are held out, and placed
into buckets at every resolution they are trained at.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdtui.dataset.buckets import Bucket, Bucketing, Fit, fit
from sdtui.dataset.class_images import Missing
from sdtui.dataset.holdout import Candidate, files_of, hold_out
from sdtui.dataset.image import ImageFacts
from sdtui.dataset.layout import Layout
from sdtui.dataset.problem import HARMLESS, Kind, Problem
from sdtui.dataset.sources import Found, find_images, find_layouts, open_sources
from sdtui.errors import UserError
from sdtui.profile.folder_rules import captions_of, is_settled, resolutions_of
from sdtui.profile.schema import Profile

Role = Literal["train", "regularization", "validation"]

_CAPTIONLESS = frozenset({"missing-caption", "empty-caption"})
_UNREADABLE: frozenset[Kind] = frozenset({"unreadable-image", "unreadable-mask"})
_SHOWN = 5


@dataclass(frozen=True)
class Sample:
    """One image as it will be trained at one resolution: its caption, repeats per epoch, size in pixels, bucket.

    The caption is the file's, or the folder's class tokens where there is none. A newline stands between two lines of
    it; blank lines and blanks around lines are left out.

    Attributes:
        path: the image file.
        caption: what is read of it.
        repeats: how often it comes in an epoch; regularisation images: how often, beside each other.
        facts: its size.
        bucket: the size it is trained at, px.
        folder: as the profile writes it, with the folder inside it that kohya's layout names.
        row: of dataset.folders.
        resolution: that the bucket was made for, px.
        role: whether it teaches, shows what is to be kept, or is only measured.
        mask: the file whose white part the loss counts in.
        alpha_mask: whether the image has transparency, and the loss counts only where it is opaque.
        scaled: the size, px, that the image is scaled to before its bucket is cropped out; None: as `cover` says.
    """

    path: Path
    caption: str
    repeats: int
    facts: ImageFacts
    bucket: Bucket
    folder: str
    row: int = 0
    resolution: int = 512
    role: Role = "train"
    mask: Path | None = None
    alpha_mask: bool = False
    scaled: tuple[int, int] | None = None

    def fit(self) -> Fit:
        """How the image becomes its bucket, with the crop in its middle."""
        return fit(self.facts.width, self.facts.height, self.bucket, self.scaled)


@dataclass(frozen=True)
class Collection:
    """All samples in an order that no file system can change, and all problems; unreadable images have no sample."""

    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...]
    digest: str
    settled: bool = True  # whether every caption always reads the same
    layouts: tuple[Layout, ...] = ()  # of the folders that could be listed, in the profile's order
    missing: tuple[Missing, ...] = ()  # class images that the base model draws first; each has its samples already

    @property
    def training(self) -> tuple[Sample, ...]:
        """The samples that teach, in the order of `samples`."""
        return self._of("train")

    @property
    def regularization(self) -> tuple[Sample, ...]:
        """The samples that show what the model shall keep."""
        return self._of("regularization")

    @property
    def held_out(self) -> tuple[Sample, ...]:
        """The samples that are never trained: the validation loss is measured on them."""
        return self._of("validation")

    def _of(self, role: Role) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.samples if sample.role == role)

    def blocking(self, profile: Profile) -> tuple[Problem, ...]:
        """The problems that forbid training under `dataset.on_unreadable` and `captions.on_missing`."""
        tolerated: set[str] = set(HARMLESS)
        if profile.dataset.on_unreadable == "skip":
            tolerated |= _UNREADABLE
        if profile.captions.on_missing == "empty":
            tolerated |= _CAPTIONLESS
        return tuple(problem for problem in self.problems if problem.kind not in tolerated)

    def require(self, profile: Profile) -> None:
        """Stop before training when something forbids it.

        Raises:
            UserError: lists the first problems, how many more there are, and the setting that would tolerate them.
        """
        blocking = self.blocking(profile)
        if blocking:
            raise _refusal(blocking)
        if not self.training:
            raise UserError("the dataset has no image that can be trained", where="dataset.folders")


def collect(profile: Profile, progress: Callable[[int, int], None] | None = None) -> Collection:
    """Look at every image and caption of the profile's folders; bad ones are listed, never raised.

    Reads headers and captions only: thousands of images a second. `progress` is called with (images done, images in
    all). An image that two folders share is taken twice, with each folder's repeats.
    """
    problems: list[Problem] = []
    layouts = find_layouts(profile, problems)
    sources = open_sources(profile, layouts, problems)
    images = find_images(profile, sources, problems, progress)
    missing = tuple(missing for source in sources for missing in source.missing)
    drawn_first = {each.path for each in missing}
    held = _held_out(profile, [found for found in images if found.facts.path not in drawn_first])
    samples = tuple(sample for found in images for sample in _samples(profile, found, held))
    settled = all(is_settled(captions_of(profile, row)) for row in range(len(profile.dataset.folders)))
    return Collection(samples, tuple(problems), _digest(samples), settled, layouts, missing)


def _held_out(profile: Profile, images: list[Found]) -> frozenset[Path]:
    """The images that are only measured."""
    folders, share = profile.dataset.folders, profile.validation.share
    if not share and not any(folder.validation for folder in folders):
        return frozenset()
    files = files_of(found.facts.path for found in images)
    divided: dict[str, list[Candidate]] = {}
    held, kept = set(), set()
    for found in images:
        folder, file = folders[found.row], files[found.facts.path]
        if folder.validation:
            held.add(file)
        elif folder.regularization:
            kept.add(file)
        else:
            divided.setdefault(f"{found.row} {found.part.folder}", []).append(Candidate(found.name, file))
    out = hold_out(divided.values(), share, profile.validation.seed, held=held, kept=kept)
    return frozenset(path for path, file in files.items() if file in out)


def _samples(profile: Profile, found: Found, held: frozenset[Path]) -> list[Sample]:
    """The image at each of its resolutions."""
    dataset, facts = profile.dataset, found.facts
    folder = dataset.folders[found.row]
    role: Role = "regularization" if folder.regularization else "train"
    if facts.path in held:
        role = "validation"
    sides = (dataset.bucket_step, dataset.bucket_min, dataset.bucket_max)
    samples = []
    for resolution in resolutions_of(profile, found.row):
        bucketing = Bucketing(resolution, *sides, dataset.buckets, dataset.bucket_upscale)
        bucket, scaled = bucketing.place(facts.width, facts.height)
        samples.append(
            Sample(
                facts.path, found.caption, found.part.repeats, facts, bucket, found.part.folder, found.row,
                resolution, role, found.mask, found.alpha, scaled,
            )
        )  # fmt: skip
    return samples


def _refusal(problems: tuple[Problem, ...]) -> UserError:
    kinds = Counter(problem.kind for problem in problems)
    shown = [f"  {problem}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        rest = ", ".join(f"{count} {kind.replace('-', ' ')}" for kind, count in kinds.items())
        shown.append(f"  … {len(problems) - _SHOWN} more (in all: {rest})")
    skipped = sum(kinds[kind] for kind in _UNREADABLE)
    remedy = ""
    if skipped == len(problems):
        remedy = 'Mend them, or set dataset.on_unreadable = "skip"'
    elif skipped:
        remedy = f'Mend them; dataset.on_unreadable = "skip" passes over the {skipped} that cannot be read, no more'
    return UserError("the dataset cannot be trained as it is:\n" + "\n".join(shown), remedy=remedy)


def _digest(samples: tuple[Sample, ...]) -> str:
    """SHA-256 over what training sees of each sample short of its pixels: name, size, caption, repeats, bucket, role."""
    state = hashlib.sha256()
    for sample in samples:
        facts = sample.facts
        mask = sample.mask.name if sample.mask else ""
        shown = (*sample.bucket, sample.scaled, sample.role, mask, sample.alpha_mask)
        parts = (sample.path.name, facts.width, facts.height, sample.caption, sample.repeats, *shown)
        state.update("\0".join(map(str, parts)).encode("utf-8", "surrogateescape") + b"\n")
    return state.hexdigest()
