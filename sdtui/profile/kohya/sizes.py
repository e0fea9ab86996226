"""kohya's `resolution`, a side or width,height, as the one side that a profile has."""

from __future__ import annotations

import math
from typing import NamedTuple

from sdtui.profile.kohya.draft import Draft
from sdtui.profile.kohya.source import Subset

_STEP = 8


class Size(NamedTuple):
    """A resolution as kohya reads it, px."""

    width: int
    height: int

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


DEFAULT = Size(512, 512)
"""Of a profile that says nothing."""


def size_of(draft: Draft, subset: Subset | None) -> Size | None:
    """The resolution of a subset's dataset; None where the file says nothing."""
    text: str = draft.source.value("resolution", subset) or ""
    sides = [int(float(part)) for part in text.split(",") if part.strip()]
    return Size(sides[0], sides[-1]) if sides else None


def side_with_buckets(draft: Draft, size: Size, step: int, shortest: int, longest: int) -> int:
    """The side whose square makes the buckets that `size` makes in kohya, where only its area counts.

    Args:
        draft: is told where there is no such side.
        size: as kohya reads it.
        step: of the buckets' sides, px.
        shortest: of them.
        longest: of them.
    """
    area = size.area
    if size.width == size.height:
        return size.width
    below = math.isqrt(area)
    # First the side above: with the one below, the buckets that fill the area are gone, such as `size` itself.
    sides = (below + 1, below) if below * below < area else (below,)
    wanted, *found = [_buckets(each, step, shortest, longest) for each in (area, *(side * side for side in sides))]
    side, lost = min(zip(sides, (len(wanted - made) for made in found), strict=True), key=lambda pair: pair[1])
    if lost:
        draft.warnings.append(
            f"resolution {size}: dataset.resolution = {side} comes nearest and lacks {lost} of kohya's {len(wanted)} shapes "
            "of buckets"
        )
    return side


def side_without_enlarging(draft: Draft, size: Size) -> int:
    """The side whose square is nearest in area: without a list of buckets, kohya's sizes follow from the area alone."""
    area = size.area
    side = round(math.sqrt(area))
    if side * side != area:
        draft.warnings.append(
            f"resolution {size} with bucket_no_upscale: dataset.resolution = {side} has {side * side} pixels for {area}, "
            "so that a few images get a size one bucket_step apart"
        )
    return side


def _buckets(area: int, step: int, shortest: int, longest: int) -> set[tuple[int, int]]:
    """Buckets of so many pixels, the upright of each two, as kohya's `make_bucket_resolutions` has them."""
    low, high = shortest // step * step, math.ceil(longest / step) * step
    square = math.isqrt(area) // step * step
    sizes = {(square, square)}
    for width in range(max(low, step), high + 1, step):
        height = min(high, area // width // step * step)
        if height >= max(low, step):
            sizes.add((min(width, height), max(width, height)))
    return sizes


def side_without_buckets(draft: Draft, size: Size) -> int:
    """The side of the square that stands in for `size`, to which kohya crops every image where there are no buckets."""
    if size.width == size.height:
        # The VAE drops what is left of its 8 pixels.
        side = max(size.width // _STEP, 1) * _STEP
        if side != size.width:
            draft.warnings.append(
                f"resolution {size.width}: sides are multiples of 8 here, as they are to the VAE: {side}"
            )
        return side
    side = max(round(math.sqrt(size.area) / _STEP), 1) * _STEP
    share = side * side / size.area - 1
    pixels = f"{abs(share):.1%} {'more' if share > 0 else 'fewer'} pixels".replace("%", " %")
    draft.warnings.append(
        f"resolution {size} without enable_bucket: kohya crops every image to that shape, here each is cropped to a "
        f'square, {side}×{side} ({pixels}); dataset.buckets = "compat" keeps the shape of each image'
    )
    return side
