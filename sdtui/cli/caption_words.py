"""What the colours of the captions screen say, from the shell, and the tags that are offered while one types."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sdtui.cli.caption_arguments import insist_least
from sdtui.cli.caption_list import library_to_look_at
from sdtui.cli.caption_query import in_scope, index_of, told
from sdtui.cli.output import emit_json
from sdtui.dataset.caption import parse_tags
from sdtui.dataset.names import printable
from sdtui.tui.captions.schemes import ORIGIN, SCHEMES, Ground

if TYPE_CHECKING:
    from sdtui.dataset.library import Library


def problems(args: argparse.Namespace) -> int:
    """One line for each tag that the scheme marks: image, tag, class, what is said of it, what may stand instead."""
    from sdtui.dataset import vocabulary_file
    from sdtui.dataset.complete import Completer, OwnTags
    from sdtui.models import tokens
    from sdtui.tui.captions.ground import Asked

    library = library_to_look_at(args)
    positions = in_scope(args, library)
    index = index_of(library)
    asked = Asked(index, Completer(OwnTags(index.tag_counts().most_common()), vocabulary_file.load()))
    asked.borders, asked.triggers = tokens.borders, args.trigger
    scheme = next(each for each in SCHEMES if each.name == args.by)
    words = {letter: told for letter, _style, told in scheme.classes}
    ground_of = _with_origins(library) if scheme.name == ORIGIN else lambda ground, _position: ground
    found: list[dict[str, Any]] = []
    for done in told("looking for problems", range(len(positions)), len(positions)):
        position = positions[done]
        text = index.text(position) or ""
        tags = parse_tags(text)
        marks = scheme.marks(tags, text, ground_of(asked.ground(looked_up=len(tags)), position))
        found += [
            {
                "image": library[position].relative,
                "tag": tags[at].text,
                "what": words[mark.letter],
                "told": mark.told,
                "instead": mark.instead,
            }
            for at, mark in sorted(marks.items())
            if mark.letter
        ]
    if args.json:
        emit_json({"by": scheme.name, "images": len(positions), "found": found})
        return 0
    for row in found:
        print("\t".join(printable(row[name]) for name in ("image", "tag", "what", "told", "instead")).rstrip("\t"))
    images = len({row["image"] for row in found})
    print(f"{len(found)} tags of {images} of {len(positions)} images", file=sys.stderr)
    return 0


def _with_origins(library: Library) -> Callable[[Ground, int], Ground]:
    """What also tells of a caption's tags whether a tagger put them there."""
    from sdtui.tagging.applying import plain
    from sdtui.tagging.origins import Origins

    origins = Origins(library.folder)
    origins.read_slowly(lambda: False)

    def ground_of(ground: Ground, position: int) -> Ground:
        theirs = origins.of(library.caption_path(position))
        return replace(ground, from_tagger=lambda tag: plain(tag) in theirs)

    return ground_of


def complete(args: argparse.Namespace) -> int:
    """The tags that the screen would offer for what was typed, best first."""
    insist_least(args, "limit", 1)
    from sdtui.dataset import vocabulary_file
    from sdtui.dataset.complete import Completer, OwnTags

    library = library_to_look_at(args)
    completer = Completer(OwnTags(index_of(library).tag_counts().most_common()), vocabulary_file.load())
    rows = [
        {
            "tag": offer.tag,
            "here": offer.own,
            "elsewhere": offer.entry.count if offer.entry else 0,
            "category": offer.entry.category if offer.entry else "unknown",
            "deprecated": bool(offer.entry and offer.entry.deprecated),
            "found_by": offer.via,
        }
        for offer in completer.offers(args.typed, args.limit)
    ]
    if args.json:
        emit_json({"typed": args.typed, "offers": rows})
        return 0
    for row in rows:
        names = ("tag", "here", "elsewhere", "category", "found_by")
        print("\t".join(printable(str(row[name])) for name in names).rstrip("\t"))
    return 0
