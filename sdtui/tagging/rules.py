"""What decides which scored tags an image gets, and how they are written: thresholds, bans, order, spelling.

The defaults are those of A1111's deepbooru interrogator; `WD` has those of the WD taggers' own page. Tags are named as the
tagger names them; blanks and underscores are the same here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from sdtui.errors import UserError
from sdtui.tagging.tag_list import CHARACTER, GENERAL

Order = Literal["alphabet", "score", "model", "margin"]
Ratings = Literal["drop", "keep", "first", "last"]
_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Rules:
    """How to decide; thresholds are 0 to 1.

    Attributes:
        threshold: a tag is kept from this score on.
        above: only scores above a threshold are kept, none that equals it.
        categories: thresholds in place of `threshold`, by category.
        tags: thresholds in place of all others, by tag; above 1 a tag never comes.
        mcut: categories whose threshold is the middle of the largest gap between an image's scores, never below the value
            given (Largeron, Moulin, Géry: MCut, a thresholding strategy for multi-label classification, 2012).
        ratings: `drop` them, `keep` them as tags like others, or put the one with the highest score `first` or `last`.
        ban: tags that never come.
        first: tags that stand in front, in this order, where they are kept.
        aliases: by tag with underscores, the name it comes under; of two that meet the higher score counts.
        implied: by tag with underscores, those that say nothing beside it ("gloves" beside "fingerless_gloves").
        order: `alphabet` by the tag as the tagger writes it, `score` highest first, `model` as in the tagger's list, `margin`
            by (score − threshold) / (1 − threshold), which compares tags with different thresholds.
        groups: categories that come before all others, in this order.
        max_tags: at most so many, those with the highest scores; None: all.
        max_tokens: as many of the best as fit into so many tokens; None: all.
        spaces: write blanks for underscores.
        faces: leave the underscores of faces such as `^_^` alone.
        escape: a backslash before `(`, `)` and backslashes.
        ranks: write `(tag:0.980)`.
    """

    threshold: float = 0.5
    above: bool = False
    categories: Mapping[str, float] = field(default_factory=lambda: _NONE)
    tags: Mapping[str, float] = field(default_factory=lambda: _NONE)
    mcut: Mapping[str, float] = field(default_factory=lambda: _NONE)
    ratings: Ratings = "drop"
    ban: frozenset[str] = frozenset()
    first: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    implied: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    order: Order = "alphabet"
    groups: tuple[str, ...] = ()
    max_tags: int | None = None
    max_tokens: int | None = None
    spaces: bool = True
    faces: bool = False
    escape: bool = True
    ranks: bool = False

    def __post_init__(self) -> None:
        given = {"threshold": self.threshold, **self.categories, **self.mcut}
        for name, value in given.items():
            if not 0 <= value <= 1:
                raise UserError(f"the threshold {value} is not between 0 and 1", where=name)
        for name, value in self.tags.items():
            # Above 1 is how one tag is switched off.
            if not value >= 0:
                raise UserError(f"the threshold {value} is not a number from 0 on", where=name)
        if self.order not in get_args(Order):
            raise UserError(f"there is no order {self.order!r}", remedy=f"Orders: {', '.join(get_args(Order))}")
        for what, limit in (("tags", self.max_tags), ("tokens", self.max_tokens)):
            if limit is not None and limit < 1:
                raise UserError(f"at most {limit} {what} leaves nothing", remedy="Give 1 or more")


A1111 = Rules()
"""A1111's deepbooru interrogator with its default settings (modules/deepbooru.py)."""

WD = Rules(
    threshold=0.35,
    above=True,
    categories={CHARACTER: 0.85},
    order="score",
    groups=(CHARACTER,),
    faces=True,
    escape=False,
)
"""The WD taggers as on their author's page: general tags above 0.35, characters above 0.85."""

PRESETS: dict[str, Rules] = {"a1111": A1111, "wd": WD}

MCUT_FLOORS: Mapping[str, float] = MappingProxyType({GENERAL: 0.0, CHARACTER: 0.15})
"""The lowest thresholds that MCut may come to on the WD taggers' page."""

P_EQUALS_R: Mapping[str, float] = MappingProxyType(
    {
        "wd-v1-4-vit-tagger-v2": 0.3537,
        "wd-v1-4-convnext-tagger-v2": 0.3685,
        "wd-v1-4-convnextv2-tagger-v2": 0.371,
        "wd-v1-4-moat-tagger-v2": 0.3771,
        "wd-v1-4-swinv2-tagger-v2": 0.3771,
        "wd-vit-tagger-v3": 0.2614,
        "wd-convnext-tagger-v3": 0.2682,
        "wd-swinv2-tagger-v3": 0.2653,
    }
)
"""Where precision equals recall on each model's validation images, as its author gives it."""


def p_equals_r(tagger: str) -> float:
    """That threshold of a tagger; raises UserError where it is not known."""
    for name, threshold in P_EQUALS_R.items():
        if name in tagger.lower():
            return threshold
    raise UserError(
        f"no threshold of equal precision and recall is known for {tagger}",
        remedy=f"It is known for {', '.join(P_EQUALS_R)}; give a number",
    )
