"""Listing a dataset's folders: images in natural order, which caption file each has, and what else lies there."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sdtui.dataset.caption import AUTO, NAMINGS, caption_name, namings_for
from sdtui.dataset.image import is_image_name
from sdtui.dataset.names import natural_key, printable
from sdtui.errors import UserError

_NONE = 255


class DatasetError(UserError):
    """A dataset folder that is missing, is no folder, or may not be read."""


@dataclass(slots=True)
class Listing:
    """What a scan found. Images are parallel columns: `names[i]` lies in `folders[folder_of[i]]`.

    `naming_of[i]` is the position in `namings` of the image's caption file, 255 without one. Caption files whose ending
    is written in another case stand in `odd_captions`.
    """

    root: Path
    namings: tuple[str, ...]
    folders: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    folder_of: array[int] = field(default_factory=lambda: array("I"))
    naming_of: bytearray = field(default_factory=bytearray)
    odd_captions: dict[int, str] = field(default_factory=dict)
    other: Counter[str] = field(default_factory=Counter)
    subfolders: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    recursive: bool = True

    def caption_name(self, position: int) -> str | None:
        """Name of the image's caption file, None without one."""
        if (odd := self.odd_captions.get(position)) is not None:
            return odd
        code = self.naming_of[position]
        return None if code == _NONE else caption_name(self.names[position], self.namings[code])

    def captioned(self) -> bytes:
        """Of all images in order 1 where there is a caption file, 0 where there is none; takes no time at all."""
        return bytes(self.naming_of).translate(bytes([1] * _NONE + [0]))

    def caption_names(self, positions: Iterable[int]) -> Iterator[str | None]:
        """As `caption_name`, of many images, in a third of the time."""
        tails = [naming.removeprefix("*") for naming in self.namings]
        whole = [naming.startswith("*") for naming in self.namings]
        for position in positions:
            name, code = self.names[position], self.naming_of[position]
            if code == _NONE:
                yield None
            elif position in self.odd_captions:
                yield self.odd_captions[position]
            else:
                yield (name if whole[code] else name[: name.rfind(".")]) + tails[code]

    def look_again(self, position: int) -> None:
        """Ask the disk which caption file the image has now."""
        self.odd_captions.pop(position, None)
        folder, name = self.key(position)
        base = os.path.join(self.root, folder)
        there = (os.path.isfile(os.path.join(base, caption_name(name, naming))) for naming in self.namings)
        self.naming_of[position] = next((code for code, found in enumerate(there) if found), _NONE)

    def spans(self, folders: Collection[str]) -> dict[str, range]:
        """The positions of the images in each of these folders that holds any; images stand folder by folder."""
        numbers = ((folder, number) for number, folder in enumerate(self.folders) if folder in folders)
        ends = ((folder, (bisect_left(self.folder_of, at), bisect_right(self.folder_of, at))) for folder, at in numbers)
        return {folder: range(*span) for folder, span in ends}

    def owners(self, span: range, captions: Collection[str]) -> list[int]:
        """The images of one folder's span whose caption file is, or may be, called so."""
        endings = [(naming.removeprefix("*"), naming.startswith("*")) for naming in self.namings]
        names = {name.removesuffix(end) for end, whole in endings if whole for name in captions if name.endswith(end)}
        stems = {
            name.removesuffix(end) for end, whole in endings if not whole for name in captions if name.endswith(end)
        }
        return [
            at
            for at, name in zip(span, self.names[span.start : span.stop], strict=True)
            if name in names or os.path.splitext(name)[0] in stems or self.odd_captions.get(at) in captions
        ]

    def key(self, position: int) -> tuple[str, str]:
        """Folder (relative to the root, empty for the root) and name: what an image is known by."""
        return self.folders[self.folder_of[position]], self.names[position]


def scan(root: Path, *, recursive: bool, extension: str = AUTO) -> Listing:
    """List `root`; hidden files and folders are left out, links to folders are followed once.

    Raises:
        DatasetError: `root` is missing, is not a folder, or may not be read.
    """
    found = dict(_walk(root, recursive=recursive))
    order = _preferred(list(found.values()), namings_for(extension))
    listing = Listing(root, order, recursive=recursive)
    for folder in sorted(found, key=lambda name: [natural_key(part) for part in name.split(os.sep)]):
        content = found.pop(folder)
        listing.other.update(content.other)
        listing.unreadable += [folder] * content.denied
        if folder == "":
            listing.subfolders = sorted(content.subfolders, key=natural_key)
        _append(listing, folder, content)
    return listing


