from __future__ import annotations

import os

from sdtui.dataset.names import natural_key, printable


def test_numbers_sort_by_value() -> None:
    names = ["img10", "img2", "img1", "IMG3", "imga", "img 1", "img01", "img100b", "b", "10", "9"]
    assert sorted(names, key=natural_key) == [
        "9", "10", "b", "img 1", "img01", "img1", "img2", "IMG3", "img10", "img100b", "imga",
    ]  # fmt: skip


def test_names_that_differ_only_in_case_have_one_order() -> None:
    assert sorted(["a.png", "A.png"], key=natural_key) == sorted(["A.png", "a.png"], key=natural_key)


def test_undecodable_bytes_can_be_printed() -> None:
    name = os.fsdecode(b"caf\xe9.png")
    assert printable(name) == "caf\\xe9.png"
    assert printable("café.png") == "café.png"


def test_text_cannot_command_the_terminal() -> None:
    assert printable("a\nb\t\x1b[31m\x9b\u202e\ud800") == "a\\nb\\t\\x1b[31m\\x9b\\u202e\\ud800"
    assert printable("שלום 👩‍🚀") == "שלום 👩‍🚀"
