from __future__ import annotations

import random

import pytest

from sdtui.dataset.buckets import TOLERATED, Bucket, Bucketing, choose_bucket, enlargement, fit, make_buckets
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


Size = tuple[int, int]


# Bucket and scaled size from kohya sd-scripts itself, 512² with sides 256 to 1024 in steps of 64: enlarging, and not.
KOHYAS: list[tuple[Size, tuple[Size, Size], tuple[Size, Size]]] = [
    ((512, 512), ((512, 512), (512, 512)), ((512, 512), (512, 512))),
    ((640, 480), ((576, 448), (597, 448)), ((512, 384), (512, 384))),
    ((1920, 1080), ((640, 384), (683, 384)), ((640, 384), (683, 384))),
    ((1080, 1920), ((384, 640), (384, 683)), ((384, 640), (384, 683))),
    ((300, 300), ((512, 512), (512, 512)), ((256, 256), (300, 300))),
    ((100, 900), ((256, 1024), (256, 2304)), ((64, 896), (100, 900))),
    ((4000, 500), ((1024, 256), (2048, 256)), ((1024, 128), (1024, 128))),
    ((513, 511), ((512, 512), (514, 512)), ((512, 448), (513, 511))),
    ((1000, 1500), ((384, 640), (427, 640)), ((384, 576), (384, 576))),
    ((333, 777), ((320, 768), (329, 768)), ((320, 768), (333, 777))),
]


@pytest.mark.parametrize(("image", "enlarging", "not_enlarging"), KOHYAS)
def test_compat_is_what_kohyas_scripts_do(
    image: Size, enlarging: tuple[Size, Size], not_enlarging: tuple[Size, Size]
) -> None:
    assert Bucketing(512, rule="compat").place(*image) == enlarging
    assert Bucketing(512, rule="compat", upscale=False).place(*image) == not_enlarging


@pytest.mark.parametrize(("image", "enlarging"), [(image, enlarging) for image, enlarging, _ in KOHYAS])
def test_the_nearest_shape_is_kohyas_too_for_most_images(image: Size, enlarging: tuple[Size, Size]) -> None:
    assert Bucketing(512).place(*image) == enlarging


def test_kohyas_choice_treats_a_turned_image_otherwise_and_ours_does_not() -> None:
    compat, log = Bucketing(512, rule="compat"), Bucketing(512)
    assert (compat.place(500, 343).bucket, compat.place(343, 500).bucket) == ((576, 448), (384, 640))
    assert (log.place(500, 343).bucket, log.place(343, 500).bucket) == ((576, 448), (448, 576))


def test_an_image_too_small_for_kohyas_rule_gets_one_step() -> None:
    assert Bucketing(512, rule="compat", upscale=False).place(300, 40) == ((256, 64), (480, 64))


@pytest.mark.parametrize(
    ("image", "bucket", "scaled"),
    [
        ((513, 511), (512, 512), (514, 512)),
        ((511, 513), (512, 512), (512, 514)),
        ((300, 300), (256, 256), (256, 256)),
        ((340, 300), (320, 256), (320, 282)),
        ((314, 314), (320, 320), (320, 320)),
        ((313, 313), (256, 256), (256, 256)),
        ((100, 900), (64, 576), (64, 576)),
        ((4000, 500), (1024, 128), (1024, 128)),
        ((640, 480), (576, 448), (597, 448)),
        ((1000, 1500), (384, 576), (384, 576)),
        ((6000, 4000), (576, 384), (576, 384)),
        ((20, 20), (64, 64), (64, 64)),
        ((3000, 50), (1024, 64), (3840, 64)),
    ],
)
def test_without_enlarging_an_image_gets_the_size_in_which_it_keeps_most(
    image: Size, bucket: Size, scaled: Size
) -> None:
    assert Bucketing(512, upscale=False).place(*image) == (bucket, scaled)


@pytest.mark.parametrize(("resolution", "longest"), [(512, 1024), (1024, 2048)])
@pytest.mark.parametrize(("low", "high"), [(64, 1024), (128, 2048), (600, 4000)])
def test_without_enlarging_less_is_cropped_and_more_pixels_are_used_than_by_kohyas_rule(
    resolution: int, longest: int, low: int, high: int
) -> None:
    ours = Bucketing(resolution, maximum=longest, upscale=False)
    kohyas = Bucketing(resolution, maximum=longest, rule="compat", upscale=False)
    lost = {ours: 0.0, kohyas: 0.0}
    pixels = {ours: 0, kohyas: 0}
    numbers = random.Random(7)
    # 20 000 sizes in all.
    for _ in range(3334):
        size = numbers.randint(low, high), numbers.randint(low, high)
        for bucketing in (ours, kohyas):
            bucket, scaled = bucketing.place(*size)
            lost[bucketing] += fit(*size, bucket, scaled=scaled).lost
            pixels[bucketing] += bucket.width * bucket.height
        bucket = ours.place(*size).bucket
        assert enlargement(*size, bucket) <= TOLERATED
        assert ours.place(*reversed(size)).bucket == (bucket.height, bucket.width)
        assert bucket.width * bucket.height <= resolution**2
        assert max(bucket) <= longest
        assert bucket.width % 64 == bucket.height % 64 == 0
    assert lost[ours] < lost[kohyas]
    assert pixels[ours] > pixels[kohyas]


@pytest.mark.parametrize("upscale", [True, False])
@pytest.mark.parametrize("size", [(640, 480), (30, 900), (512, 512)])
def test_without_buckets_every_image_is_cropped_to_the_square(size: Size, upscale: bool) -> None:
    assert Bucketing(512, rule="none", upscale=upscale).place(*size).bucket == (512, 512)


def test_the_list_is_that_of_the_rule() -> None:
    assert Bucketing(512).sizes == make_buckets(512, 64, 256, 1024)
    assert Bucketing(512, rule="none").sizes == ((512, 512),)


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


def test_both_sides_may_stand_out() -> None:
    whole = fit(300, 310, Bucket(256, 256), scaled=(300, 310))
    assert whole == ((300, 310), (22, 27, 278, 283))
    assert whole.spare == (44, 54)
    assert whole.lost == pytest.approx(1 - 65_536 / 93_000)


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
