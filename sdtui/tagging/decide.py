"""From the scores of one image to its tags: threshold, ratings, bans, aliases, implications, limits, order; then the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sdtui.dataset.tag_spelling import KAOMOJI
from sdtui.tagging.rules import Rules
from sdtui.tagging.tag_list import key, keys, rates
from sdtui.tagging.threshold import Scored, Thresholds, margin

CountTokens = Callable[[str], int]
Why = Literal["below", "rating", "banned", "alias", "implied", "limit"]
"""Why a tag was dropped: its score, its being a rating, a ban, another of its name, a tag that says more, a limit."""

_SEPARATOR = ", "
_SPECIAL = re.compile(r"([\\()])")


@dataclass(frozen=True)
class Decision:
    """The tags of one image in the order they are written (aliases under their new names), and why the others are not."""

    kept: tuple[Scored, ...]
    dropped: tuple[tuple[Scored, Why], ...]

    def text(self, rules: Rules) -> str:
        """The caption."""
        return _SEPARATOR.join(written(tag, rules) for tag in self.kept)


def caption(scored: Iterable[Scored], rules: Rules, count_tokens: CountTokens | None = None) -> str:
    """The caption that `rules` make of an image's scores; `count_tokens` is needed for `max_tokens`."""
    return decide(scored, rules, count_tokens).text(rules)


def decide(scored: Iterable[Scored], rules: Rules, count_tokens: CountTokens | None = None) -> Decision:
    """Which tags an image gets.

    Args:
        scored: its tags, each once, in any order; what is below the store's floor need not be there.
        rules: how to decide.
        count_tokens: CLIP tokens of a text, for `rules.max_tokens`.

    Raises:
        ValueError: `max_tokens` without `count_tokens`.
    """
    tags = sorted(scored, key=lambda tag: tag.place)
    thresholds = Thresholds(tags, rules)
    dropped: list[tuple[Scored, Why]] = []

    def left(goes: Callable[[Scored], bool], why: Why) -> list[Scored]:
        stay = []
        for tag in tags:
            if goes(tag):
                dropped.append((tag, why))
            else:
                stay.append(tag)
        return stay

    ratings = {tag for tag in tags if is_rating(tag)}
    best = max(ratings, key=lambda tag: (tag.score, -tag.place), default=None)
    if rules.ratings not in {"first", "last"}:
        best = None
    if rules.ratings != "keep":
        tags = left((ratings - {best}).__contains__, "rating")
    tags = left(lambda tag: tag != best and not thresholds.keeps(tag), "below")
    banned = keys(tuple(rules.ban))
    tags = left(lambda tag: key(tag.name) in banned, "banned")
    margins = {tag.place: margin(tag.score, thresholds.of(tag)) for tag in tags} if rules.order == "margin" else {}
    tags = [_renamed(tag, rules) for tag in tags]
    tags = left(lambda tag: key(tag.name) in banned, "banned")
    twins = _twins(tags)
    tags = left(lambda tag: tag in twins, "alias")
    implied = _implied(tags, rules)
    tags = left(lambda tag: key(tag.name) in implied, "implied")
    tags = _ordered(tags, rules, margins, best)
    within = _within_limits(tags, rules, count_tokens)
    tags = left(lambda tag: tag not in within, "limit")
    return Decision(tuple(tags), tuple(dropped))


def written(tag: Scored, rules: Rules) -> str:
    """One tag as it stands in the caption."""
    word = tag.name
    if rules.spaces and not (rules.faces and word in KAOMOJI):
        word = word.replace("_", " ")
    if rules.escape:
        word = _SPECIAL.sub(r"\\\1", word)
    return f"({word}:{tag.score:.3f})" if rules.ranks else word


def is_rating(tag: Scored) -> bool:
    """Whether a tag rates the image, by its category or its name."""
    return rates(tag.name, tag.category)


def _renamed(tag: Scored, rules: Rules) -> Scored:
    new = rules.aliases.get(tag.name) or rules.aliases.get(key(tag.name))
    return tag._replace(name=new) if new is not None else tag


def _twins(tags: Sequence[Scored]) -> set[Scored]:
    """Those of which there is another of the same name with a higher score, or as high and earlier."""
    best: dict[str, Scored] = {}
    for tag in sorted(tags, key=lambda tag: -tag.score):
        best.setdefault(key(tag.name), tag)
    return set(tags) - set(best.values())


def _implied(tags: Sequence[Scored], rules: Rules) -> frozenset[str]:
    """Keys of the tags that others make needless."""
    said = [less for tag in tags for less in (rules.implied.get(key(tag.name)) or ())] if rules.implied else []
    return keys(said)


def _ordered(tags: Sequence[Scored], rules: Rules, margins: Mapping[int, float], best: Scored | None) -> list[Scored]:
    """The tags in the order of the rules; `margins` by place."""
    first = {key(name): rank for rank, name in reversed(list(enumerate(rules.first)))}
    groups = {category: rank for rank, category in enumerate(rules.groups)}
    inner: dict[str, Callable[[Scored], object]] = {
        "alphabet": lambda tag: tag.name,
        "score": lambda tag: -tag.score,
        "model": lambda tag: tag.place,
        "margin": lambda tag: -margins[tag.place],
    }

    def rank(tag: Scored) -> tuple[int, int, int, object]:
        # By place: the rating may have been renamed.
        end = 0 if best is None or tag.place != best.place else -1 if rules.ratings == "first" else 1
        return (
            end,
            first.get(key(tag.name), len(first)),
            groups.get(tag.category, len(groups)),
            inner[rules.order](tag),
        )

    return sorted(tags, key=rank)


def _within_limits(ordered: Sequence[Scored], rules: Rules, count_tokens: CountTokens | None) -> set[Scored]:
    """The best of them that the limits allow; tags that stand first by rule are the best of all.

    Of equal scores the tag that stands earlier in the tagger's list is better.
    """
    first = keys(rules.first)
    ranked = sorted(ordered, key=lambda tag: (key(tag.name) not in first, -tag.score, tag.place))[: rules.max_tags]
    if rules.max_tokens is None:
        return set(ranked)
    if count_tokens is None:
        raise ValueError("max_tokens needs something that counts tokens")

    def tokens(count: int) -> int:
        among = set(ranked[:count])
        return count_tokens(_SEPARATOR.join(written(tag, rules) for tag in ordered if tag in among))

    return set(ranked[: bisect_right(range(1, len(ranked) + 1), rules.max_tokens, key=tokens)])
