"""`sdtui tags`: decide tags from the scores that `sdtui tag` stored, look at them, and write them into captions."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from sdtui.amounts import bytes_text
from sdtui.cli import caption_conflict
from sdtui.cli.caption import scan_options
from sdtui.cli.caption_arguments import insist_least
from sdtui.cli.caption_edit import make, open_journal
from sdtui.cli.caption_list import library_of
from sdtui.cli.caption_query import in_scope, position_of
from sdtui.cli.output import emit_json, plural
from sdtui.cli.progress import ProgressLine
from sdtui.cli.tag_rules import add_rules, add_taggers, words_in
from sdtui.dataset.bulk import Proposal
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.models import tokens
from sdtui.tagging.applying import Mode, propose_descriptions, propose_sorted, propose_tags
from sdtui.tagging.decide import Decision, decide
from sdtui.tagging.descriptions import describers
from sdtui.tagging.rule_words import RuleWords, known_tag, rules_of
from sdtui.tagging.scores import scores_of, taggers

if TYPE_CHECKING:
    from sdtui.tagging.rules import Rules
    from sdtui.tagging.scored_images import ScoredImages
    from sdtui.tagging.scores import Scores
    from sdtui.tagging.survey import Totals

_BINS = 20
_BAR = 40
# What takes no longer is not told about.
_QUIET_SECONDS = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = _action(actions, "show", "print the tags that the rules give, and with an image why", _show)
    show.add_argument("image", nargs="?", default="", metavar="IMAGE", help="only this one, with every score")
    apply = _action(actions, "apply", "write the tags into the captions, as one edit that can be undone", _apply)
    apply.add_argument(
        "--mode", choices=get_args(Mode), default="add", help="what becomes of the tags that are there (default: add)"
    )
    for described in (show, apply):
        described.add_argument(
            "--description", metavar="NAME", help="the words of this model in place of tags (see `sdtui tags taggers`)"
        )
    apply.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    caption_conflict.add_option(apply)
    sort = _action(actions, "sort", "put each caption's tags in the order of their scores, as one edit", _sort)
    sort.add_argument("--keep", type=int, default=0, metavar="N", help="leave the first N tags where they are")
    sort.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    caption_conflict.add_option(sort)
    stats = _action(actions, "stats", "count what the rules come to over all images", _stats)
    stats.add_argument(
        "--top", type=int, default=50, metavar="N", help="the N most frequent tags (default: 50, 0: all)"
    )
    stats.add_argument("--of", default="", metavar="TAG", help="the histogram of one tag's scores instead")
    stats.add_argument("--versus", metavar="T", help="what appears and vanishes against this threshold instead")
    for ruled in (show, apply, stats):
        add_rules(ruled)
    listing = actions.add_parser("taggers", help="list the taggers whose scores are stored", allow_abbrev=False)
    listing.add_argument("folder", metavar="DIR", type=Path, help="folder of images")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    listing.set_defaults(act=_taggers)


def run(args: argparse.Namespace) -> int:
    """Do the action; return the exit code."""
    code: int = args.act(args)
    return code


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, act: Any
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of images")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    scan_options(parser)
    parser.add_argument("--where", metavar="QUERY", default="", help="only images that this query finds")
    parser.add_argument("--mark", metavar="N", dest="marked", type=int, help="only images with this mark, 1 to 9")
    add_taggers(parser)
    parser.set_defaults(act=act)
    return parser


def _show(args: argparse.Namespace) -> int:
    if args.description:
        return _show_words(args)
    library, images, rules = _loaded(args)
    if args.image:
        return _show_one(args, library, images, rules)
    rows = []
    for position in in_scope(args, library):
        scored = bool(images.has_scores[position])
        decision = decide(images.scored(position), rules, tokens.count)
        rows.append({"image": library[position].relative, "tags": decision.text(rules) if scored else None})
    if args.json:
        emit_json({"images": rows})
        return 0
    for row in rows:
        print(
            f"{printable(str(row['image']))}\t{printable(row['tags'] if row['tags'] is not None else '(not scored)')}"
        )
    return 0


def _show_words(args: argparse.Namespace) -> int:
    library, texts = _words(args)
    rows = [{"image": library[position].relative, "text": texts[position]} for position in in_scope(args, library)]
    if args.json:
        emit_json({"images": rows})
        return 0
    for row in rows:
        print(f"{printable(str(row['image']))}\t{printable(row['text'] or '(not described)')}")
    return 0


def _words(args: argparse.Namespace) -> tuple[Library, list[str | None]]:
    """The images, and what the model said of each."""
    from sdtui.tagging.descriptions import descriptions_of
    from sdtui.tagging.scored_images import digests_of

    library = library_of(args)
    texts = descriptions_of(args.folder, args.description).texts()
    return library, [texts.get(digest) for digest in digests_of(library)]


def _show_one(args: argparse.Namespace, library: Library, images: ScoredImages, rules: Rules) -> int:
    position = position_of(library, args.image)
    if not images.has_scores[position]:
        raise UserError(
            "the image has no scores", where=printable(args.image), remedy="Score it with `sdtui tag DIR --tagger NAME`"
        )
    decision = decide(images.scored(position), rules, tokens.count)
    told = _told(decision)
    if args.json:
        emit_json({"image": args.image, "text": decision.text(rules), "tags": told})
        return 0
    for row in told:
        print(
            f"{row['score']:.3f}\t{'kept' if row['kept'] else row['why']}\t{row['category']}\t{printable(row['tag'])}"
        )
    print(printable(decision.text(rules)), file=sys.stderr)
    return 0


def _told(decision: Decision) -> list[dict[str, Any]]:
    pairs = [*((tag, "") for tag in decision.kept), *decision.dropped]
    return [
        {"tag": tag.name, "category": tag.category, "score": round(tag.score, 4), "kept": not why, "why": why}
        for tag, why in sorted(pairs, key=lambda pair: -pair[0].score)
    ]


def _apply(args: argparse.Namespace) -> int:
    count = args.dry_run or args.json
    if args.description:
        library, texts = _words(args)
        journal = open_journal(args)
        proposal = propose_descriptions(library, in_scope(args, library), texts, args.mode, count_tags=count)
        return make(args, journal, proposal, {"without_scores": texts.count(None)})
    library, images, rules = _loaded(args)
    positions = in_scope(args, library)
    journal = open_journal(args)
    proposal = propose_tags(
        library, _told_each(positions), images, rules, args.mode, count_tokens=tokens.count, count_tags=count
    )
    more = {"without_scores": _without(images, positions), "emptied": _emptied(proposal)}
    return make(args, journal, proposal, more)


def _sort(args: argparse.Namespace) -> int:
    insist_least(args, "keep", 0)
    library, images = _scored(args)
    positions = in_scope(args, library)
    journal = open_journal(args)
    proposal = propose_sorted(library, _told_each(positions), images, keep=args.keep)
    return make(args, journal, proposal, {"without_scores": _without(images, positions)})


def _without(images: ScoredImages, positions: Sequence[int]) -> int:
    """How many of the images have no scores, which is said."""
    left = sum(not images.has_scores[position] for position in positions)
    if left:
        print(f"sdtui: {plural(left, 'image')} without scores left as they are", file=sys.stderr)
    return left


def _emptied(proposal: Proposal) -> int:
    """How many captions would hold nothing any more, which is said: some trainers stop at an empty one."""
    emptied = sum(not (change.after or b"").strip() for change in proposal.changes)
    if emptied:
        print(f"sdtui: {plural(emptied, 'caption')} would hold nothing any more", file=sys.stderr)
    return emptied


def _stats(args: argparse.Namespace) -> int:
    insist_least(args, "top", 0)
    library, images, rules = _loaded(args)
    chosen = _among(images, in_scope(args, library))
    if args.of:
        return _histogram(args, chosen)
    if args.versus is not None:
        return _versus(args, chosen, rules)
    totals, counts = _counted(chosen, rules)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ranked[: args.top] if args.top else ranked
    report = {"images": totals.images, "kept": totals.kept, "empty": totals.empty, "tags": len(ranked)}
    if args.json:
        emit_json({**report, "counts": [{"tag": tag, "images": count} for tag, count in shown]})
        return 0
    for tag, count in shown:
        print(f"{count}\t{printable(tag)}")
    mean = totals.kept / totals.images if totals.images else 0
    print(
        f"{plural(totals.images, 'image')} with scores, {plural(totals.kept, 'tag')} kept ({mean:.1f} an image), "
        f"{plural(len(ranked), 'different tag')}, {plural(totals.empty, 'image')} left without",
        file=sys.stderr,
    )
    return 0


def _counted(images: ScoredImages, rules: Rules) -> tuple[Totals, Counter[str]]:
    """What the rules come to: at once, or where they limit tokens, image by image with a line of progress."""
    from sdtui.tagging.survey import counting

    if rules.max_tokens is None:
        return images.survey.totals(rules), images.survey.counts(rules)
    line, told = _quiet_line(f"deciding image {{}} of {len(images.table)}")
    for found in counting(images.table, rules, tokens.count):
        told(found.images)
    line.clear()
    return found.totals, found.counts


def _among(images: ScoredImages, positions: Sequence[int]) -> ScoredImages:
    import numpy as np

    from sdtui.tagging.scored_images import ScoredImages

    return ScoredImages(images.table.arranged(np.array(positions, np.int64)))


def _histogram(args: argparse.Namespace, images: ScoredImages) -> int:
    known_tag(args.of, images.table.tags)
    counts = images.survey.histogram(args.of, _BINS).tolist()
    if args.json:
        emit_json({"tag": args.of, "bins": [{"from": at / _BINS, "images": count} for at, count in enumerate(counts)]})
        return 0
    longest = max(counts) or 1
    for at, count in enumerate(counts):
        print(f"{at / _BINS:.2f}\t{count}\t{'#' * (-(-count * _BAR // longest))}")
    return 0


def _versus(args: argparse.Namespace, images: ScoredImages, rules: Rules) -> int:
    try:
        other = _rules(args, replace(words_in(args), threshold=args.versus), images)
    except UserError as error:
        raise UserError(error.message, where="--versus", remedy=error.remedy) from error
    (before, then), (after, now) = _counted(images, other), _counted(images, rules)
    changes = {tag: now[tag] - then[tag] for tag in now | then if now[tag] != then[tag]}
    ranked = sorted(changes.items(), key=lambda item: (-abs(item[1]), item[0]))
    if args.json:
        counts = [{"tag": tag, "images": count} for tag, count in ranked]
        emit_json({"before": before.__dict__, "after": after.__dict__, "changes": counts})
        return 0
    for tag, count in ranked:
        print(f"{count:+d}\t{printable(tag)}")
    print(
        f"{before.kept} → {after.kept} tags, {before.empty} → {after.empty} images left without",
        file=sys.stderr,
    )
    return 0


def _taggers(args: argparse.Namespace) -> int:
    if not args.folder.is_dir():
        raise UserError("the folder does not exist", where=printable(args.folder), remedy="Check the path")
    rows: list[dict[str, Any]] = []
    for scores in taggers(args.folder):
        facts = scores.facts
        rows.append(
            {
                "tagger": scores.id,
                "images": len(scores.table()),
                "tags": len(facts.tags),
                "bytes": scores.size,
                "preprocessing": facts.preprocessing,
            }
        )
    described: list[dict[str, Any]] = [
        {"describer": each.id, "images": len(each.texts()), "how": each.facts.how} for each in describers(args.folder)
    ]
    if args.json:
        emit_json({"taggers": rows, "describers": described})
        return 0
    for row in rows:
        told = (row["tagger"], plural(row["images"], "image"), plural(row["tags"], "tag"), bytes_text(row["bytes"]))
        print("\t".join((*told, printable(row["preprocessing"]))))
    for row in described:
        print(f"{row['describer']}\t{plural(row['images'], 'image')}\tin words, {printable(row['how'])}")
    if not rows and not described:
        print("no model has scored or described these images: `sdtui tag DIR --tagger NAME` does", file=sys.stderr)
    return 0


def _loaded(args: argparse.Namespace) -> tuple[Library, ScoredImages, Rules]:
    """The images, their scores, and the rules."""
    library, images = _scored(args)
    return library, images, _rules(args, words_in(args), images)


def _rules(args: argparse.Namespace, words: RuleWords, images: ScoredImages) -> Rules:
    """The rules that `words` mean for the first of the taggers."""
    name = scores_of(args.folder, args.tagger[0] if args.tagger else "").facts.name
    return rules_of(words, name, images.table.tags)


def _scored(args: argparse.Namespace) -> tuple[Library, ScoredImages]:
    """The images and their scores."""
    from sdtui.tagging.scored_images import ScoredImages

    library = library_of(args)
    chosen: list[Scores] = [scores_of(args.folder, name) for name in args.tagger or [""]]
    line, told = _quiet_line(f"looking up image {{}} of {len(library)}")
    images = ScoredImages.load(library, chosen, args.combine, told)
    line.clear()
    return library, images


def _told_each(positions: Sequence[int]) -> Iterator[int]:
    """The positions, with a line of progress."""
    line, told = _quiet_line(f"deciding image {{}} of {len(positions)}")
    for done, position in enumerate(positions, 1):
        yield position
        told(done)
    line.clear()


def _quiet_line(words: str) -> tuple[ProgressLine, Callable[[int], None]]:
    """A line of progress that begins only when one would wonder, and what tells it how many are done."""
    line, begun = ProgressLine(sys.stderr), time.monotonic()

    def told(done: int) -> None:
        if time.monotonic() - begun > _QUIET_SECONDS:
            line.status(words.format(done))

    return line, told
