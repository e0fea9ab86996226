"""Which image a file of captions means by a name: other programs write paths from anywhere, or no ending at all."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from sdtui.dataset.library import Library

# Where more images than this have one name, a name alone is not worth comparing with all of them.
_MANY = 64


class Addresses:
    """The images of a dataset by every name that means one of them and no other."""

    def __init__(self, library: Library, home: Path) -> None:
        """`home` is the folder of the file of captions, from which its relative names may start."""
        self._library = library
        self._whole = {_plain(relative): at for at, relative in enumerate(library.relatives())}
        inside = os.path.relpath(home, library.folder)
        self._home = "" if inside == os.curdir or inside.startswith(os.pardir) else f"{_plain(inside)}/"

    def find(self, name: str) -> int | None:
        """The position of the image meant; None when it is none, or may be several.

        Looked for in this order: the name from the file's folder; the longest end of it that is an image's path in the
        dataset (`/data/train/10_cat/1.png`); the one image whose path ends so (`1.png`); both without endings (kohya's
        older scripts write `1`). Images that share a caption file are one.
        """
        plain = _plain(name)
        if (at := self._whole.get(self._home + plain)) is not None:
            return at
        parts = plain.split("/")
        ends = ["/".join(parts[first:]) for first in range(len(parts))]
        for end in ends:
            if (at := self._whole.get(end)) is not None:
                return at
        for known, wanted in ((self._ends, plain), (self._stems, plain)):
            if (at := self._only(known, wanted)) is not None:
                return at
        return next((at for end in ends[1:] if (at := self._only(self._stems, end)) is not None), None)

    @cached_property
    def _ends(self) -> dict[str, list[int]]:
        return _by_end(self._whole)

    @cached_property
    def _stems(self) -> dict[str, list[int]]:
        return _by_end(os.path.splitext(relative)[0] for relative in self._whole)

    def _only(self, known: dict[str, list[int]], wanted: str) -> int | None:
        """The one of those with this last part whose whole name ends with `wanted`."""
        positions = known.get(wanted.rpartition("/")[2], [])
        if len(positions) > _MANY:
            return None
        fitting = [at for at in positions if f"/{self._name(known, at)}".endswith(f"/{wanted}")]
        files = {self._library.caption_path(at) for at in fitting}
        return fitting[0] if len(files) == 1 else None

    def _name(self, known: dict[str, list[int]], at: int) -> str:
        relative = _plain(self._library[at].relative)
        return os.path.splitext(relative)[0] if known is self._stems else relative


def _by_end(names: Iterable[str]) -> dict[str, list[int]]:
    """Positions by the last part of the name."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(names):
        found[os.path.basename(name)].append(at)
    return dict(found)


def _plain(name: str) -> str:
    """A path with one kind of slash, as written on any system."""
    return os.path.normpath(name.replace("\\", "/")).replace(os.sep, "/")
