"""A collection in the figures that a plan is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from sdtui.dataset.buckets import enlargement
from sdtui.dataset.collect import Collection, Sample
from sdtui.dataset.names import printable
from sdtui.dataset.regularization import shares
from sdtui.dataset.variants import ways_of
from sdtui.profile.schema import Profile
from sdtui.profile.surveyed import ENLARGED, FolderPlan, Survey


def survey(profile: Profile, collection: Collection) -> Survey:
    """Images by what they are for, samples of an epoch (repeats counted) by bucket, and what has to be encoded."""
    samples, training = collection.samples, collection.training
    ways = [(sample, ways_of(profile, sample)) for sample in samples]
    buckets = epoch_buckets(training, collection.regularization)
    factors = _most_enlarged(training)
    return Survey(
        _files(training),
        buckets.total(),
        dict(sorted(buckets.items())),
        tuple(str(problem) for problem in collection.problems),
        pixels=sum(count * sample.bucket.width * sample.bucket.height for sample, count in ways),
        encoded=sum(count for _, count in ways),
        captions=len({sample.caption for sample in samples}) if collection.settled else 0,
        enlarged=len(factors),
        largest=max(factors, default=1.0),
        regularization=_files(collection.regularization),
        held_out=_files(collection.held_out),
        folders=tuple(folder_plans(collection)),
        generated=len(collection.missing),
    )


def epoch_buckets(taught: Iterable[Sample], kept: Iterable[Sample]) -> Counter[tuple[int, int]]:
    """Samples of one epoch by the size of their bucket, px: all that teach, and as many that are to be kept."""
    counts = _by_bucket(taught)
    return counts + Counter(shares(counts.total(), _by_bucket(kept)))


def folder_plans(collection: Collection) -> Iterator[FolderPlan]:
    """Each folder of images, those of kohya's layout one by one."""
    by_folder: dict[tuple[int, str], list[Sample]] = {}
    for sample in collection.samples:
        by_folder.setdefault((sample.row, sample.folder), []).append(sample)
    for layout in collection.layouts:
        for part in layout.parts:
            samples = by_folder.get((layout.row, part.folder), [])
            if not samples and layout.kind == "flat" and len(layout.parts) > 1:
                continue  # of a folder of class images, its own part or that of those that are drawn
            yield FolderPlan(
                part.folder,
                layout.kind,
                _files(samples),
                part.repeats,
                part.class_tokens,
                regularization=any(sample.role == "regularization" for sample in samples),
                held_out=_files(sample for sample in samples if sample.role == "validation"),
                masks=_files(sample for sample in samples if sample.mask),
                transparent=_files(sample for sample in samples if sample.alpha_mask),
                note=layout.note,
            )


def folder_line(folder: FolderPlan) -> str:
    """A folder in a line: its name, layout and images, and what becomes of them."""
    images = "1 image" if folder.images == 1 else f"{folder.images} images"
    told = [f"{printable(Path(folder.path).name)}: {folder.layout}, {images} × {folder.repeats}"]
    if folder.regularization:
        told.append("for regularisation")
    if folder.held_out:
        told.append(f"{folder.held_out} held out")
    if folder.masks:
        told.append(f"{folder.masks} with a mask")
    if folder.transparent:
        told.append(f"{folder.transparent} masked by transparency")
    if folder.class_tokens:
        told.append(f'"{printable(folder.class_tokens)}" where a caption is missing')
    return ", ".join([*told, *filter(None, [folder.note])])


def _files(samples: Iterable[Sample]) -> int:
    """How many images these are, each counted once however many resolutions it has."""
    return len({(sample.row, sample.path) for sample in samples})


def _by_bucket(samples: Iterable[Sample]) -> Counter[tuple[int, int]]:
    """How many samples of one epoch each bucket has, repeats counted."""
    counts: Counter[tuple[int, int]] = Counter()
    for sample in samples:
        counts[sample.bucket.width, sample.bucket.height] += sample.repeats
    return counts


def _most_enlarged(samples: Iterable[Sample]) -> list[float]:
    """How much each image that is enlarged too much is enlarged, where it is most."""
    most: dict[tuple[int, object], float] = {}
    for sample in samples:
        key = sample.row, sample.path
        most[key] = max(most.get(key, 0.0), enlargement(sample.facts.width, sample.facts.height, sample.bucket))
    return [factor for factor in most.values() if factor > ENLARGED]
