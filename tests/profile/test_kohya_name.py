from __future__ import annotations

import pytest

from sdtui.profile.kohya_name import kohya_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20_exterior city", (20, "exterior city")),
        ("010_cat", (10, "cat")),
        ("5_sks_dog", (5, "sks_dog")),
        ("3_", (3, "")),
        ("0_cat", None),
        ("-2_cat", None),
        ("20", None),
        ("cat_20", None),
        ("2.5_cat", None),
        ("²_cat", None),
    ],
)
def test_names(name: str, expected: tuple[int, str] | None) -> None:
    assert kohya_name(name) == expected
