"""The options of `sdtui tags` that say which scored tags an image gets and how they are written, read into `Rules`."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from sdtui.errors import UserError
from sdtui.tagging.combine import How
from sdtui.tagging.rules import MCUT_FLOORS, PRESETS, Order, Ratings, Rules, p_equals_r
from sdtui.tagging.tag_list import CHARACTER, TagList, key

_SWITCHES = {
    "spaces": "blanks for underscores",
    "faces": "leave the underscores of faces such as ^_^",
    "escape": "a backslash before ( ) and \\",
    "ranks": "write (tag:0.980)",
}


def add_taggers(parser: argparse.ArgumentParser) -> None:
    """Declare whose scores are meant."""
    which = parser.add_argument_group("whose scores")
    which.add_argument(
        "--tagger", action="append", default=[], metavar="NAME", help="repeatable; needed if there are several"
    )
    which.add_argument("--combine", choices=get_args(How), default="union", help="of several taggers (default: union)")


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Declare the rules; those that are not given stay with the preset."""
    rules = parser.add_argument_group("which tags")
    rules.add_argument("--preset", choices=[*PRESETS], help="default: wd for taggers that know characters, else a1111")
    rules.add_argument("--threshold", metavar="T", help="0 to 1; or mcut; or p=r for equal precision and recall")
    rules.add_argument("--category", action="append", default=[], metavar="NAME=T", help="threshold of a category")
    rules.add_argument("--tag", action="append", default=[], metavar="NAME=T", help="threshold of one tag")
    rules.add_argument("--ban", action="append", default=[], metavar="TAG", help="a tag that never comes")
    rules.add_argument("--ratings", choices=get_args(Ratings), help="rating tags; first, last: the likeliest one")
    rules.add_argument("--aliases", action="store_true", help="the names that your tag lists use today")
    rules.add_argument(
        "--implications", action="store_true", help="without tags that others say as well, by your tag lists"
    )
    rules.add_argument("--max-tags", type=int, metavar="N", help="at most the N with the highest scores")
    rules.add_argument("--max-tokens", type=int, metavar="N", help="as many as fit into N CLIP tokens")
    text = parser.add_argument_group("in which order, and how written")
    text.add_argument("--order", choices=get_args(Order), help="margin: by how far a score is beyond its threshold")
    text.add_argument(
        "--first", action="append", default=[], metavar="TAG", help="a tag that stands in front; repeatable"
    )
    for name, meaning in _SWITCHES.items():
        text.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=meaning)


def rules_of(args: argparse.Namespace, tagger: str, tags: TagList) -> Rules:
    """The rules that the options describe for a tagger of this name.

    Raises:
        UserError: a value that is no threshold, a tag or category that the tagger does not know.
    """
    rules = PRESETS[args.preset or ("wd" if CHARACTER in tags.categories else "a1111")]
    for name in (*args.ban, *args.first):
        _known(name, tags)
    given = {name: getattr(args, name) for name in ("order", "ratings", "max_tags", "max_tokens", *_SWITCHES)}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    changes |= _thresholds(args, rules, tagger, tags)
    changes |= {"ban": frozenset(args.ban), "first": tuple(args.first)}
    if args.aliases or args.implications:
        changes |= _vocabulary(args, tags)
    return replace(rules, **changes)


def _thresholds(args: argparse.Namespace, rules: Rules, tagger: str, tags: TagList) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if args.threshold == "mcut":
        found["mcut"] = MCUT_FLOORS
    elif args.threshold == "p=r":
        found["threshold"] = p_equals_r(tagger)
    elif args.threshold is not None:
        found["threshold"] = _number(args.threshold, "--threshold")
    categories = dict(_pairs(args.category, "--category"))
    for name in categories:
        if name not in tags.categories:
            known = ", ".join(sorted(set(tags.categories)))
            raise UserError(f"the tagger has no category {name!r}", where="--category", remedy=f"It has {known}")
    found["categories"] = {**rules.categories, **categories}
    found["tags"] = {_known(name, tags): value for name, value in _pairs(args.tag, "--tag")}
    return found


def _pairs(words: Iterable[str], option: str) -> Iterable[tuple[str, float]]:
    for word in words:
        # From the end: tags may hold an = themselves, as =_= does.
        name, _, value = word.rpartition("=")
        if not name:
            raise UserError(
                f"{word!r} is not NAME=THRESHOLD", where=option, remedy=f"Write for example {option} solo=0.6"
            )
        yield name, _number(value, option)


def _number(word: str, option: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise UserError(f"{word!r} is no threshold", where=option, remedy="Give a number from 0 to 1") from None


def _known(name: str, tags: TagList) -> str:
    place = tags.place(name)
    if place is None:
        near = difflib.get_close_matches(key(name), tags.places, n=1)
        remedy = f"Did you mean {near[0]}?" if near else "`sdtui tags stats` lists what it gave"
        raise UserError(f"the tagger knows no tag {name!r}", remedy=remedy)
    return tags.names[place]


def _vocabulary(args: argparse.Namespace, tags: TagList) -> Mapping[str, Any]:
    """What the user's tag lists say of the tagger's tags."""
    from sdtui.dataset import vocabulary_file

    vocabulary = vocabulary_file.load()
    if not len(vocabulary):
        raise UserError(
            "there are no tag lists", remedy=f"Put a list such as danbooru.csv into {vocabulary_file.folder()}"
        )
    found: dict[str, Any] = {}
    if args.aliases:
        renamed = {name: vocabulary.canonical(name) for name in tags.names}
        found["aliases"] = {key(old): new for old, new in renamed.items() if key(old) != key(new)}
    if args.implications:
        names = {key(name) for name in tags.names} | {key(name) for name in found.get("aliases", {}).values()}
        found["implied"] = {name: less for name in names if (less := vocabulary.implied_by(name))}
    return found
