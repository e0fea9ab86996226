"""Aspect buckets: the few sizes images are trained at, and how an image is scaled and cropped into one."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from sdtui.errors import UserError


class Bucket(NamedTuple):
    """A training size in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


class Fit(NamedTuple):
    """Scale the image to `resize` (width, height), then keep `crop` (left, top, right, bottom), both in pixels."""

    resize: tuple[int, int]
    crop: tuple[int, int, int, int]

    @property
    def lost(self) -> float:
        """Share of the scaled image's area that the crop cuts away, 0…1."""
        left, top, right, bottom = self.crop
        return 1 - (right - left) * (bottom - top) / (self.resize[0] * self.resize[1])


@cache
def make_buckets(resolution: int, step: int, minimum: int, maximum: int) -> tuple[Bucket, ...]:
    """All sizes of at most resolution² pixels whose sides are multiples of `step` (kohya's list).

    `minimum` is rounded down and `maximum` up to a multiple of `step`.

    Raises:
        UserError: `resolution` does not lie between `minimum` and `maximum`, or no size fits.
    """
    if not minimum <= resolution <= maximum:
        raise UserError(
            f"resolution {resolution} must lie between the bucket sides {minimum} and {maximum}",
            where="dataset.resolution",
            remedy="Change it, or dataset.bucket_min and dataset.bucket_max",
        )
    low, high = minimum // step * step, math.ceil(maximum / step) * step
    area = resolution * resolution
    square = resolution // step * step
    if not square:
        raise UserError(
            f"resolution {resolution} is smaller than one bucket step of {step}",
            where="dataset.resolution",
            remedy="Choose a smaller dataset.bucket_step",
        )
    sizes = {Bucket(square, square)}
    for width in range(max(low, step), high + 1, step):
        height = min(high, area // width // step * step)
        if height >= max(low, step):
            sizes |= {Bucket(width, height), Bucket(height, width)}
    return tuple(sorted(sizes))


def choose_bucket(width: int, height: int, buckets: tuple[Bucket, ...]) -> Bucket:
    """The bucket of the nearest shape: least |log aspect difference|, so that turned images get the turned bucket.

    kohya compares w/h itself, which treats 5.7 % of images differently from their mirror at 512; log never crops more.
    An image that has exactly a bucket's size takes it; ties go to the larger area, then to the image's orientation.
    """
    if (exact := Bucket(width, height)) in buckets:
        return exact
    aspect = math.log(width / height)

    def distance(bucket: Bucket) -> tuple[float, int, int]:
        # Rounded, so that two shapes equally far away tie whatever the last bit of the logarithm says.
        off = round(abs(math.log(bucket.width / bucket.height) - aspect), 12)
        return off, -bucket.width * bucket.height, -bucket.width if width >= height else -bucket.height

    return min(buckets, key=distance)


def fit(width: int, height: int, bucket: Bucket) -> Fit:
    """Scale to cover the bucket with the aspect kept, then crop the centre; nothing is ever stretched."""
    if width * bucket.height > height * bucket.width:
        resize = (int(width * bucket.height / height + 0.5), bucket.height)
    else:
        resize = (bucket.width, int(height * bucket.width / width + 0.5))
    left, top = (resize[0] - bucket.width) // 2, (resize[1] - bucket.height) // 2
    return Fit(resize, (left, top, left + bucket.width, top + bucket.height))
