"""One caption file: read into text, written back byte for byte where nothing changed."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.names import printable
from sdtui.errors import UserError

# What follows the image's stem (img.txt) or, with a star, its whole name (img.png.txt); tried in this order.
NAMINGS = (".txt", ".caption", "*.txt", "*.caption")
AUTO = "auto"

BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LINE_END = re.compile(r"\r\n|\n")
# What ends the part of a caption that stays in front; a border between tags like a comma.
PIN = "|||"
# What is read at a time of a file that grows while it is read.
_READ = 1 << 20
_SEPARATOR = re.compile(r"[,\n]")


class CaptionError(UserError):
    """A caption file that cannot be read as text; names the file, the byte and the remedy."""


class Tag(NamedTuple):
    """One tag of a caption: its text without surrounding blanks, and where it stands, as `text[start:end]`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CaptionFile:
    r"""A caption file in memory.

    `text` is what people edit: no byte order mark, no line end at the very end, `\n` between lines. `raw` is what is
    on disk (None: no file yet). Odd spacing, repeated and trailing commas are part of the text.
    """

    path: Path
    text: str = ""
    raw: bytes | None = None
    bom: bool = False
    line_ends: tuple[str, ...] = ()
    tail: str = "\n"

    @classmethod
    def read(cls, path: Path) -> CaptionFile:
        """Read `path`; a file that does not exist gives an empty caption with `raw` None.

        Raises:
            CaptionError: the file is not UTF-8 or may not be read.
        """
        raw = read_bytes(path)
        if raw is None:
            return cls(path)
        return cls.parse(path, raw)

    @classmethod
    def parse(cls, path: Path, raw: bytes) -> CaptionFile:
        """The caption held by the bytes `raw` of `path`; raises CaptionError when they are not UTF-8."""
        bom = raw.startswith(BOM)
        try:
            decoded = (raw[len(BOM) :] if bom else raw).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf8(path, raw, error.start + (len(BOM) if bom else 0)) from error
        body = decoded.rstrip("\r\n")
        ends = tuple(_LINE_END.findall(body))
        return cls(path, _LINE_END.sub("\n", body), raw, bom, ends, decoded[len(body) :])

    @property
    def tags(self) -> list[Tag]:
        """Its tags in order, with their places in `text`; see `parse_tags`."""
        return parse_tags(self.text)

    def replaced(self, text: str) -> CaptionFile:
        """The same file holding `text`: mark, line ends and the end of the file stay as they are on disk."""
        text = _LINE_END.sub("\n", text)
        return self if text == self.text else replace(self, text=text, line_ends=self._ends_for(text))

    def to_bytes(self) -> bytes:
        """What to write: exactly the bytes that were read when the text is what was read.

        Raises:
            CaptionError: the text holds half of a surrogate pair, which no UTF-8 file can.
        """
        if self.raw is None and not self.text:
            return b""
        lines = self.text.split("\n")
        body = "".join(line + end for line, end in zip(lines, (*self.line_ends, ""), strict=True))
        try:
            return (BOM if self.bom else b"") + (body + self.tail).encode("utf-8")
        except UnicodeEncodeError as error:
            raise CaptionError(
                f"character {error.start + 1} of the caption cannot be written as UTF-8",
                where=printable(self.path),
                remedy="Delete that character",
            ) from error

    def _ends_for(self, text: str) -> tuple[str, ...]:
        """Line ends for changed text: kept where lines only changed, and around those that came or went; else the commonest."""
        old, new = self.text.split("\n"), text.split("\n")
        count = len(new) - 1
        if count == len(self.line_ends):
            return self.line_ends
        common = Counter(self.line_ends).most_common(1)[0][0] if self.line_ends else self._lone_end()
        head = _same(old, new)
        tail = _same(old[::-1], new[::-1])
        before = self.line_ends[: min(head, count)]
        after = self.line_ends[max(len(self.line_ends) - tail, len(before)) :]
        after = after[len(after) - min(len(after), count - len(before)) :]
        return (*before, *[common] * (count - len(before) - len(after)), *after)

    def _lone_end(self) -> str:
        return "\r\n" if self.tail.startswith("\r\n") else "\n"


