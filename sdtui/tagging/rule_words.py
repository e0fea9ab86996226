"""What a person says of the rules, in words as one types them, made into `Rules`: the same for commands and the screen."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sdtui.errors import UserError
from sdtui.tagging.rules import MCUT_FLOORS, PRESETS, Order, Ratings, Rules, p_equals_r
from sdtui.tagging.tag_list import CHARACTER, TagList, key

SWITCHES = {
    "spaces": "blanks for underscores",
    "faces": "leave the underscores of faces such as ^_^",
    "escape": "a backslash before ( ) and \\",
    "ranks": "write (tag:0.980)",
}


@dataclass(frozen=True)
class RuleWords:
    """What was said; None and empty: as the preset has it.

    Attributes:
        preset: a name of `PRESETS`; None: what suits the tagger.
        threshold: a number, `mcut`, or `p=r`.
        category, tag: thresholds of their own, each as NAME=T.
        aliases, implications: use the user's tag lists.
        ban, first, ratings, order, max_tags, max_tokens, spaces, faces, escape, ranks: as in `Rules`.
    """

    preset: str | None = None
    threshold: str | None = None
    category: Sequence[str] = ()
    tag: Sequence[str] = ()
    ban: Sequence[str] = ()
    first: Sequence[str] = ()
    ratings: Ratings | None = None
    order: Order | None = None
    aliases: bool = False
    implications: bool = False
    max_tags: int | None = None
    max_tokens: int | None = None
    spaces: bool | None = None
    faces: bool | None = None
    escape: bool | None = None
    ranks: bool | None = None


def usual_preset(tags: TagList) -> str:
    """The preset for a tagger that knows these tags."""
    return "wd" if CHARACTER in tags.categories else "a1111"


def rules_of(words: RuleWords, tagger: str, tags: TagList) -> Rules:
    """The rules that are meant, for a tagger of this name.

    Args:
        words: what was said of them.
        tagger: its name, for `p=r`.
        tags: what it knows.

    Raises:
        UserError: a value that is no threshold, a tag or category that the tagger does not know.
    """
    rules = PRESETS[words.preset or usual_preset(tags)]
    given = {name: getattr(words, name) for name in ("order", "ratings", "max_tags", "max_tokens", *SWITCHES)}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    changes |= _thresholds(words, rules, tagger, tags)
    changes |= {"ban": frozenset(words.ban), "first": tuple(words.first)}
    if words.aliases or words.implications:
        changes |= _vocabulary(words, tags)
    renamed = {key(name) for name in changes.get("aliases", {}).values()}
    for name in (*words.ban, *words.first):
        if key(name) not in renamed:
            known_tag(name, tags)
    return replace(rules, **changes)


def _thresholds(words: RuleWords, rules: Rules, tagger: str, tags: TagList) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if words.threshold == "mcut":
        said = {name for name, _ in _pairs(words.category, "--category")}
        found["mcut"] = {name: floor for name, floor in MCUT_FLOORS.items() if name not in said}
    elif words.threshold == "p=r":
        found["threshold"] = p_equals_r(tagger)
    elif words.threshold is not None:
        found["threshold"] = _number(words.threshold, "--threshold")
    categories = dict(_pairs(words.category, "--category"))
    for name in categories:
        if name not in tags.categories:
            known = ", ".join(sorted(set(tags.categories)))
            raise UserError(f"the tagger has no category {name!r}", where="--category", remedy=f"It has {known}")
    found["categories"] = {**rules.categories, **categories}
    found["tags"] = {known_tag(name, tags): value for name, value in _pairs(words.tag, "--tag")}
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


def known_tag(name: str, tags: TagList) -> str:
    """A tag as the tagger writes it; raises UserError, with the nearest there is, where it knows none of this name."""
    place = tags.place(name)
    if place is None:
        near = difflib.get_close_matches(key(name), tags.places, n=1)
        remedy = f"Did you mean {near[0]}?" if near else "`sdtui tags stats` lists what it gave"
        raise UserError(f"the tagger knows no tag {name!r}", remedy=remedy)
    return tags.names[place]


def _vocabulary(words: RuleWords, tags: TagList) -> Mapping[str, Any]:
    """What the user's tag lists say of the tagger's tags."""
    from sdtui.dataset import vocabulary_file

    vocabulary = vocabulary_file.load()
    if not len(vocabulary):
        raise UserError(
            "there are no tag lists", remedy=f"Put a list such as danbooru.csv into {vocabulary_file.folder()}"
        )
    found: dict[str, Any] = {}
    if words.aliases:
        renamed = {name: vocabulary.canonical(name) for name in tags.names}
        found["aliases"] = {key(old): new for old, new in renamed.items() if key(old) != key(new)}
    if words.implications:
        names = {key(name) for name in tags.names} | {key(name) for name in found.get("aliases", {}).values()}
        found["implied"] = {name: less for name in names if (less := vocabulary.implied_by(name))}
    return found
