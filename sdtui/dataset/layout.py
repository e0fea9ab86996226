"""How a folder of images is laid out: flat, or as kohya sd-scripts wants it, with repeats and class tokens in names.

kohya's scripts read folders named `<repeats>_<class tokens>` inside the one that is given, and pass over all else in it.
What is passed over here is told, with its name and how many images it holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdtui.dataset.library import Library
from sdtui.dataset.names import natural_key, printable
from sdtui.dataset.problem import Problem
from sdtui.dataset.scan import DatasetError, scan
from sdtui.profile.kohya_name import PATTERN, kohya_name
from sdtui.profile.schema import Folder

_SHOWN = 5


@dataclass(frozen=True)
class Part:
    """One folder whose images are trained alike.

    Attributes:
        path: where it is.
        folder: how people know it: the path that the profile gives, with kohya's folder in it where there is one.
        repeats: how often each of its images comes in an epoch.
        class_tokens: the caption of images without one; may be empty.
    """

    path: Path
    folder: str
    repeats: int
    class_tokens: str


@dataclass(frozen=True)
class Layout:
    """What a folder of the profile was found to be.

    Attributes:
        row: of dataset.folders.
        folder: as the profile writes it.
        kind: flat, or kohya's.
        parts: the folders whose images are trained; one of them when it is flat.
        unread: folders inside that are not looked into, with a flat layout.
    """

    row: int
    folder: str
    kind: Literal["flat", "kohya"]
    parts: tuple[Part, ...]
    unread: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What may have been meant otherwise; often empty."""
        if self.kind == "kohya":
            return ""
        notes = []
        if self.unread:
            more = f" and {len(self.unread) - _SHOWN} more" if len(self.unread) > _SHOWN else ""
            notes.append(f"{', '.join(map(printable, self.unread[:_SHOWN]))}{more} in it not looked into")
        if found := kohya_name(Path(self.folder).name):
            notes.append(f'{found[0]} repeats in its name not taken (layout = "kohya" takes them)')
        return ", ".join(notes)


def find_layout(
    row: int, folder: Folder, problems: list[Problem], passed_over: frozenset[Path] = frozenset()
) -> Layout:
    """How the folder `row` of the profile is laid out; what kohya's layout leaves out becomes a problem.

    Args:
        row: of dataset.folders.
        folder: its table.
        problems: to which what is left out is added.
        passed_over: folders that are not told of when they are left out: masks, and those with a table of their own.

    Raises:
        DatasetError: the folder is missing, is no folder, or may not be read.
    """
    path = Path(folder.path)
    inside = scan(path, recursive=False)
    others = [name for name in inside.subfolders if path / name not in passed_over]
    parts = tuple(_parts(path, inside.subfolders, folder)) if folder.layout != "flat" else ()
    if parts:
        problems += _left_out(path, len(inside.names), [name for name in others if kohya_name(name) is None])
        return Layout(row, folder.path, "kohya", parts)
    if folder.layout == "kohya":
        return Layout(row, folder.path, "kohya", (_itself(path, folder, problems),))
    whole = Part(path, folder.path, folder.repeats, folder.class_tokens)
    return Layout(row, folder.path, "flat", (whole,), () if folder.recursive else tuple(others))


def outside_kohya(library: Library) -> int:
    """How many images of a folder, looked through to its depths, kohya's layout leaves out; 0 where it has another."""
    folders, folder_of = library.folders
    read = [kohya_name(folder) is not None and os.sep not in folder for folder in folders]
    return sum(not read[number] for number in folder_of) if any(read) else 0


def _parts(path: Path, folders: list[str], folder: Folder) -> Iterator[Part]:
    for name in sorted(folders, key=natural_key):
        if found := kohya_name(name):
            repeats, tokens = found
            where = os.path.join(folder.path, name)
            yield Part(path / name, where, repeats * folder.repeats, folder.class_tokens or tokens)


def _itself(path: Path, folder: Folder, problems: list[Problem]) -> Part:
    """The folder as the only one of kohya's layout: the profile may name it instead of the one around it."""
    found = kohya_name(path.name)
    if found is None:
        message = f"no folder in it is named {PATTERN}, as kohya's layout wants it, nor is it itself"
        remedy = 'Rename them, such as 10_cat, or set layout = "flat" and recursive = true'
        problems.append(Problem("bad-layout", path, message, remedy))
    repeats, tokens = found or (1, "")
    return Part(path, folder.path, repeats * folder.repeats, folder.class_tokens or tokens)


def _left_out(path: Path, images: int, others: list[str]) -> Iterator[Problem]:
    """What kohya's scripts pass over in silence: one problem that names it all."""
    told = [f"{_images(images)} directly in it"] if images else []
    for name in others:
        try:
            count = len(scan(path / name, recursive=True).names)
        except DatasetError as error:
            yield Problem("unreadable-folder", path / name, error.message, error.remedy)
            continue
        told += [f"{_images(count)} in {printable(name)}"] if count else []
    if told:
        message = f"kohya's layout reads only folders named {PATTERN} and leaves out {', '.join(told[:_SHOWN])}"
        if len(told) > _SHOWN:
            message += f" and {len(told) - _SHOWN} more folders"
        remedy = (
            'Rename or move them, such as to 10_cat, or set layout = "flat" and recursive = true to train all alike'
        )
        yield Problem("left-out", path, message, remedy)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
