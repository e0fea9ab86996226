"""What a profile's dataset comes to: every image with its caption, repeats, size and bucket, and all that is wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sdtui.dataset.buckets import Bucket, Bucketing, Fit, fit
from sdtui.dataset.caption import CaptionError, label, namings_for
from sdtui.dataset.image import EXTENSIONS, ImageFacts, UnreadableImage, read_facts
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.dataset.pipeline import is_settled
from sdtui.dataset.regularization import shares
from sdtui.dataset.scan import DatasetError
from sdtui.errors import UserError
from sdtui.profile.folder_rules import captions_of, resolutions_of
from sdtui.profile.plan import ENLARGED, Survey
from sdtui.profile.schema import Profile

Kind = Literal[
    "no-folders",
    "bad-folder",
    "no-images",
    "unreadable-folder",
    "unreadable-image",
    "bad-caption",
    "missing-caption",
    "empty-caption",
]
Role = Literal["train", "regularization", "validation"]

_CAPTIONLESS = frozenset({"missing-caption", "empty-caption"})
_SHOWN = 5


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


@dataclass(frozen=True)
class Sample:
    """One image as it will be trained at one resolution: its caption, repeats per epoch, size in pixels, bucket.

    The caption is the file's, or the folder's class tokens where there is none. A newline stands between two lines of
    it; blank lines and blanks around lines are left out.

    Attributes:
        path: the image file.
        caption: what is read of it.
        repeats: how often it comes in an epoch.
        facts: its size.
        bucket: the size it is trained at, px.
        folder: as the profile writes it.
        row: of dataset.folders.
        resolution: that the bucket was made for, px.
        role: whether it teaches, shows what is to be kept, or is only measured.
        mask: the file whose white part the loss counts in.
        alpha_mask: whether the loss counts only where the image is opaque.
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

    def fit(self, place: tuple[float, float] = (0.5, 0.5)) -> Fit:
        """How the image becomes its bucket; `place` as in `buckets.fit`."""
        return fit(self.facts.width, self.facts.height, self.bucket, place, self.scaled)


@dataclass(frozen=True)
class Collection:
    """All samples in an order that no file system can change, and all problems; unreadable images have no sample."""

    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...]
    digest: str
    settled: bool = True  # whether every caption always reads the same

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
        tolerated: set[str] = set()
        if profile.dataset.on_unreadable == "skip":
            tolerated.add("unreadable-image")
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
        if not self.samples:
            raise UserError("the dataset has no image that can be trained", where="dataset.folders")


def collect(profile: Profile, progress: Callable[[int, int], None] | None = None) -> Collection:
    """Look at every image and caption of the profile's folders; bad ones are listed, never raised.

    Reads headers and captions only: thousands of images a second. `progress` is called with (images done, images in
    all). An image that two folders share is taken twice, with each folder's repeats.
    """
    dataset = profile.dataset
    problems: list[Problem] = []
    if not dataset.folders:
        problems.append(
            Problem("no-folders", Path(), "the profile names no folder of images", "Add [[dataset.folders]]")
        )
    libraries = list(_libraries(profile, problems))
    total = sum(len(library) for _, library in libraries)
    samples: list[Sample] = []
    done = 0
    for row, library in libraries:
        folder = dataset.folders[row]
        for position in range(len(library)):
            facts = _facts(library[position].path, problems)
            if facts is not None:
                text = _caption(profile, library, position, problems)
                for resolution in resolutions_of(profile, row):
                    bucket, scaled = _bucketing(profile, resolution).place(facts.width, facts.height)
                    role: Role = "regularization" if folder.regularization else "train"
                    sample = Sample(facts.path, text, folder.repeats, facts, bucket, folder.path, row, resolution, role)
                    samples.append(replace(sample, alpha_mask=folder.alpha_mask, scaled=scaled))
            done += 1
            if progress is not None:
                progress(done, total)
    settled = all(is_settled(captions_of(profile, row)) for row in range(len(dataset.folders)))
    return Collection(tuple(samples), tuple(problems), _digest(samples), settled)


def survey(collection: Collection) -> Survey:
    """The collection in the figures that a plan is made of: images, samples an epoch (repeats counted), buckets."""
    training, kept = _by_bucket(collection.training), _by_bucket(collection.regularization)
    buckets = training + Counter(shares(training.total(), kept))
    samples = collection.samples
    factors = [factor for sample in samples if (factor := _enlargement(sample)) > ENLARGED]
    return Survey(
        len(samples),
        buckets.total(),
        dict(sorted(buckets.items())),
        tuple(str(problem) for problem in collection.problems),
        pixels=sum(sample.bucket.width * sample.bucket.height for sample in samples),
        captions=len({sample.caption for sample in samples}) if collection.settled else 0,
        enlarged=len(factors),
        largest=max(factors, default=1.0),
    )


