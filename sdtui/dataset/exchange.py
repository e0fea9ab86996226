"""Captions taken over from files of other programs, and given to them: nothing that differs is overwritten unasked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from sdtui.dataset.addresses import Addresses
from sdtui.dataset.caption import CaptionError, CaptionFile, caption_path, find_caption, parse_tags, tag_words
from sdtui.dataset.changes import Change
from sdtui.dataset.library import Library
from sdtui.dataset.metadata import Metadata
from sdtui.dataset.names import printable
from sdtui.dataset.tags import add, separator_of
from sdtui.errors import SdtuiError, UserError

Existing = Literal["stop", "keep", "replace", "add"]
"""What becomes of a caption that is there and says something else."""

_SHOWN = 3


@dataclass
class Found:
    """What files say about the images of a dataset.

    Attributes:
        texts: the caption of each image that one of them names, by position.
        strangers: names that mean no image, or one of several.
        silent: how many images are named without a caption.
    """

    texts: dict[int, str] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    silent: int = 0


class Copy(NamedTuple):
    """A caption file on its way: the bytes it has, and where they go."""

    position: int
    raw: bytes
    target: Path


@dataclass
class Export:
    """Captions as files of another naming, or in another folder.

    Attributes:
        copies: those to be written.
        same: those that stand there already, byte for byte.
        kept: files that say something else, and stay; also those that images with different captions would share.
        without: how many images have no caption.
    """

    copies: list[Copy] = field(default_factory=list)
    same: list[Copy] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    without: int = 0


def find_texts(library: Library, files: Iterable[Metadata]) -> Found:
    """The captions that files of captions hold for the images of `library`.

    Raises:
        UserError: two of them say different things of one image.
    """
    found = Found()
    for file in files:
        addresses = Addresses(library, Path(os.path.abspath(file.path)).parent)
        for name in file.rows:
            position = addresses.find(name)
            text = file.text(name)
            if position is None:
                found.strangers.append(name)
            elif text is None or not text.strip():
                found.silent += 1
            else:
                _take(library, found, position, text, file.path)
    return found


def find_in_folder(library: Library, folder: Path, found: Found) -> None:
    """Add to `found` the caption files in `folder` that lie there as the images lie in `library`; raises as `find_texts`."""
    for position, entry in enumerate(library):
        path = find_caption(folder / entry.relative)
        if path is not None and (text := CaptionFile.read(path).text).strip():
            _take(library, found, position, text, path)


def _take(library: Library, found: Found, position: int, text: str, source: Path) -> None:
    if found.texts.setdefault(position, text) != text:
        raise UserError(
            f"{printable(library[position].relative)} has two different captions",
            where=printable(source),
            remedy="Leave one of them in the files",
        )


def taken_over(there: str, new: str, existing: Existing) -> str:
    """The caption of an image that has one and is given `new`; with `add`, the tags of `new` that it lacks come last."""
    new = new.replace("\r\n", "\n").rstrip("\n")
    if not there.strip() or existing == "replace":
        return new
    if existing != "add":
        return there
    present = set(tag_words(there))
    more = [word for word in dict.fromkeys(tag_words(new)) if word not in present]
    return add(there, separator_of(there, parse_tags(there)).join(more)) if more else there


def differing(library: Library, texts: Mapping[int, str]) -> list[int]:
    """Positions of the images that have a caption which says something else than `texts`."""
    return [at for at, text in texts.items() if _says_otherwise(library, at, text)]


def refusal(names: Iterable[str], choices: str) -> UserError:
    """What to tell somebody whose captions would be overwritten, or lost."""
    every = list(names)
    shown = ", ".join(map(printable, every[:_SHOWN])) + (f" and {len(every) - _SHOWN} more" if every[_SHOWN:] else "")
    return UserError(
        f"there is another caption already for {shown}",
        remedy=f"Nothing was written. Say what becomes of them: --existing {choices}",
    )


def as_files(library: Library, positions: Iterable[int], naming: str, out: Path | None, existing: Existing) -> Export:
    """The captions at `positions` as files named by `naming` (see `caption.NAMINGS`), beside the images or below `out`.

    Bytes are taken as they are, also those that are no text.

    Raises:
        UserError: `existing` is stop, and files are there that say something else, or one would have to say two things.
    """
    export = Export()
    # The first image's caption goes there; 1.png and 1.jpg share 1.txt.
    targets: dict[Path, bytes] = {}
    for position in positions:
        entry = library[position]
        if entry.caption is None:
            export.without += 1
            continue
        target = caption_path(entry.path if out is None else out / entry.relative, naming)
        copy = Copy(position, _bytes_of(entry.caption), target)
        if target in targets:
            export.kept += [entry.caption] if targets[target] != copy.raw else []
            continue
        targets[target] = copy.raw
        there = _bytes_if_there(target)
        if there == copy.raw:
            export.same.append(copy)
        elif there is None or existing == "replace":
            export.copies.append(copy)
        else:
            export.kept.append(copy.target)
    if export.kept and existing == "stop":
        raise refusal(map(os.fspath, export.kept), "keep or replace")
    return export


def changes_of(library: Library, export: Export, *, move: bool) -> list[Change]:
    """An export into the dataset itself as changes for its journal; `move`: the files copied from go."""
    changes = [Change(target, _bytes_if_there(target), raw) for _, raw, target in export.copies]
    if move:
        there = [*export.copies, *export.same]
        targets = {copy.target for copy in there}
        sources = {source: copy.raw for copy in there if (source := library[copy.position].caption) is not None}
        changes += [Change(path, raw, None) for path, raw in sources.items() if path not in targets]
    return changes


def put_all(
    library: Library, positions: Iterable[int], metadata: Metadata, existing: Existing, *, start: Path | None
) -> tuple[int, list[str], list[CaptionError]]:
    """Put the captions at `positions` into a file of captions, under the names that it has for them.

    Args:
        library: the dataset.
        positions: whose captions.
        metadata: the file; images that it does not name come after those it does.
        existing: what becomes of other captions it has.
        start: the folder that new names start from; None: whole paths.

    Returns:
        How many were put, which names kept another caption, and captions that are no text.

    Raises:
        UserError: `existing` is stop, and the file has another caption for some.
    """
    names = _names_in(library, metadata)
    put, kept, unreadable = 0, [], []
    for position in positions:
        if not library.has_caption(position):
            continue
        try:
            text = library.read_caption(position).text
        except CaptionError as error:
            unreadable.append(error)
            continue
        path = os.path.abspath(library[position].path)
        name = names.get(position, path if start is None else os.path.relpath(path, start))
        there = metadata.text(name) if name in metadata.rows else None
        if there is not None and there.strip() and there != text and existing != "replace":
            kept.append(name)
            continue
        metadata.put(name, text)
        put += 1
    if kept and existing == "stop":
        raise refusal(kept, "keep or replace")
    return put, kept, unreadable


def _names_in(library: Library, metadata: Metadata) -> dict[int, str]:
    """The name that a file has for each image."""
    if not metadata.rows:
        return {}
    addresses = Addresses(library, Path(os.path.abspath(metadata.path)).parent)
    found = ((addresses.find(name), name) for name in metadata.rows)
    return {position: name for position, name in found if position is not None}


def _bytes_if_there(path: Path) -> bytes | None:
    return _bytes_of(path) if path.exists() else None


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SdtuiError(f"cannot read the caption: {error.strerror}", where=printable(path)) from error


def _says_otherwise(library: Library, position: int, text: str) -> bool:
    try:
        there = library.read_caption(position).text
    except CaptionError:
        return True
    return bool(there.strip()) and there != taken_over("", text, "replace")
