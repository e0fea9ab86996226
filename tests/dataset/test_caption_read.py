from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sdtui.dataset.caption import CaptionFile, plain_text
from sdtui.dataset.caption_read import image_stamp, read_text, size_of, stamps_now
from sdtui.dataset.library import Library

LONG_AGO = 1_600_000_000_123_456_789


def library(folder: Path, **captions: bytes) -> Library:
    for stem, raw in captions.items():
        (folder / f"{stem}.png").touch()
        (folder / f"{stem}.txt").write_bytes(raw)
        os.utime(folder / f"{stem}.txt", ns=(LONG_AGO, LONG_AGO))
    return Library.scan(folder)


@given(st.binary(max_size=12) | st.sampled_from([b"\xef\xbb\xbfa\r\nb\n\r\n", b"a\rb\r"]))
def test_the_text_is_that_of_the_editable_caption(raw: bytes) -> None:
    try:
        text = plain_text(raw)
    except UnicodeDecodeError:
        return
    assert text == CaptionFile.parse(Path("a.txt"), raw).text


def test_a_caption_and_its_stamp(tmp_path: Path) -> None:
    images = library(tmp_path, a=b"sky\r\n", b=b"\xff")
    inode = (tmp_path / "a.txt").stat().st_ino
    assert read_text(images.caption_file(0)) == ("sky", True, (5, LONG_AGO, inode), True)
    assert stamps_now(images).tolist()[:3] == [5, LONG_AGO, inode]
    assert read_text(images.caption_file(1))[:2] == (None, True)


def test_a_caption_written_a_moment_ago_may_change_unseen(tmp_path: Path) -> None:
    images = library(tmp_path, a=b"sky")
    os.utime(tmp_path / "a.txt")
    assert read_text(images.caption_file(0)).sure is False


def test_captions_that_are_not_there(tmp_path: Path) -> None:
    images = library(tmp_path, a=b"sky", b=b"sea")
    (tmp_path / "a.txt").unlink()
    (tmp_path / "c.png").touch()
    nothing = (None, False, (-1, 0, 0), True)
    assert read_text(images.caption_file(0)) == nothing
    assert read_text(Library.scan(tmp_path).caption_file(2)) == nothing
    assert stamps_now(images).tolist()[:3] == [-1, 0, 0]
    assert stamps_now(Library.scan(tmp_path)).tolist()[6:] == [-1, 0, 0]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    images = library(tmp_path, a=b"sky")
    (tmp_path / "a.txt").unlink()
    os.mkfifo(tmp_path / "a.txt")
    assert read_text(images.caption_file(0))[:2] == (None, True)


def test_a_caption_that_grows_or_shrinks_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = library(tmp_path, a=b"sky, wall")
    real = os.fstat

    def sized(size: int) -> None:
        def status(handle: int) -> SimpleNamespace:
            now = real(handle)
            return SimpleNamespace(st_size=size, st_mode=now.st_mode, st_mtime_ns=now.st_mtime_ns, st_ino=now.st_ino)

        monkeypatch.setattr(os, "fstat", status)

    for size in (0, 3, 8, 9, 10, 99):
        sized(size)
        assert read_text(images.caption_file(0)).text == "sky, wall"


def test_what_is_no_file_has_no_text(tmp_path: Path) -> None:
    images = library(tmp_path, a=b"sky", b=b"sea")
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "b.txt").unlink()
    (tmp_path / "b.txt").symlink_to("nowhere")
    assert read_text(images.caption_file(0))[:2] == (None, True)
    assert read_text(images.caption_file(1)) == (None, False, (-1, 0, 0), True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_caption_without_permission(tmp_path: Path) -> None:
    images = library(tmp_path, a=b"sky")
    (tmp_path / "a.txt").chmod(0)
    assert read_text(images.caption_file(0)) == (None, True, tuple(stamps_now(images)), False)


def test_sizes_from_headers(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    assert size_of(tmp_path / "a.png") == (3, 2)
    assert size_of(tmp_path / "b.png") == (0, 0)
    assert image_stamp(tmp_path / "b.png")[0] == 8
    assert image_stamp(tmp_path / "c.png") == (-1, 0)
