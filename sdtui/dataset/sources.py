"""The images of a profile's folders as they lie on disk, each with its size, caption and mask, and all that is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.caption import CaptionError, caption_name, namings_for
from sdtui.dataset.class_images import Missing, generating, layout_of, recipe_of, stock_of
from sdtui.dataset.file_caption import file_caption
from sdtui.dataset.image import EXTENSIONS, FOREIGN, ImageFacts, UnreadableImage, has_alpha, read_facts
from sdtui.dataset.layout import Layout, Part, find_layout
from sdtui.dataset.library import Library
from sdtui.dataset.masks import Masks, mask_problem
from sdtui.dataset.names import printable
from sdtui.dataset.problem import Problem
from sdtui.dataset.scan import DatasetError
from sdtui.dataset.templates import needs_captions
from sdtui.profile.schema import Profile

_UNCAPTIONED = 'Write one, give the folder class_tokens, or set captions.on_missing = "empty"'


class Source(NamedTuple):
    """A folder of images with their captions and masks."""

    row: int  # of dataset.folders
    part: Part
    library: Library
    positions: tuple[int, ...]  # in the library
    masks: Masks | None
    missing: tuple[Missing, ...] = ()  # class images that will have been drawn before training


class Found(NamedTuple):
    """An image that can be read: its place, size, caption (empty without any) and mask."""

    row: int
    part: Part
    name: str  # path below the part's folder, the same on every system
    facts: ImageFacts
    caption: str
    mask: Path | None
    alpha: bool  # whether its transparency is a mask


def find_layouts(profile: Profile, problems: list[Problem]) -> tuple[Layout, ...]:
    """How each folder that can be listed is laid out."""
    if not profile.dataset.folders:
        problems.append(
            Problem("no-folders", Path(), "the profile names no folder of images", "Add [[dataset.folders]]")
        )
    found = []
    known = _mask_folders(profile) | {Path(folder.path) for folder in profile.dataset.folders}
    for row, folder in enumerate(profile.dataset.folders):
        try:
            drawn = generating(folder)
            found.append(layout_of(profile, row) if drawn else find_layout(row, folder, problems, known))
        except DatasetError as error:
            problems.append(Problem("bad-folder", Path(folder.path), error.message, error.remedy))
    return tuple(found)


def open_sources(profile: Profile, layouts: Sequence[Layout], problems: list[Problem]) -> list[Source]:
    """List the images, captions and masks of all folders."""
    sources: list[Source] = []
    for layout in layouts:
        row = profile.dataset.folders[layout.row]
        masks = _masks(row.masks, problems) if row.masks else None
        if generating(row):
            sources += _class_images(profile, layout, masks, problems)
            continue
        for part in layout.parts:
            try:
                library = Library.scan(part.path, recursive=row.recursive, extension=profile.captions.extension)
            except DatasetError as error:
                problems.append(Problem("bad-folder", part.path, error.message, error.remedy))
                continue
            problems += _unlisted(part.path, library, recursive=row.recursive)
            sources.append(Source(layout.row, part, library, _positions(profile, part, library), masks))
    return sources


def _class_images(profile: Profile, layout: Layout, masks: Masks | None, problems: list[Problem]) -> Iterator[Source]:
    """The images that the user put into such a folder, and those that the base model draws."""
    try:
        stock = stock_of(profile, layout, problems)
    except DatasetError as error:
        problems.append(Problem("bad-folder", Path(layout.folder), error.message, error.remedy))
        return
    for listed, missing in ((stock.own, ()), (stock.drawn, stock.missing)):
        if listed[2] or missing:
            yield Source(layout.row, *listed, masks, missing)


def find_images(
    profile: Profile,
    sources: Sequence[Source],
    problems: list[Problem],
    progress: Callable[[int, int], None] | None = None,
) -> list[Found]:
    """Read headers and captions; `progress` is called with (images done, images in all)."""
    total = sum(len(source.positions) for source in sources)
    done = 0
    images: list[Found] = []
    for source in sources:
        for position in source.positions:
            found = _find(profile, source, position, problems)
            images += [found] if found is not None else []
            done += 1
            if progress is not None:
                progress(done, total)
        images += [_to_be_drawn(profile, source, missing) for missing in source.missing]
    problems += _misnamed_masks(sources)
    problems += _opaque(profile, images)
    return images


def _find(profile: Profile, source: Source, position: int, problems: list[Problem]) -> Found | None:
    entry = source.library[position]
    try:
        facts = read_facts(entry.path)
    except UnreadableImage as error:
        problems.append(Problem("unreadable-image", entry.path, error.message, error.remedy))
        return None
    mask = _mask(source, entry.relative)
    if mask is not None and (problem := mask_problem(mask, facts)) is not None:
        problems.append(problem)
        return None
    name = entry.relative.replace(os.sep, "/")
    alpha = profile.dataset.folders[source.row].alpha_mask and has_alpha(entry.path)
    return Found(source.row, source.part, name, facts, _caption(profile, source, position, problems), mask, alpha)


def _to_be_drawn(profile: Profile, source: Source, missing: Missing) -> Found:
    """A class image as it will be."""
    side = recipe_of(profile, missing.row).side
    facts = ImageFacts(missing.path, side, side)
    return Found(source.row, source.part, missing.path.name, facts, source.part.class_tokens, None, alpha=False)


def _mask(source: Source, relative: str) -> Path | None:
    """The image's mask; with kohya's layout it may lie in a folder named as the image's."""
    if source.masks is None:
        return None
    return source.masks.of(os.path.join(source.part.path.name, relative)) or source.masks.of(relative)


