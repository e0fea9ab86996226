from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.caption import (
    CaptionError,
    CaptionFile,
    caption_path,
    describe_namings,
    digest,
    find_caption,
    parse_tags,
    tag_words,
)

HERE = Path("img.txt")


@given(st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_what_nobody_changed_is_written_back_byte_for_byte(raw: bytes) -> None:
    try:
        caption = CaptionFile.parse(HERE, raw)
    except CaptionError:
        return
    assert caption.to_bytes() == raw
    assert caption.replaced(caption.text).to_bytes() == raw


@given(st.text(alphabet="ab, \r\n"), st.text(alphabet="ab, \n"))
def test_changed_text_reads_back_as_it_was_given(old: str, new: str) -> None:
    caption = CaptionFile.parse(HERE, old.encode()).replaced(new)
    assert caption.text == new
    again = CaptionFile.parse(HERE, caption.to_bytes()).text
    # Line ends at the very end belong to the file, not to the text; a lone carriage return may meet a line feed.
    assert again.replace("\r", "") == new.rstrip("\r\n").replace("\r", "")


@pytest.mark.parametrize(
    ("raw", "text", "new", "written"),
    [
        (b"a, b\n", "a, b", "a, c", b"a, c\n"),
        (b"a, b", "a, b", "a, c", b"a, c"),
        (b"a, b, \n\n", "a, b, ", "a, c, ", b"a, c, \n\n"),
        (b"\xef\xbb\xbfa,b\r\n", "a,b", "a", b"\xef\xbb\xbfa\r\n"),
        (b"one\r\ntwo\r\n", "one\ntwo", "one\ntwo\nthree", b"one\r\ntwo\r\nthree\r\n"),
        (b"one\r\ntwo\nthree", "one\ntwo\nthree", "one\ntwo\n3", b"one\r\ntwo\n3"),
        (b"one\ntwo\r\nthree", "one\ntwo\nthree", "1\ntwo\nthree", b"1\ntwo\r\nthree"),
        (b"a\r\n", "a", "a\nb", b"a\r\nb\r\n"),
        (b"", "", "a", b"a"),
        ("Zoë 👩‍🚀, [/red]".encode(), "Zoë 👩‍🚀, [/red]", "שלום", "שלום".encode()),
    ],
)
def test_mark_line_ends_and_end_of_file_survive_an_edit(raw: bytes, text: str, new: str, written: bytes) -> None:
    caption = CaptionFile.parse(HERE, raw)
    assert caption.text == text
    assert caption.replaced(new).to_bytes() == written


def test_a_new_caption_ends_with_a_line_feed(tmp_path: Path) -> None:
    caption = CaptionFile.read(tmp_path / "new.txt")
    assert (caption.raw, caption.text) == (None, "")
    assert caption.replaced("a, b").to_bytes() == b"a, b\n"
    assert caption.to_bytes() == b""


def test_windows_1252_is_refused_with_file_offset_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "img.txt"
    path.write_bytes("it’s".encode("cp1252"))
    with pytest.raises(CaptionError) as caught:
        CaptionFile.read(path)
    assert caught.value.message == "the caption is not UTF-8: byte 0x92 at offset 2"
    assert caught.value.where == str(path)
    assert "iconv -f WINDOWS-1252 -t UTF-8" in caught.value.remedy


def test_the_offset_counts_the_byte_order_mark() -> None:
    with pytest.raises(CaptionError, match="byte 0xff at offset 4"):
        CaptionFile.parse(HERE, b"\xef\xbb\xbfa\xff")


def test_utf_16_is_named() -> None:
    with pytest.raises(CaptionError, match="iconv -f UTF-16"):
        CaptionFile.parse(HERE, "caption".encode("utf-16"))


def test_half_a_surrogate_pair_cannot_be_written() -> None:
    with pytest.raises(CaptionError, match="character 2"):
        CaptionFile(HERE).replaced("a\ud800").to_bytes()


def test_a_caption_that_is_a_folder_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(CaptionError, match="the caption is not a file"):
        CaptionFile.read(tmp_path)


def test_tags_have_places_in_the_text() -> None:
    text = " 1girl,, red hair ,\nsmile (cat), "
    tags = parse_tags(text)
    assert [tag.text for tag in tags] == ["1girl", "red hair", "smile (cat)"]
    assert [text[tag.start : tag.end] for tag in tags] == ["1girl", "red hair", "smile (cat)"]
    assert tag_words(text) == ["1girl", "red hair", "smile (cat)"]
    assert parse_tags(" , \n,") == []


def test_three_bars_are_a_border_other_separators_are_text() -> None:
    assert tag_words("a ||| b, c;;;d, {x|y}, |_|, ||_||") == ["a", "b", "c;;;d", "{x|y}", "|_|", "||_||"]


@given(st.text(alphabet="ab ,\n(|)　"))
def test_tag_words_are_the_texts_of_the_tags(text: str) -> None:
    assert tag_words(text) == [tag.text for tag in parse_tags(text)]


def test_names_of_caption_files() -> None:
    image = Path("d/my.photo.PNG")
    assert caption_path(image, ".txt") == Path("d/my.photo.txt")
    assert caption_path(image, "*.caption") == Path("d/my.photo.PNG.caption")


def test_the_caption_of_one_image_is_found(tmp_path: Path) -> None:
    image = tmp_path / "img.png"
    assert find_caption(image) is None
    (tmp_path / "img.png.txt").touch()
    assert find_caption(image) == tmp_path / "img.png.txt"
    (tmp_path / "img.caption").touch()
    assert find_caption(image) == tmp_path / "img.caption"
    assert find_caption(image, ".txt") == tmp_path / "img.png.txt"
    assert find_caption(image, ".tags") is None


def test_endings_in_use_are_told_with_counts() -> None:
    assert describe_namings([(".txt", 12), ("*.txt", 1228), (".caption", 0)]) == "1 228 img.png.txt, 12 .txt"
    assert describe_namings([]) == "no captions"


def test_digest_tells_a_missing_file_from_an_empty_one() -> None:
    assert digest(None) == ""
    assert digest(b"") != digest(b"a") != ""


def test_undecodable_names_are_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.txt")
    path.write_bytes(b"\x80")
    with pytest.raises(CaptionError) as caught:
        CaptionFile.read(path)
    assert caught.value.where.endswith("\\xff.txt")
