"""Many captions and image headers read fast, and what tells later whether they must be read again."""

from __future__ import annotations

import os
import stat
import time
from array import array
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.caption import plain_text
from sdtui.dataset.library import Library

# File systems keep times in steps of up to two seconds (FAT): a file younger than that when it was read may be written
# again without its time telling.
STEP_NS = 2_000_000_000
# What is read at a time of a file that is of another length than it said.
_READ = 1 << 20
_NOWHERE = (-1, 0, 0)
_INT64 = (1 << 63) - 1


class CaptionRead(NamedTuple):
    """One caption as it was read.

    Attributes:
        text: None when there is none, or none that can be read.
        there: whether a caption file is there.
        stamp: its size in bytes (−1: no file), modification time in ns, inode.
        sure: whether a later write must change the stamp.
    """

    text: str | None
    there: bool
    stamp: tuple[int, int, int]
    sure: bool


_NOT_THERE = CaptionRead(None, False, _NOWHERE, True)


def stamps_now(library: Library) -> array[int]:
    """The stamps of all images' caption files as they are now: three numbers each, in order."""
    stamps = array("q")
    for path in library.caption_files():
        try:
            stamps.extend(_NOWHERE if path is None else _stamp(os.stat(path)))
        except OSError:
            stamps.extend(_NOWHERE)
    return stamps


def stamp_now(library: Library, position: int) -> tuple[int, int, int]:
    """The stamp of one image's caption file as it is now."""
    path = library.caption_file(position)
    try:
        return _NOWHERE if path is None else _stamp(os.stat(path))
    except OSError:
        return _NOWHERE


def read_text(path: str | None) -> CaptionRead:
    """Read the caption file at `path`, None where there is none; whatever is wrong with it makes `text` None.

    Four calls of the system, as a million captions are read so.
    """
    if path is None:
        return _NOT_THERE
    try:
        # Not waiting: a pipe would hold its reader for ever.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return _NOT_THERE
    except OSError:
        return _not_opened(path)
    try:
        return _read_open(handle)
    finally:
        os.close(handle)


def image_stamp(path: Path) -> tuple[int, int]:
    """Size in bytes (−1: not there) and modification time in ns of an image file."""
    try:
        status = os.stat(path)
    except OSError:
        return -1, 0
    return status.st_size, status.st_mtime_ns


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of an image in px, upright; zeros where it cannot be read."""
    from sdtui.dataset.image import UnreadableImage, read_facts

    try:
        facts = read_facts(path)
    except UnreadableImage:
        return 0, 0
    return facts.width, facts.height


def _read_open(handle: int) -> CaptionRead:
    # Asked before it is read: what is written in between has another stamp, and is read again some day.
    status = os.fstat(handle)
    sure = time.time_ns() - status.st_mtime_ns > STEP_NS
    text = None
    try:
        if stat.S_ISREG(status.st_mode):
            text = plain_text(_content(handle, status.st_size))
    except UnicodeDecodeError:
        pass
    except OSError:
        sure = False
    return CaptionRead(text, True, _stamp(status), sure)


def _content(handle: int, size: int) -> bytes:
    raw = os.read(handle, size + 1)
    if len(raw) != size:
        while more := os.read(handle, _READ):
            raw += more
    return raw


def _not_opened(path: str) -> CaptionRead:
    try:
        return CaptionRead(None, True, _stamp(os.stat(path)), False)
    except OSError:
        return CaptionRead(None, True, _NOWHERE, False)


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino & _INT64
