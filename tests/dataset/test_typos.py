"""Which tag was likely meant."""

from __future__ import annotations

import pytest

from sdtui.dataset.complete import OwnTags
from sdtui.dataset.typos import likely_meant

OWN = OwnTags(
    [("gargoyle", 58), ("2girls", 40), ("1girl", 30), ("night", 20), ("long hair", 9), ("gargoyl", 1), ("long_hair", 1)]
)


@pytest.mark.parametrize(
    ("tag", "count", "meant"),
    [
        ("gargoyl", 1, "gargoyle"),
        ("gragoyle", 2, "gargoyle"),
        ("gargoyl", 3, ""),
        ("gargoyle", 1, ""),
        ("light", 1, "night"),
        ("lgiht", 1, ""),
        ("3girls", 1, ""),
        ("1girls", 1, "1girl"),
        ("sky", 1, ""),
        ("lnog hair", 1, "long hair"),
        ("long hiar", 2, "long hair"),
        ("long_hair", 1, ""),
        ("nights", 2, "night"),
        ("nonsense", 1, ""),
    ],
)
def test_rare_tags_near_frequent_ones(tag: str, count: int, meant: str) -> None:
    assert likely_meant(tag, count, OWN, lambda _tag: False) == meant


def test_what_a_list_knows_is_no_slip() -> None:
    assert likely_meant("light", 1, OWN, lambda tag: tag == "light") == ""


def test_the_nearest_then_the_most_frequent() -> None:
    own = OwnTags([("castle wall", 50), ("castle walk", 40), ("castle hall", 90)])
    assert likely_meant("castle wal", 1, own, lambda _tag: False) == "castle wall"
