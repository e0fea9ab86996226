"""Aspect buckets: the few sizes images are trained at, and how an image is scaled and cropped into one.

Three rules choose a bucket: the nearest shape (log), kohya sd-scripts' choice (compat), and always the square (none). The
first two also do without enlarging: no list then, but the size that suits the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from sdtui.errors import UserError

Rule = Literal["log", "compat", "none"]

TOLERATED = 1.02
"""What is enlarged up to so many times counts as not enlarged: a missing pixel shall not cost a whole step."""


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

    @property
    def spare(self) -> tuple[int, int]:
        """How many pixels stand out of the crop, across and down."""
        left, top, right, bottom = self.crop
        return self.resize[0] - (right - left), self.resize[1] - (bottom - top)


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


@dataclass(frozen=True)
class Bucketing:
    """How images of any size are brought to a few sizes.

    Args:
        resolution: buckets have at most resolution² pixels.
        step: their sides are multiples of it, px.
        minimum: their shortest side, px; no matter unless `upscale`.
        maximum: their longest side, px.
        rule: how one is chosen.
        upscale: whether small images are enlarged to a bucket of the list.
    """

    resolution: int
    step: int = 64
    minimum: int = 256
    maximum: int = 1024
    rule: Rule = "log"
    upscale: bool = True

    def place(self, width: int, height: int) -> Placed:
        """The bucket of an image of this size, px, and what it is scaled to before it is cropped.

        Raises:
            UserError: there is no bucket at all, as `make_buckets` says.
        """
        return _place(self, width, height)

    @property
    def sizes(self) -> tuple[Bucket, ...]:
        """The buckets, where small images are enlarged to them."""
        if self.rule == "none":
            side = self.resolution // self.step * self.step
            return (Bucket(side, side),)
        return make_buckets(self.resolution, self.step, self.minimum, self.maximum)


class Placed(NamedTuple):
    """A bucket, and the size an image is scaled to from which the bucket is cropped."""

    bucket: Bucket
    scaled: tuple[int, int]


# Images of one camera have one size, and each is placed at every resolution.
@lru_cache(maxsize=1 << 16)
def _place(bucketing: Bucketing, width: int, height: int) -> Placed:
    if bucketing.rule == "compat" and not bucketing.upscale:
        return place_without_enlarging_as_kohya(width, height, bucketing.resolution, bucketing.step)
    if bucketing.rule == "log" and not bucketing.upscale:
        bucket = choose_own_bucket(width, height, bucketing.resolution, bucketing.step, bucketing.maximum)
    else:
        choose = choose_bucket_as_kohya if bucketing.rule == "compat" else choose_bucket
        bucket = choose(width, height, bucketing.sizes)
    return Placed(bucket, cover(width, height, bucket))


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


def choose_bucket_as_kohya(width: int, height: int, buckets: tuple[Bucket, ...]) -> Bucket:
    """The bucket of least |w/h difference|, the first of the sorted list where two are equally far."""
    if (exact := Bucket(width, height)) in buckets:
        return exact
    aspect = width / height
    return min(buckets, key=lambda bucket: abs(bucket.width / bucket.height - aspect))


def choose_own_bucket(width: int, height: int, resolution: int, step: int, maximum: int) -> Bucket:
    """The bucket of an image that is not to be enlarged: of all sizes it covers, the one in which it keeps most.

    Sizes are multiples of `step` up to `maximum` and resolution² pixels that enlarge the image by 2 % at most. What it
    keeps is (share that is not cropped)² × √(w·h): cropping a tenth of it is as bad as shrinking its sides by a fifth. So
    513×511 becomes 512×512, and 300×300 as a whole 256×256, where cropping without scaling cuts off 12 % and 27 %; on
    random sizes less is cropped and more pixels are used than by kohya's rule. Turned images get the turned bucket. There
    is no shortest side, except that an image with a side shorter than one step is enlarged to it: nothing smaller can be
    trained.
    """
    widest, highest = (max(step, min(maximum, int(side * TOLERATED)) // step * step) for side in (width, height))
    area, whole = resolution * resolution, width * height
    best = (0.0, 0, 0, 0, 0)
    for across in range(step, widest + 1, step):
        top = max(step, min(highest, area // across // step * step))
        # The best height for a width is beside that of the image's own shape: the further away, the more is cropped.
        near = across * height // width // step * step
        for down in (min(top, max(step, near)), min(top, near + step)):
            scale = max(across / width, down / height)
            pixels = across * down
            share = pixels / (scale * scale * whole)
            along = across if width >= height else down
            best = max(best, (share * share * math.sqrt(pixels), pixels, along, across, down))
    return Bucket(*best[-2:])


def place_without_enlarging_as_kohya(width: int, height: int, resolution: int, step: int) -> Placed:
    """The `bucket_no_upscale` of kohya's scripts: scale down to resolution² pixels at most, then crop both sides to multiples of `step`.

    It knows no shortest and longest side. Where an image is so small or narrow that a side of its bucket would be 0, on
    which kohya's scripts fail, that side is one step, and the image is enlarged to it.
    """
    area, aspect = resolution * resolution, width / height
    scaled = (width, height)
    if width * height > area:
        ideal = math.sqrt(area * aspect)
        across = _down(ideal, step)
        down = _down(area / ideal, step)
        by_width = (across, _down(across / aspect, step))
        by_height = (_down(down * aspect, step), down)
        if _far(by_width, aspect) < _far(by_height, aspect):
            scaled = (across, int(across / aspect + 0.5))
        else:
            scaled = (int(down * aspect + 0.5), down)
    bucket = Bucket(max(step, scaled[0] // step * step), max(step, scaled[1] // step * step))
    fits = bucket.width <= scaled[0] and bucket.height <= scaled[1]
    return Placed(bucket, scaled if fits else cover(width, height, bucket))


def _down(side: float, step: int) -> int:
    return int(side + 0.5) // step * step


def _far(size: tuple[int, int], aspect: float) -> float:
    return abs(size[0] / size[1] - aspect) if size[1] else math.inf


def enlargement(width: int, height: int, bucket: Bucket) -> float:
    """How much an image's sides grow to cover the bucket; below 1 they shrink."""
    return max(bucket.width / width, bucket.height / height)


def cover(width: int, height: int, bucket: Bucket) -> tuple[int, int]:
    """The smallest size that covers the bucket with the aspect kept, px; nothing is ever stretched."""
    if width * bucket.height > height * bucket.width:
        return int(width * bucket.height / height + 0.5), bucket.height
    return bucket.width, int(height * bucket.width / width + 0.5)


def fit(width: int, height: int, bucket: Bucket, scaled: tuple[int, int] | None = None) -> Fit:
    """How an image becomes its bucket: scaled, then its centre cropped out.

    Args:
        width: of the image, px.
        height: of the image, px.
        bucket: which it becomes.
        scaled: what the image is scaled to, px, at least the bucket; None: just so that it covers the bucket.
    """
    resize = scaled or cover(width, height, bucket)
    left, top = (resize[0] - bucket.width) // 2, (resize[1] - bucket.height) // 2
    return Fit(resize, (left, top, left + bucket.width, top + bucket.height))
