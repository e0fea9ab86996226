"""A dataset in the hands of a screen or a command: 100 000 images by position, one caption read when needed."""

from __future__ import annotations

import os
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.caption import AUTO, BOM, CaptionFile, caption_name, caption_path, describe_namings
from sdtui.dataset.image import open_regular
from sdtui.dataset.scan import Listing, scan, why_empty

# No one fills a caption with more blanks than this.
_BLANK_BYTES = 64


class Entry(NamedTuple):
    """One image: its path, its path relative to the dataset, and its caption file if there is one."""

    path: Path
    relative: str
    caption: Path | None


class Stat(NamedTuple):
    """What tells that a file changed: size in bytes, modification time in nanoseconds, inode."""

    size: int
    mtime_ns: int
    inode: int


class Library:
    """The images of one folder in natural order, by position: about 15 MB for 100 000 images.

    What their captions say, of all at once, is `dataset.index.Index`'s to know.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    @classmethod
    def scan(cls, folder: Path, *, recursive: bool = True, extension: str = AUTO) -> Library:
        """List `folder`; raises DatasetError when it is missing, no folder, or may not be read."""
        return cls(scan(folder, recursive=recursive, extension=extension))

    @property
    def folder(self) -> Path:
        """The dataset's folder as it was given."""
        return self._listing.root

    def __len__(self) -> int:
        return len(self._listing.names)

    def __getitem__(self, position: int) -> Entry:
        folder, name = self._listing.key(position)
        parent = self.folder / folder
        caption = self._listing.caption_name(position)
        return Entry(parent / name, os.path.join(folder, name), parent / caption if caption is not None else None)

    def __iter__(self) -> Iterator[Entry]:
        return (self[position] for position in range(len(self)))

    def name(self, position: int) -> str:
        """The image's file name without its folder."""
        return self._listing.names[position]

    @property
    def names(self) -> Sequence[str]:
        """The file names of all images."""
        return self._listing.names

    def has_caption(self, position: int) -> bool:
        """Whether a caption file lies beside the image."""
        return self._listing.caption_name(position) is not None

    def captioned(self) -> bytes:
        """`has_caption` of all images in order, a byte each, in no time."""
        return self._listing.captioned()

    def caption_names(self, position: int) -> list[str]:
        """The file names that the image's caption may have, in the order they are looked for."""
        name = self.name(position)
        return [caption_name(name, naming) for naming in self._listing.namings]

    @property
    def recursive(self) -> bool:
        """Whether folders inside the dataset's are listed as well."""
        return self._listing.recursive

    def position(self, relative: str) -> int | None:
        """Position of the image with this path relative to the dataset, None when there is none."""
        folder, name = os.path.split(relative)
        spans = self._listing.spans({folder})
        return next((at for at in spans.get(folder, ()) if self.name(at) == name), None)

    def positions_of(self, captions: Iterable[Path]) -> list[int]:
        """Positions, rising, of the images whose caption files are, were or may be these; only their folders are gone through."""
        names: defaultdict[str, set[str]] = defaultdict(set)
        for path in captions:
            folder, name = os.path.split(path)
            names[folder].add(name)
        root = os.path.abspath(self.folder)
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for folder, some in names.items():
            inside = os.path.relpath(os.path.abspath(folder), root)
            wanted["" if inside == os.curdir else inside] |= some
        spans = sorted(self._listing.spans(wanted).items(), key=lambda item: item[1].start)
        return [at for folder, span in spans for at in self._listing.owners(span, wanted[folder])]

    @property
    def untagged(self) -> int:
        """How many images have no caption file, or one with nothing in it; asks the disk of each."""
        return sum(path is None or _is_blank(path) for path in self.caption_files())

    @property
    def unreadable_folders(self) -> tuple[str, ...]:
        """Folders inside the dataset that may not be read."""
        return tuple(self._listing.unreadable)

    @property
    def subfolders(self) -> tuple[str, ...]:
        """Folders directly inside the dataset's folder."""
        return tuple(self._listing.subfolders)

    @property
    def others(self) -> Mapping[str, int]:
        """Files that are neither images nor captions, by their ending in lower case."""
        return self._listing.other

    @property
    def naming(self) -> str:
        """The naming most captions have, which new caption files get (`.txt`, `*.txt` for img.png.txt …)."""
        return self._listing.namings[0]

    @property
    def namings(self) -> dict[str, int]:
        """How many captions have each of the namings in use."""
        counts = map(self._listing.naming_of.count, range(len(self._listing.namings)))
        return {naming: number for naming, number in zip(self._listing.namings, counts, strict=True) if number}

    def describe_captions(self) -> str:
        """Which caption endings are in use, with counts, most used first: `1 228 .txt, 12 img.png.txt`."""
        return describe_namings(self.namings.items())

    def why_empty(self) -> str:
        """For a library without images: what lies in the folder instead."""
        return why_empty(self._listing)

    def caption_path(self, position: int) -> Path:
        """The image's caption file, or where a new one belongs."""
        file = self.caption_file(position)
        return Path(file) if file is not None else caption_path(self[position].path, self.naming)

    def caption_files(self, positions: Sequence[int] | None = None) -> Iterator[str | None]:
        """As `Entry.caption`, of these images, or of all in order: paths that are plain text, and nothing is asked of the disk."""
        listing = self._listing
        places = range(len(self)) if positions is None else positions
        last, prefix = -1, ""
        for position, name in zip(places, listing.caption_names(places), strict=True):
            if (number := listing.folder_of[position]) != last:
                last, prefix = number, os.path.join(self.folder, listing.folders[number], "")
            yield None if name is None else prefix + name

    def caption_file(self, position: int) -> str | None:
        """One of `caption_files`."""
        name = self._listing.caption_name(position)
        return None if name is None else os.path.join(self.folder, self._listing.key(position)[0], name)

    def read_caption(self, position: int) -> CaptionFile:
        """The caption as it is on disk now; raises CaptionError when it is not UTF-8 or may not be read."""
        return CaptionFile.read(self.caption_path(position))

    def stat_of(self, position: int) -> Stat | None:
        """State of the caption file on disk; None without one. Another value means it was changed by someone."""
        try:
            status = os.stat(self.caption_path(position))
        except OSError:
            return None
        return Stat(status.st_size, status.st_mtime_ns, status.st_ino)

    def relatives(self) -> list[str]:
        """Paths of all images relative to the dataset."""
        prefixes = [os.path.join(folder, "") if folder else "" for folder in self._listing.folders]
        return [prefixes[at] + name for at, name in zip(self._listing.folder_of, self._listing.names, strict=True)]

    @property
    def folders(self) -> tuple[Sequence[str], array[int]]:
        """The folders that hold images, relative to the dataset (empty for its own), and for each image which it is in."""
        return self._listing.folders, self._listing.folder_of

    def changed(self, positions: Iterable[int]) -> None:
        """Take note that these images' captions were written, created or deleted."""
        for position in positions:
            self._listing.look_again(position)


def _is_blank(path: str) -> bool:
    """Whether a caption file holds blanks only; one that is larger, or cannot be read, is taken to say something."""
    try:
        if os.stat(path).st_size > _BLANK_BYTES:
            return False
        with open_regular(Path(path)) as stream:
            return not stream.read().removeprefix(BOM).strip()
    except OSError:
        return False