def _mask_folders(profile: Profile) -> frozenset[Path]:
    return frozenset(Path(folder.masks) for folder in profile.dataset.folders if folder.masks)


def _masks(folder: str, problems: list[Problem]) -> Masks | None:
    try:
        return Masks(Path(folder))
    except DatasetError as error:
        problems.append(Problem("bad-masks", Path(folder), f"masks: {error.message}", error.remedy))
        return None


def _positions(profile: Profile, part: Part, library: Library) -> tuple[int, ...]:
    """All images of the library but masks that lie in a folder among them."""
    apart = tuple(f"{mask}{os.sep}" for mask in _mask_folders(profile) if mask.is_relative_to(part.path))
    if not apart:
        return tuple(range(len(library)))
    return tuple(at for at in range(len(library)) if not os.fspath(library[at].path).startswith(apart))


def _unlisted(path: Path, library: Library, *, recursive: bool) -> Iterator[Problem]:
    for inner in library.unreadable_folders:
        yield Problem("unreadable-folder", path / inner, "no permission to read the folder", "Check its owner and mode")
    if not library:
        yield _no_images(path, library, recursive=recursive)
    elif foreign := {kind: count for kind, count in library.others.items() if kind in FOREIGN}:
        total = sum(foreign.values())
        images = "1 file is an image" if total == 1 else f"{total} files are images"
        message = f"{images} of a kind that cannot be read and left out: {' '.join(sorted(foreign))}"
        yield Problem("foreign-image", path, message, "Convert them to .png, .jpg or .webp to train them")


def _no_images(path: Path, library: Library, *, recursive: bool) -> Problem:
    expected = "expected images: " + " ".join(sorted(EXTENSIONS))
    if library.subfolders and not recursive:
        remedy = "Name one of these folders, or set recursive = true for this one"
    else:
        remedy = "Put the images and their captions into it, or name another folder"
    return Problem("no-images", path, f"no images here: {library.why_empty()}; {expected}", remedy)


def _misnamed_masks(sources: Sequence[Source]) -> Iterator[Problem]:
    """Folders of masks of which not one belongs to an image, and masks that belong to none."""
    for _, group in groupby(sources, key=lambda source: source.row):
        parts = list(group)
        masks, images = parts[0].masks, sum(len(part.positions) for part in parts)
        if masks is None or not images:
            continue
        used = {_mask(part, part.library[at].relative) for part in parts for at in part.positions}
        if used != {None}:
            remedy = "Name it as its image (cat.png for cat.jpg), or remove it"
            for stray in masks.files():
                if stray not in used:
                    yield Problem("stray-mask", stray, "the mask has no image", remedy)
        else:
            message = f"none of its masks ({len(masks)}) has the name of one of the images ({images})"
            yield Problem("bad-masks", masks.folder, message, "Name each mask as its image: cat.png for cat.jpg")


def _opaque(profile: Profile, images: Sequence[Found]) -> Iterator[Problem]:
    """Folders whose transparency is to be a mask and that have none."""
    for row, folder in enumerate(profile.dataset.folders):
        mine = [found for found in images if found.row == row]
        if folder.alpha_mask and mine and not any(found.alpha for found in mine):
            message = "alpha_mask is true, and none of its images has transparency"
            yield Problem(
                "no-alpha", Path(folder.path), message, "Save them with transparency, or leave alpha_mask out"
            )


def _caption(profile: Profile, source: Source, position: int, problems: list[Problem]) -> str:
    """The caption's lines as they stand, without blank ones, or the class tokens; a problem where there is neither."""
    library = source.library
    try:
        caption = library.read_caption(position)
    except CaptionError as error:
        problems.append(Problem("bad-caption", library.caption_path(position), error.message, error.remedy))
        return ""
    text = "\n".join(stripped for line in caption.text.splitlines() if (stripped := line.strip()))
    if text or source.part.class_tokens:
        return text or source.part.class_tokens
    if profile.captions.on_missing == "file-name" and (
        named := file_caption(Path(library.name(position)).stem, profile.captions)
    ):
        return named
    if not needs_captions(profile, source.row):
        return ""
    tolerated = profile.captions.on_missing == "empty"
    remedy = "Write one, or give the folder class_tokens" if tolerated else _UNCAPTIONED
    if caption.raw is None:
        image = library.name(position)
        names = " or ".join(
            printable(caption_name(image, naming)) for naming in namings_for(profile.captions.extension)
        )
        problems.append(Problem("missing-caption", library[position].path, f"no caption file ({names})", remedy))
    else:
        problems.append(Problem("empty-caption", caption.path, "the caption file is empty", remedy))
    return ""
