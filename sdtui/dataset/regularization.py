"""How many regularisation images an epoch sees, bucket by bucket: as many as training images, the same in every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Size = TypeVar("Size", bound=tuple[int, int])


def shares(training: int, found: Mapping[Size, int]) -> dict[Size, int]:
    """Regularisation samples of one epoch by bucket: `training` in all, in the proportions of what was `found`.

    Fixed for each bucket, so that every epoch has the same number of batches, which plan and trainer both count on.
    Each bucket gets at least one, so that in time every image is seen; more buckets than `training` make as many.

    Args:
        training: training samples of an epoch, repeats counted.
        found: (width, height) in px → regularisation samples, repeats counted, all above 0.
    """
    if not found:
        return {}
    total = sum(found.values())
    given = {size: max(1, training * count // total) for size, count in sorted(found.items())}

    def surplus(size: Size) -> int:
        return given[size] * total - training * found[size]

    for _ in range(training - sum(given.values())):
        given[min(given, key=surplus)] += 1
    for _ in range(sum(given.values()) - max(training, len(given))):
        given[max((size for size in given if given[size] > 1), key=surplus)] -= 1
    return given
