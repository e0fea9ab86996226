"""The same edit over many captions: worked out first, looked at, then handed to the journal as one operation."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.caption import NAMINGS, CaptionError, CaptionFile, caption_path, read_bytes, tag_words
from sdtui.dataset.changes import Change, Changes
from sdtui.dataset.library import Library


class Sample(NamedTuple):
    """One caption before and after, for the preview."""

    path: Path
    before: str
    after: str


class TagCount(NamedTuple):
    """In how many of the captions looked at a tag stands, before the edit and after it."""

    tag: str
    before: int
    after: int


@dataclass(frozen=True)
class Proposal:
    """An edit that has not been made: what it is called, what it would write, which captions it cannot read.

    `tags` are those whose number of captions changes, the largest change first; empty if they were not counted.
    """

    label: str
    looked_at: int
    positions: tuple[int, ...]
    changes: Changes
    samples: tuple[Sample, ...]
    unreadable: tuple[CaptionError, ...]
    tags: tuple[TagCount, ...] = ()


def propose(
    library: Library,
    positions: Iterable[int],
    edit: Callable[[str], str],
    label: str,
    *,
    samples: int = 5,
    count_tags: bool = False,
) -> Proposal:
    """What `edit` would do to the captions at `positions`, read from disk now; nothing is written.

    An image without a caption file counts as an empty caption, and gets a file only if `edit` gives it a text. A
    caption that two images share (01.png and 01.jpg) is edited once. `count_tags` fills in `Proposal.tags`.
    """
    return propose_each(library, positions, lambda _, text: edit(text), label, samples=samples, count_tags=count_tags)


def propose_each(
    library: Library,
    positions: Iterable[int],
    edit: Callable[[int, str], str],
    label: str,
    *,
    samples: int = 5,
    count_tags: bool = False,
) -> Proposal:
    """As `propose`, for an edit that also looks at which image the caption belongs to."""
    draft = _Draft(samples, count_tags, Changes(library.folder))
    for position in positions:
        path = library.caption_path(position)
        if not draft.is_first(path):
            continue
        try:
            caption = CaptionFile.read(path)
        except CaptionError as error:
            draft.unreadable.append(error)
            continue
        text = edit(position, caption.text)
        new = caption if text == caption.text else caption.replaced(text)
        if new.text != caption.text:
            draft.change(position, Change(path, caption.raw, new.to_bytes()), Sample(path, caption.text, new.text))
        elif count_tags:
            draft.before.update(set(tag_words(caption.text)))
    return draft.proposal(label)


def propose_originals(
    library: Library,
    positions: Iterable[int],
    originals: Mapping[Path, bytes | None],
    label: str,
    *,
    samples: int = 5,
    count_tags: bool = False,
) -> Proposal:
    """What putting back `originals` (as `Journal.originals` tells) would do to the captions at `positions`.

    Bytes are put back as they were, also those that are no text; a caption that an edit made is deleted.
    """
    draft = _Draft(samples, count_tags, Changes(library.folder))
    for position in positions:
        path = _known_path(library, position, originals)
        if not draft.is_first(path):
            continue
        try:
            now = read_bytes(path)
        except CaptionError as error:
            draft.unreadable.append(error)
            continue
        then = originals.get(path, now)
        if now != then:
            draft.change(position, Change(path, now, then), Sample(path, _shown(now), _shown(then)))
        elif count_tags:
            draft.before.update(set(tag_words(_shown(now))))
    return draft.proposal(label)


@dataclass
class _Draft:
    """A proposal in the making."""

    samples: int
    count_tags: bool
    changes: Changes
    # As texts: a path that was looked for in a set takes up four times as much.
    seen: set[str] = field(default_factory=set)
    positions: list[int] = field(default_factory=list)
    shown: list[Sample] = field(default_factory=list)
    unreadable: list[CaptionError] = field(default_factory=list)
    before: Counter[str] = field(default_factory=Counter)
    shift: Counter[str] = field(default_factory=Counter)

    def is_first(self, path: Path) -> bool:
        """Whether the caption comes up for the first time."""
        before = len(self.seen)
        self.seen.add(os.fspath(path))
        return len(self.seen) > before

    def change(self, position: int, change: Change, sample: Sample) -> None:
        self.positions.append(position)
        self.changes.put(change)
        if len(self.shown) < self.samples:
            self.shown.append(sample)
        if self.count_tags:
            old, new = set(tag_words(sample.before)), set(tag_words(sample.after))
            self.before.update(old)
            self.shift.update(new - old)
            self.shift.subtract(old - new)

    def proposal(self, label: str) -> Proposal:
        moved = sorted((-abs(by), tag) for tag, by in self.shift.items() if by)
        tags = tuple(TagCount(tag, self.before[tag], self.before[tag] + self.shift[tag]) for _, tag in moved)
        return Proposal(
            label,
            len(self.seen),
            tuple(self.positions),
            self.changes,
            tuple(self.shown),
            tuple(self.unreadable),
            tags,
        )


def _known_path(library: Library, position: int, originals: Mapping[Path, bytes | None]) -> Path:
    """The image's caption as the journal names it; a caption that an edit deleted may have had another ending."""
    path = Path(os.path.abspath(library.caption_path(position)))
    if path in originals or path.exists():
        return path
    image = Path(os.path.abspath(library[position].path))
    paths = (caption_path(image, naming) for naming in NAMINGS)
    return next((known for known in paths if known in originals), path)


def _shown(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8-sig", "replace").rstrip("\r\n")
