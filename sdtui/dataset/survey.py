"""A collection in the figures that a plan is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sdtui.dataset.buckets import enlargement
from sdtui.dataset.collect import Collection, Sample
from sdtui.dataset.regularization import shares
from sdtui.profile.plan import ENLARGED, Survey


def survey(collection: Collection) -> Survey:
    """Images by what they are for, samples of an epoch (repeats counted) by bucket, and what has to be encoded."""
    samples, training = collection.samples, collection.training
    taught, kept = _by_bucket(training), _by_bucket(collection.regularization)
    buckets = taught + Counter(shares(taught.total(), kept))
    factors = _most_enlarged(training)
    masked = [sample for sample in samples if sample.mask]
    with_masks = {sample.row for sample in masked}
    return Survey(
        _files(training),
        buckets.total(),
        dict(sorted(buckets.items())),
        tuple(str(problem) for problem in collection.problems),
        pixels=sum(sample.bucket.width * sample.bucket.height for sample in samples),
        encoded=len(samples),
        captions=len({sample.caption for sample in samples}) if collection.settled else 0,
        enlarged=len(factors),
        largest=max(factors, default=1.0),
        regularization=_files(collection.regularization),
        held_out=_files(collection.held_out),
        masks=_files(masked),
        unmasked=_files(sample for sample in samples if sample.row in with_masks and not sample.mask),
        layouts=tuple(map(str, collection.layouts)),
    )


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
