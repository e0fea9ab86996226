"""`sdtui import scores`: scores that another program stored, into the dataset's own."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdtui.cli.output import emit_json, plural
from sdtui.dataset.addresses import Addresses
from sdtui.dataset.digests import Digests
from sdtui.dataset.image import UnreadableImage
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError

if TYPE_CHECKING:
    from sdtui.tagging.foreign import Foreign
    from sdtui.tagging.tag_list import TagList

_SHOWN = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="picobyte's db.json; kohya's metadata; a folder of toriato's json files, or of captions with ranks",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the images that were scored")
    parser.add_argument("--name", default="", help="what the tagger is called here (default: as in the file)")
    parser.add_argument("--flat", action="store_true", help="leave out the folders inside DIR")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be imported, and import nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Import; names that mean no image are told on stderr."""
    from sdtui.tagging.foreign import read_foreign

    library = Library.scan(args.folder, recursive=not args.flat)
    if not library:
        raise UserError(f"no images here: {library.why_empty()}", where=printable(args.folder))
    found = read_foreign(args.file)
    home = args.file if args.file.is_dir() else args.file.parent
    addresses = Addresses(library, home.absolute())
    digests = Digests(library.folder)
    reports = [_take(args, library, addresses, digests, each) for each in found]
    digests.save()
    if args.json:
        emit_json({"taggers": reports, "dry_run": args.dry_run})
    if not any(report["images"] for report in reports):
        raise UserError("none of the names means an image here", where=printable(args.folder))
    return 0


def _take(
    args: argparse.Namespace, library: Library, addresses: Addresses, digests: Digests, found: Foreign
) -> dict[str, Any]:
    """Store what one tagger gave, and say how much of it."""
    from sdtui.tagging.score_table import ScoreTable
    from sdtui.tagging.scores import Scores, TaggerFacts

    tags = found.tags()
    rows: dict[str, dict[int, float]] = {}
    unknown = []
    for name, scores in found.rows.items():
        digest = _digest(library, addresses.find(name), digests)
        if digest:
            rows[digest] = _by_place(tags, scores)
        else:
            unknown.append(name)
    facts = TaggerFacts(args.name or found.tagger, _digest_of(tags), found.how, tags)
    scores_there = Scores.of(library.folder, facts)
    if not args.dry_run:
        scores_there.append(ScoreTable.of_lists(tags, [(digest, [*row.items()]) for digest, row in rows.items()]))
    if not args.json:
        verb = "would be imported" if args.dry_run else "imported"
        print(f"{scores_there.id}: scores of {plural(len(rows), 'image')} {verb}, {plural(len(tags), 'tag')}")
    _tell([f"{printable(name)}: means none of the images, or several" for name in unknown])
    _tell([str(error) for error in found.left_out])
    return {
        "tagger": scores_there.id,
        "images": len(rows),
        "tags": len(tags),
        "unknown": unknown,
        "left_out": [str(error) for error in found.left_out],
    }


def _by_place(tags: TagList, scores: Mapping[str, float]) -> dict[int, float]:
    """The scores by place in the list; of two spellings of one tag the higher counts."""
    places = ((tags.place(tag), score) for tag, score in scores.items())
    rising = sorted((score, place) for place, score in places if place is not None)
    return {place: score for score, place in rising}


def _tell(lines: list[str]) -> None:
    """The first few of them on stderr, and how many more there are."""
    for line in lines[:_SHOWN]:
        print(f"sdtui: {line}", file=sys.stderr)
    if len(lines) > _SHOWN:
        print(f"sdtui: … and {len(lines) - _SHOWN} more", file=sys.stderr)


def _digest_of(tags: TagList) -> str:
    """Stands for the model, which is not known: scores of other tags are another tagger's."""
    return hashlib.sha256("\n".join(tags.names).encode()).hexdigest()


def _digest(library: Library, position: int | None, digests: Digests) -> str:
    """The digest of the image at a position; empty where there is none that can be read."""
    if position is None:
        return ""
    try:
        return digests.of(library[position].path)
    except UnreadableImage:
        return ""
