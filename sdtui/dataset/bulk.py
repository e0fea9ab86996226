"""The same edit over many captions: worked out first, looked at, then handed to the journal as one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.caption import CaptionError
from sdtui.dataset.journal import Change
from sdtui.dataset.library import Library


class Sample(NamedTuple):
    """One caption before and after, for the preview."""

    path: Path
    before: str
    after: str


@dataclass(frozen=True)
class Proposal:
    """An edit that has not been made: what it is called, what it would write, which captions it cannot read."""

    label: str
    looked_at: int
    positions: tuple[int, ...]
    changes: tuple[Change, ...]
    samples: tuple[Sample, ...]
    unreadable: tuple[CaptionError, ...]


def propose(
    library: Library,
    positions: Iterable[int],
    edit: Callable[[str], str],
    label: str,
    *,
    samples: int = 5,
) -> Proposal:
    """What `edit` would do to the captions at `positions`, read from disk now; nothing is written.

    An image without a caption file counts as an empty caption, and gets a file only if `edit` gives it a text. A
    caption that two images share (01.png and 01.jpg) is edited once.
    """
    seen: set[Path] = set()
    touched: list[int] = []
    changes: list[Change] = []
    shown: list[Sample] = []
    unreadable: list[CaptionError] = []
    for position in positions:
        path = library.caption_path(position)
        if path in seen:
            continue
        seen.add(path)
        try:
            caption = library.read_caption(position)
        except CaptionError as error:
            unreadable.append(error)
            continue
        new = caption.replaced(edit(caption.text))
        if new.text != caption.text:
            touched.append(position)
            changes.append(Change(path, caption.raw, new.to_bytes()))
            if len(shown) < samples:
                shown.append(Sample(path, caption.text, new.text))
    return Proposal(label, len(seen), tuple(touched), tuple(changes), tuple(shown), tuple(unreadable))
