from __future__ import annotations

import pytest
from textual.content import Content

from sdtui.tui.literal import clean, fit, home_path, literal, shorten, shorten_path
from tests.tui.hostile import HOSTILE


@pytest.mark.parametrize(("text", "expected"), HOSTILE.items())
def test_a_terminal_is_never_told_anything(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize("text", HOSTILE)
def test_literal_is_one_span_over_the_whole_text(text: str) -> None:
    content = literal(text, "$accent")
    assert content.plain == clean(text)
    assert [(span.start, span.end, span.style) for span in content.spans] == [(0, len(content.plain), "$accent")]


def test_ascii_spells_out_every_other_letter() -> None:
    assert clean("café 城 👩", ascii_only=True) == r"caf\xe9 \u57ce \U0001f469"


def test_lines_are_kept_only_where_asked() -> None:
    assert clean("one\ntwo\x07") == r"one\ntwo\x07"
    assert clean("one\ntwo\x07", lines=True) == "one\ntwo\\x07"


def test_shorten_keeps_both_ends_within_the_cells() -> None:
    assert shorten("a/very/long/path/to/image.png", 15) == "a/very/…age.png"
    assert shorten("short", 15) == "short"
    assert shorten("anything", 1) == "…"
    assert Content(shorten("城市城市城市城市", 9)).cell_length <= 9


@pytest.mark.parametrize(
    ("path", "width", "expected"),
    [
        ("10_sks city/IMG_2024_003.jpg", 28, "10_sks city/IMG_2024_003.jpg"),
        ("10_sks city/IMG_2024_003.jpg", 24, "10_…ity/IMG_2024_003.jpg"),
        # The folder first, then the name.
        ("10_sks city/IMG_2024_003.jpg", 20, "10…ty/IMG_20…003.jpg"),
        ("harbour/a.png", 11, "ha…ur/a.png"),
        ("old/canal_002.jpg", 12, "old/c…02.jpg"),
        ("canal_002.jpg", 9, "cana….jpg"),
        ("harbour/canal_002.jpg", 8, "har….jpg"),
        ("城市城市/城市.png", 14, "城…市/城市.png"),
    ],
)
def test_of_a_path_the_folder_is_cut_before_the_name(path: str, width: int, expected: str) -> None:
    assert shorten_path(path, width) == expected


def test_fit_is_exactly_as_wide_as_asked() -> None:
    assert fit("abc", 5) == "abc  "
    assert fit("abcdefg", 5) == "abcd…"
    assert [Content(fit("城市城市", width)).cell_length for width in range(1, 10)] == list(range(1, 10))


def test_home_is_a_tilde_only_as_a_whole_part() -> None:
    assert home_path("/home/ada/sets", "/home/ada") == "~/sets"
    assert home_path("/home/ada", "/home/ada") == "~"
    assert home_path("/home/adam", "/home/ada") == "/home/adam"