def read_bytes(path: Path) -> bytes | None:
    """A caption file's bytes; None without one. Raises CaptionError where it may not be read, or is no file."""
    try:
        return _bytes_of(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CaptionError(
            f"cannot read the caption: {error.strerror}",
            where=printable(path),
            remedy="Check the file's owner and mode",
        ) from error


def plain_text(raw: bytes) -> str:
    """The `text` that `CaptionFile.parse` finds in these bytes, without what it takes to write it back.

    Raises:
        UnicodeDecodeError: they are not UTF-8.
    """
    return raw.removeprefix(BOM).decode("utf-8").rstrip("\r\n").replace("\r\n", "\n")


def parse_tags(text: str) -> list[Tag]:
    """Tags of a caption text: parts between commas, `|||` and line ends, without the blanks around; empty ones skipped."""
    tags = []
    start = 0
    for part in _SEPARATOR.split(text.replace(PIN, ",,,")):
        word = part.strip()
        if word:
            at = start + part.index(word)
            tags.append(Tag(word, at, at + len(word)))
        start += len(part) + 1
    return tags


def tag_words(text: str) -> list[str]:
    """The tags' texts alone, in order; a third of the cost of `parse_tags`."""
    return [word for part in tag_parts(text) if (word := part.strip())]


def tag_parts(text: str) -> list[str]:
    """What stands between commas, `|||` and line ends, blanks included: a tag each, or blank."""
    return text.replace("\n", ",").replace(PIN, ",").split(",")


def digest(raw: bytes | None) -> str:
    """Short fingerprint of a caption's bytes, for noticing a change on disk; empty for a file that is not there."""
    return "" if raw is None else hashlib.blake2b(raw, digest_size=16).hexdigest()


def namings_for(extension: str) -> tuple[str, ...]:
    """The ways a caption may be named under the profile's `captions.extension` (`auto`, `.txt`, `.caption`, …)."""
    return NAMINGS if extension == AUTO else (extension, f"*{extension}")


def caption_path(image: Path, naming: str) -> Path:
    """Where the caption of `image` lives under one naming: `.txt` gives img.txt, `*.txt` gives img.png.txt."""
    return image.with_name(caption_name(image.name, naming))


def caption_name(image_name: str, naming: str) -> str:
    """As `caption_path`, for the bare name."""
    if naming.startswith("*"):
        return image_name + naming[1:]
    return os.path.splitext(image_name)[0] + naming


def find_caption(image: Path, extension: str = AUTO) -> Path | None:
    """The caption file of one image, or None; where several exist, the first in the order of `NAMINGS`.

    A whole folder is better asked through `Library`, which prefers the naming that most of its captions have.
    """
    for naming in namings_for(extension):
        path = caption_path(image, naming)
        if path.is_file():
            return path
    return None


def describe_namings(counts: Iterable[tuple[str, int]]) -> str:
    """Which caption endings are in use, most used first: `1 228 .txt, 12 .png.txt-style`."""
    used = sorted(((count, naming) for naming, count in counts if count), reverse=True)
    return ", ".join(f"{count:,} {label(naming)}".replace(",", " ") for count, naming in used) or "no captions"


def label(naming: str) -> str:
    """A naming in words: `.txt`, or `img.png.txt` for the kind that keeps the image's ending."""
    return f"img.png{naming[1:]}" if naming.startswith("*") else naming


def _bytes_of(path: Path) -> bytes:
    """A regular file's bytes, in half the time that `Path` takes; nothing else is opened, as a pipe holds its reader for ever."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise CaptionError("the caption is not a file", where=printable(path), remedy="Move away what has its name")
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        raw = os.read(handle, status.st_size + 1)
        while more := os.read(handle, _READ):
            raw += more
        return raw
    finally:
        os.close(handle)


def _same(one: list[str], other: list[str]) -> int:
    """How many leading items two lists share."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _not_utf8(path: Path, raw: bytes, offset: int) -> CaptionError:
    source = "UTF-16" if raw.startswith(_UTF16) else "WINDOWS-1252"
    name = printable(path)
    return CaptionError(
        f"the caption is not UTF-8: byte 0x{raw[offset]:02x} at offset {offset}",
        where=name,
        remedy=f"It looks like {source}; convert it with: iconv -f {source} -t UTF-8 {name!r} > new.txt",
    )