@dataclass(slots=True)
class _Content:
    images: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)  # other files' names, endings in lower case
    odd: dict[str, str] = field(default_factory=dict)  # those whose ending is not: lower case → as on disk
    namings: Counter[str] = field(default_factory=Counter)
    subfolders: list[str] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    denied: bool = False


def _walk(root: Path, *, recursive: bool) -> Iterator[tuple[str, _Content]]:
    """Every folder below `root` as (path relative to it, content); `root` itself is the empty string."""
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        path = os.path.join(root, folder) if folder else os.fspath(root)
        try:
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            content = _read(path)
        except OSError as error:
            if not folder:
                raise folder_error(root, error) from error
            content = _Content(denied=True)
        yield folder, content
        if recursive:
            waiting += [os.path.join(folder, name) for name in content.subfolders]


def _read(path: str) -> _Content:
    content = _Content()
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == ".":
                continue
            if entry.is_dir():
                content.subfolders.append(name)
            elif not _is_file(entry):
                content.other[os.path.splitext(name)[1].lower()] += 1
            elif is_image_name(name):
                content.images.append(name)
            else:
                _note_other(content, name)
    return content


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a regular file: a pipe would hold its reader for ever. A broken link counts, so that it is told."""
    return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))


def _note_other(content: _Content, name: str) -> None:
    dot = name.rfind(".")
    stem, ending = (name[:dot], name[dot:]) if dot > 0 else (name, "")
    lower = ending.lower()
    if lower == ending:
        content.texts.add(name)
    else:
        content.texts.add(stem + lower)
        content.odd[stem + lower] = name
    content.namings[f"*{lower}" if is_image_name(stem) else lower] += 1
    if lower not in NAMINGS:
        content.other[lower] += 1


def _preferred(contents: list[_Content], namings: tuple[str, ...]) -> tuple[str, ...]:
    """The namings, the one that most files have first: a stray .txt among .caption files does not win."""
    counts: Counter[str] = Counter()
    for content in contents:
        counts.update(content.namings)
    return tuple(sorted(namings, key=lambda naming: -counts[naming]))


def _append(listing: Listing, folder: str, content: _Content) -> None:
    if not content.images:
        return
    number = len(listing.folders)
    listing.folders.append(folder)
    in_use = [
        (code, naming.startswith("*"), naming.removeprefix("*"))
        for code, naming in enumerate(listing.namings)
        if content.namings[naming]
    ]
    texts, naming_of = content.texts, listing.naming_of
    content.images.sort(key=natural_key)
    for name in content.images:
        stem = name[: name.rfind(".")]
        for code, whole, ending in in_use:
            caption = (name if whole else stem) + ending
            if caption in texts:
                if caption in content.odd:
                    listing.odd_captions[len(naming_of)] = content.odd[caption]
                naming_of.append(code)
                break
        else:
            naming_of.append(_NONE)
    listing.names += content.images
    listing.folder_of.extend([number] * len(content.images))


def folder_error(folder: Path, error: OSError) -> DatasetError:
    """One message for a folder that cannot be listed."""
    where = printable(folder)
    if isinstance(error, FileNotFoundError):
        return DatasetError("the folder does not exist", where=where, remedy="Check the path")
    if isinstance(error, NotADirectoryError):
        return DatasetError("this is a file, not a folder", where=where, remedy="Name the folder that holds the images")
    if isinstance(error, PermissionError):
        return DatasetError("no permission to read the folder", where=where, remedy="Check its owner and mode")
    return DatasetError(f"cannot read the folder: {error.strerror}", where=where)


def why_empty(listing: Listing) -> str:
    """What lies in a dataset without images, and what was expected."""
    found = []
    if listing.subfolders:
        shown = ", ".join(printable(name) for name in listing.subfolders[:3])
        more = ", …" if len(listing.subfolders) > 3 else ""
        found.append(f"{len(listing.subfolders)} folder{'s' * (len(listing.subfolders) > 1)} ({shown}{more})")
    if others := sum(listing.other.values()):
        kinds = ", ".join(printable(kind) or "no ending" for kind, _ in listing.other.most_common(3))
        found.append(f"{others} other file{'s' * (others > 1)} ({kinds})")
    return f"it holds {' and '.join(found)}" if found else "it is empty"
