"""Amounts as people read them."""

from __future__ import annotations

import pytest

from sdtui.amounts import bytes_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (19_000_000, "18.1 MiB"),
        (104_805_171, "99.9 MiB"),
        (104_856_000, "100 MiB"),
        (141 * 2**20, "141 MiB"),
        (1023 * 2**20, "1023 MiB"),
        (2**30 - 1, "1.0 GiB"),
        (18.2 * 2**30, "18.2 GiB"),
        (2**41, "2.0 TiB"),
        (5000 * 2**40, "5000 TiB"),
    ],
)
def test_bytes(count: float, text: str) -> None:
    assert bytes_text(count) == text