def _by_bucket(samples: tuple[Sample, ...]) -> Counter[tuple[int, int]]:
    """How many samples of one epoch each bucket has, repeats counted."""
    counts: Counter[tuple[int, int]] = Counter()
    for sample in samples:
        counts[sample.bucket.width, sample.bucket.height] += sample.repeats
    return counts


def _enlargement(sample: Sample) -> float:
    """How much its sides grow to cover the bucket; below 1 it shrinks."""
    return max(sample.bucket.width / sample.facts.width, sample.bucket.height / sample.facts.height)


def _libraries(profile: Profile, problems: list[Problem]) -> Iterator[tuple[int, Library]]:
    for row, folder in enumerate(profile.dataset.folders):
        path = Path(folder.path)
        try:
            library = Library.scan(path, recursive=folder.recursive, extension=profile.captions.extension)
        except DatasetError as error:
            problems.append(Problem("bad-folder", path, error.message, error.remedy))
            continue
        problems += [
            Problem("unreadable-folder", path / inner, "no permission to read the folder", "Check its owner and mode")
            for inner in library.unreadable_folders
        ]
        if not library:
            problems.append(_no_images(path, library, recursive=folder.recursive))
        yield row, library


def _no_images(path: Path, library: Library, *, recursive: bool) -> Problem:
    expected = "expected images: " + " ".join(sorted(EXTENSIONS))
    if library.subfolders and not recursive:
        remedy = "Name one of these folders, or set recursive = true for this one"
    else:
        remedy = "Put the images and their captions into it, or name another folder"
    return Problem("no-images", path, f"no images here: {library.why_empty()}; {expected}", remedy)


def _bucketing(profile: Profile, resolution: int) -> Bucketing:
    dataset = profile.dataset
    sides = (dataset.bucket_step, dataset.bucket_min, dataset.bucket_max)
    return Bucketing(resolution, *sides, dataset.buckets, dataset.bucket_upscale)


def _facts(image: Path, problems: list[Problem]) -> ImageFacts | None:
    try:
        return read_facts(image)
    except UnreadableImage as error:
        problems.append(Problem("unreadable-image", image, error.message, error.remedy))
        return None


def _caption(profile: Profile, library: Library, position: int, problems: list[Problem]) -> str:
    """The caption's lines as they stand, without blank ones; empty, and a problem, where there is none."""
    try:
        caption = library.read_caption(position)
    except CaptionError as error:
        problems.append(Problem("bad-caption", library.caption_path(position), error.message, error.remedy))
        return ""
    text = "\n".join(stripped for line in caption.text.splitlines() if (stripped := line.strip()))
    if text:
        return text
    remedy = 'Write one, or set captions.on_missing = "empty"'
    if caption.raw is None:
        names = " or ".join(label(naming) for naming in namings_for(profile.captions.extension))
        problems.append(Problem("missing-caption", library[position].path, f"no caption file ({names})", remedy))
    else:
        problems.append(Problem("empty-caption", caption.path, "the caption file is empty", remedy))
    return ""


def _refusal(problems: tuple[Problem, ...]) -> UserError:
    kinds = Counter(problem.kind for problem in problems)
    shown = [f"  {problem}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        rest = ", ".join(f"{count} {kind.replace('-', ' ')}" for kind, count in kinds.items())
        shown.append(f"  … {len(problems) - _SHOWN} more (in all: {rest})")
    remedy = 'Mend them, or set dataset.on_unreadable = "skip"' if "unreadable-image" in kinds else ""
    return UserError("the dataset cannot be trained as it is:\n" + "\n".join(shown), remedy=remedy)


def _digest(samples: list[Sample]) -> str:
    """SHA-256 over what training sees of each sample short of its pixels: name, size, caption, repeats, bucket."""
    state = hashlib.sha256()
    for sample in samples:
        facts = sample.facts
        parts = (sample.path.name, facts.width, facts.height, sample.caption, sample.repeats, *sample.bucket)
        state.update("\0".join(map(str, parts)).encode("utf-8", "surrogateescape") + b"\n")
    return state.hexdigest()
