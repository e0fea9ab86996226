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


def read_text(library: Library, position: int) -> CaptionRead:
    """Read the image's caption; whatever is wrong with it makes `text` None."""
    path = library.caption_file(position)
    if path is None:
        return CaptionRead(None, False, _NOWHERE, True)
    try:
        # Asked before it is read: what is written in between has another stamp, and is read again some day.
        status = os.stat(path)
    except FileNotFoundError:
        return CaptionRead(None, False, _NOWHERE, True)
    except OSError:
        return CaptionRead(None, True, _NOWHERE, False)
    sure = time.time_ns() - status.st_mtime_ns > STEP_NS
    text = None
    # A pipe would hold its reader for ever.
    if stat.S_ISREG(status.st_mode):
        try:
            with open(path, "rb", buffering=0) as stream:
                text = plain_text(stream.read())
        except UnicodeDecodeError:
            pass
        except OSError:
            sure = False
    return CaptionRead(text, True, _stamp(status), sure)


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


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino & _INT64
