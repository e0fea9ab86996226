from __future__ import annotations

import pytest

from sdtui.dataset.buckets import Bucket, choose_bucket, fit, make_buckets
from sdtui.errors import UserError


def both_ways(*sizes: tuple[int, int]) -> set[tuple[int, int]]:
    return set(sizes) | {(height, width) for width, height in sizes}


GOLDEN = [
    (
        (512, 64, 256, 1024),
        17,
        both_ways(
            (256, 832), (256, 896), (256, 960), (256, 1024), (320, 704), (320, 768), (384, 640), (448, 576), (512, 512)
        ),
    ),
    (
        (768, 64, 256, 1024),
        19,
        both_ways(
            *((side, 1024) for side in (256, 320, 384, 448, 512)),
            (576, 960),
            (576, 1024),
            (640, 896),
            (704, 832),
            (768, 768),
        ),
    ),
    (
        (1024, 64, 256, 2048),
        41,
        both_ways(
            *((side, 2048) for side in (256, 320, 384, 448)),
            *((512, side) for side in (1856, 1920, 1984, 2048)),
            *((576, side) for side in (1664, 1728, 1792)),
            *((640, side) for side in (1536, 1600)),
            *((704, side) for side in (1408, 1472)),
            *((768, side) for side in (1280, 1344)),
            (832, 1216),
            (896, 1152),
            (960, 1088),
            (1024, 1024),
        ),
    ),
    ((512, 64, 320, 768), 9, both_ways((320, 704), (320, 768), (384, 640), (448, 576), (512, 512))),
]


@pytest.mark.parametrize(("arguments", "count", "expected"), GOLDEN)
def test_lists_are_kohyas(arguments: tuple[int, int, int, int], count: int, expected: set[tuple[int, int]]) -> None:
    buckets = make_buckets(*arguments)
    assert len(buckets) == count
    assert set(buckets) == expected
    assert list(buckets) == sorted(buckets)


@pytest.mark.parametrize(
    ("image", "bucket", "resized"),
    [
        ((512, 512), (512, 512), (512, 512)),
        ((640, 480), (576, 448), (597, 448)),
        ((1920, 1080), (640, 384), (683, 384)),
        ((1080, 1920), (384, 640), (384, 683)),
        ((300, 300), (512, 512), (512, 512)),
        ((100, 900), (256, 1024), (256, 2304)),
        ((4000, 500), (1024, 256), (2048, 256)),
        ((513, 511), (512, 512), (514, 512)),
        ((1000, 1500), (384, 640), (427, 640)),
        ((333, 777), (320, 768), (329, 768)),
    ],
)
def test_images_go_where_kohya_puts_them(
    image: tuple[int, int], bucket: tuple[int, int], resized: tuple[int, int]
) -> None:
    chosen = choose_bucket(*image, make_buckets(512, 64, 256, 1024))
    assert chosen == bucket
    assert fit(*image, chosen).resize == resized


def test_a_turned_image_gets_the_turned_bucket() -> None:
    buckets = make_buckets(512, 64, 256, 1024)
    for width in range(300, 1300, 7):
        for height in (400, 517, 700, 933):
            chosen = choose_bucket(width, height, buckets)
            turned = choose_bucket(height, width, buckets)
            assert (chosen.width, chosen.height) == (turned.height, turned.width) or width == height


def test_an_exact_size_takes_its_bucket_even_beside_a_larger_one_of_the_same_shape() -> None:
    buckets = (Bucket(256, 256), Bucket(512, 512))
    assert choose_bucket(256, 256, buckets) == (256, 256)
    assert choose_bucket(300, 300, buckets) == (512, 512)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 900), (4000, 500), (513, 511), (1, 1), (7, 5000)])
def test_fit_covers_the_bucket_and_crops_its_centre(size: tuple[int, int]) -> None:
    bucket = choose_bucket(*size, make_buckets(512, 64, 256, 1024))
    (width, height), (left, top, right, bottom) = fit(*size, bucket)
    assert (right - left, bottom - top) == bucket
    assert min(left, top) == 0
    assert abs((width - right) - left) <= 1
    assert abs((height - bottom) - top) <= 1
    # Both sides are scaled by the same factor, up to rounding to a whole pixel.
    assert abs(width / size[0] - height / size[1]) <= 1 / min(size)


def test_lost_is_the_share_of_the_area_cropped_away() -> None:
    assert fit(4000, 500, Bucket(1024, 256)).lost == 0.5
    assert fit(512, 512, Bucket(512, 512)).lost == 0


def test_limits_are_rounded_to_the_step() -> None:
    assert make_buckets(512, 64, 300, 1000) == make_buckets(512, 64, 256, 1024)


@pytest.mark.parametrize("arguments", [(128, 64, 256, 1024), (2048, 64, 256, 1024), (32, 64, 0, 1024)])
def test_a_resolution_without_buckets_is_refused(arguments: tuple[int, int, int, int]) -> None:
    with pytest.raises(UserError, match="resolution"):
        make_buckets(*arguments)


def test_a_bucket_prints_as_people_write_it() -> None:
    assert str(Bucket(640, 384)) == "640×384"
