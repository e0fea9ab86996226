"""The options of `sdtui tags` that say which scored tags an image gets and how they are written."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import get_args

from sdtui.tagging.combine import How
from sdtui.tagging.rule_words import SWITCHES, RuleWords
from sdtui.tagging.rules import PRESETS, Order, Ratings


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
    for name, meaning in SWITCHES.items():
        text.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=meaning)


def words_in(args: argparse.Namespace) -> RuleWords:
    """What the options say."""
    return RuleWords(**{field.name: getattr(args, field.name) for field in fields(RuleWords)})
