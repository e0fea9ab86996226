"""What `sdtui caption` does with a query: choose images, find, mark and rate them, keep queries by name."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sdtui.cli.output import emit_json, plural
from sdtui.cli.progress import ProgressLine
from sdtui.dataset.library import Library
from sdtui.dataset.marks import Marks
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError

if TYPE_CHECKING:
    from sdtui.dataset.index import Index

# Reading the captions is told about only when one would wonder.
_QUIET_SECONDS = 1.0


def index_of(library: Library) -> Index:
    """The index of all captions, read from disk with a line of progress and kept for the next time."""
    from sdtui.dataset.index import Index

    index = Index(library)
    for _ in told("reading captions", index.load(), len(library)):
        pass
    _keep(index)
    return index


def told(what: str, dones: Iterable[int], total: int) -> Iterator[int]:
    """Pass on how many images are done, with a line of progress once that takes its time."""
    line, begun = ProgressLine(sys.stderr), time.monotonic()
    try:
        for done in dones:
            if time.monotonic() - begun > _QUIET_SECONDS:
                line.status(f"{what}: {done} of {plural(total, 'image')}")
            yield done
    finally:
        line.clear()


def in_scope(args: argparse.Namespace, library: Library) -> Sequence[int]:
    """Positions of the images that `--where` and `--mark` leave, rising."""
    found: Sequence[int] = found_by(args.where, library) if args.where else range(len(library))
    if args.marked is None:
        return found
    marked = Marks(library.folder).selected(args.marked)
    return [position for position in found if library[position].relative in marked]


def position_of(library: Library, image: str) -> int:
    """The position of an image that is named from the dataset's folder, as lists print it, or from here, as shells complete it.

    Raises:
        UserError: there is none of this name.
    """
    inside = os.path.relpath(os.path.abspath(image), os.path.abspath(library.folder))
    position = library.position(image)
    if position is None and not inside.startswith(os.pardir):
        position = library.position(inside)
    if position is None:
        raise UserError(
            "there is no such image in the dataset",
            where=printable(image),
            remedy="Give its path relative to DIR, as `sdtui caption ls` prints it",
        )
    return position


def found_by(text: str, library: Library) -> list[int]:
    """Positions of the images that a query finds, rising; `@NAME` is a saved one.

    Raises:
        QueryError: it cannot be understood; the place is shown on stderr first.
    """
    from sdtui.dataset.query import QueryError, Searcher, parse
    from sdtui.models import tokens
    from sdtui.tagging.lookup import ScoreLookup

    marks = Marks(library.folder)
    try:
        query = parse(marks.query(text))
    except QueryError as error:
        print(error.pointed(), file=sys.stderr)
        raise
    index = index_of(library)
    found: list[int] = Searcher(index, marks, tokens.count, ScoreLookup(library)).find(query).tolist()
    _keep(index)
    return found


def mark(args: argparse.Namespace, library: Library) -> int:
    """Put the images that a query finds into a selection, or take them out of it."""
    found = [library[position].relative for position in found_by(args.query, library)]
    changed = Marks(library.folder).mark(found, args.number, on=not args.off)
    verb = "taken off" if args.off else "set on"
    return _said(args, found, changed, f"mark {args.number} {verb} {plural(changed, 'image')}")


def rate(args: argparse.Namespace, library: Library) -> int:
    """Give the images that a query finds 0 to 5 stars."""
    found = [library[position].relative for position in found_by(args.query, library)]
    changed = Marks(library.folder).rate(found, args.stars)
    return _said(args, found, changed, f"{plural(args.stars, 'star')} given to {plural(changed, 'image')}")


def queries(args: argparse.Namespace) -> int:
    """List the saved queries, save one, rename one, or forget one."""
    from sdtui.dataset.query import QueryError, parse

    if not args.folder.is_dir():
        raise UserError("the folder does not exist", where=printable(args.folder), remedy="Check the path")
    marks = Marks(args.folder)
    if args.save:
        name, text = args.save
        try:
            parse(text)
        except QueryError as error:
            print(error.pointed(), file=sys.stderr)
            raise
        marks.save_query(name, text)
    elif args.rename:
        marks.rename_query(*args.rename)
    elif args.forget and not marks.forget_query(args.forget):
        raise UserError(f"no query is saved as {args.forget!r}", remedy="`sdtui caption queries DIR` lists them")
    saved = dict(sorted(marks.now.queries.items()))
    if args.json:
        emit_json({"queries": saved})
        return 0
    for name, text in saved.items():
        print(f"{printable(name)}\t{printable(text)}")
    return 0


def _said(args: argparse.Namespace, found: list[str], changed: int, words: str) -> int:
    if args.json:
        report: dict[str, Any] = {"action": args.action, "found": len(found), "changed": changed}
        emit_json(report)
    print(f"{words}, {plural(len(found), 'image')} found", file=sys.stderr)
    return 0


def _keep(index: Index) -> None:
    """Keep the index; without it the answer is as right, only the next one slower."""
    try:
        index.keep()
    except SdtuiError as error:
        print(f"sdtui: the captions will be read again next time: {error}", file=sys.stderr)
