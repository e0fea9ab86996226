"""What `sdtui caption` prints without changing anything: ls, find, stats."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sdtui.cli.caption_arguments import insist_least
from sdtui.cli.caption_query import found_by, in_scope, index_of
from sdtui.cli.output import emit_json
from sdtui.dataset.caption import CaptionError, label
from sdtui.dataset.edit import Journal
from sdtui.dataset.image import EXTENSIONS
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError


def library_of(args: argparse.Namespace) -> Library:
    """The images of DIR; raises UserError when there are none, telling what lies there instead."""
    if args.extension != "auto" and not args.extension.startswith("."):
        args.extension = f".{args.extension}"
    library = Library.scan(args.folder, recursive=not args.flat, extension=args.extension)
    if not library:
        raise UserError(
            f"no images here: {library.why_empty()}",
            where=printable(args.folder),
            remedy="Images end in " + " ".join(sorted(EXTENSIONS)),
        )
    for folder in library.unreadable_folders:
        print(f"sdtui: {printable(folder)}: no permission to read the folder; left out", file=sys.stderr)
    return library


def library_to_look_at(args: argparse.Namespace) -> Library:
    """As `library_of`, for what changes nothing; says which edit a killed process left half done."""
    library = library_of(args)
    tell_cut_short(args.folder)
    return library


def tell_cut_short(folder: Path) -> None:
    """Say on stderr which edit a killed process left half done in `folder`, and what settles it."""
    cut_short = Journal.unfinished(folder)
    if cut_short is not None:
        print(
            f"sdtui: {printable(cut_short.label)}: this {cut_short.verb} was cut short after {cut_short.written} of "
            f"{cut_short.files} files. The next edit finishes it; `sdtui caption undo` and `redo` take it back or finish it",
            file=sys.stderr,
        )


def ls(args: argparse.Namespace) -> int:
    """One line an image: its path, a tab, its caption."""
    library = library_to_look_at(args)
    rows = [_row(library, position) for position in in_scope(args, library)]
    if args.untagged:
        rows = [row for row in rows if _is_untagged(row)]
    return _show(args, library, rows)


def find(args: argparse.Namespace) -> int:
    """As `ls`, for the images that a query finds; `--count`: only how many."""
    library = library_to_look_at(args)
    found = found_by(args.query, library)
    if not args.count:
        return _show(args, library, [_row(library, position) for position in found])
    if args.json:
        emit_json({"found": len(found), "images": len(library)})
    else:
        print(len(found))
    return 0


def stats(args: argparse.Namespace) -> int:
    """In how many captions each tag stands, most frequent first unless told otherwise."""
    insist_least(args, "top", 0)
    library = library_to_look_at(args)
    positions = in_scope(args, library)
    index = index_of(library)
    counts = index.tag_counts(positions)
    orders: dict[str, Callable[[tuple[str, int]], Any]] = {
        "count": lambda item: (-item[1], item[0]),
        "name": lambda item: (item[0].casefold(), item[0]),
        "length": lambda item: (-len(item[0]), item[0]),
    }
    ranked = sorted(counts.items(), key=orders[args.sort])
    shown = ranked[: args.top] if args.top else ranked
    untagged = sum(
        not library.has_caption(at) or ((text := index.text(at)) is not None and not text.strip()) for at in positions
    )
    if args.json:
        summary = {"images": len(positions), "untagged": untagged, "tags": len(counts), **_namings(library)}
        emit_json({**summary, "counts": [{"tag": tag, "captions": count} for tag, count in shown]})
        return 0
    for tag, count in shown:
        print(f"{count}\t{printable(tag)}")
    words = f"{len(positions)} images, {untagged} untagged, {len(counts)} different tags"
    print(f"{words}; {library.describe_captions()}", file=sys.stderr)
    return 0


def _namings(library: Library) -> dict[str, Any]:
    """Which ending new captions get, and how many captions have which."""
    return {"naming": library.naming, "namings": {label(naming): count for naming, count in library.namings.items()}}


def _row(library: Library, position: int) -> dict[str, Any]:
    row: dict[str, Any] = {"image": library[position].relative, "caption": None}
    try:
        caption = library.read_caption(position)
    except CaptionError as error:
        return {**row, "error": error.message}
    if caption.raw is not None:
        row["caption"] = caption.text
    return row


def _is_untagged(row: dict[str, Any]) -> bool:
    """Whether the image has no caption, or a blank one; of one that cannot be read nothing is known."""
    return "error" not in row and not (row["caption"] or "").strip()


def _shown(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"({row['error']})"
    if row["caption"] is None:
        return "(no caption)"
    return str(row["caption"]) if row["caption"].strip() else "(empty caption)"


def _show(args: argparse.Namespace, library: Library, rows: list[dict[str, Any]]) -> int:
    if args.json:
        emit_json({**_namings(library), "images": rows})
        return 0
    for row in rows:
        print(f"{printable(row['image'])}\t{printable(_shown(row))}")
    untagged = sum(map(_is_untagged, rows))
    print(f"{len(rows)} of {len(library)} images, {untagged} untagged; {library.describe_captions()}", file=sys.stderr)
    return 0
