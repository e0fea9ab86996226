"""What the tags of one caption say about each other: some say what another says already, some cannot both be true.

Rules, not lists: words at the end of a tag that are a tag themselves (`gloves` beside `fingerless gloves`), numbers of people,
and things of which one person has one (colour and length of hair, colour of eyes). A user's list of implications adds to them.
Nothing is wrong for certain: an artist may draw a second head of hair into a picture. So these are words to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from sdtui.dataset.tag_spelling import key_of

Kind = Literal["implied", "conflict"]

_COLOURS = frozenset(
    re.findall(
        r"\w+",
        "aqua black blonde blue brown cyan gold golden green gray grey orange pink purple red silver teal turquoise violet "
        "white yellow",
    )
)
# Colours that a picture without colours may have.
_GREYS = frozenset(["black", "gray", "grey", "silver", "white"])
_SHADES = frozenset(["dark", "light", "pale", "bright"])
_LENGTHS = frozenset(["bald", "very short hair", "short hair", "medium hair", "long hair", "very long hair"])
_LONGER = frozenset(["long hair", "very long hair"])
# With these a head has more than one colour, or two eyes differ.
_MANY_COLOURED = {
    "hair": re.compile(
        r"(multicolored|multicoloured|two-tone|gradient|streaked|split-colou?r|colou?red inner|rainbow) hair|ombre"
    ),
    "eyes": re.compile(r"heterochromia|(multicolored|multicoloured|two-tone|gradient|rainbow) eyes"),
}
_PEOPLE = re.compile(r"(\d+)\+?(girl|boy|other)s?|multiple (girl|boy|other)s")
_COLOURLESS = frozenset(["monochrome", "greyscale", "grayscale"])
_OPPOSITES = (("day", "night"), ("indoors", "outdoors"), ("open mouth", "closed mouth"), ("smile", "frown"))
_NOBODY = "no humans"


class Relation(NamedTuple):
    """What tag number `tag` of a caption is to number `by`: said by it as well (`implied`), or at odds with it (`conflict`)."""

    kind: Kind
    tag: int
    by: int


def relations(tags: Sequence[str], implied_by: Callable[[str], Iterable[str]] = lambda _tag: ()) -> list[Relation]:
    """All relations in one caption, in the order of the tags; a conflict is told of both.

    Args:
        tags: the caption's tags, in any spelling.
        implied_by: keys (`key_of`) of the tags that one says as well, as `Vocabulary.implied_by`.
    """
    keys = [key_of(tag) for tag in tags]
    found = {Relation("implied", tag, by) for tag, by in _implied(keys, tags, implied_by)}
    for one, other in _at_odds(keys):
        found |= {Relation("conflict", one, other), Relation("conflict", other, one)}
    told: dict[tuple[Kind, int], Relation] = {}
    for relation in sorted(found, key=lambda relation: (relation.tag, relation.kind, relation.by)):
        told.setdefault((relation.kind, relation.tag), relation)
    return list(told.values())


def says_as_well(key: str, other: str) -> bool:
    """Whether a tag's last words are the whole other tag: `long hair` says `hair`; `no humans` does not say `humans`."""
    return key.endswith(" " + other) and not key.startswith(("no ", "without ", "fake ", "faux "))


def _implied(
    keys: Sequence[str], tags: Sequence[str], implied_by: Callable[[str], Iterable[str]]
) -> Iterator[tuple[int, int]]:
    """Pairs of a tag that need not be said, and the tag that says it."""
    place = {key: at for at, key in reversed(list(enumerate(keys)))}
    for by, key in enumerate(keys):
        words = key.split(" ")
        shorter = [" ".join(words[cut:]) for cut in range(1, len(words))]
        said = {other for other in shorter if says_as_well(key, other)} | set(implied_by(tags[by]))
        for other in said & place.keys():
            if keys[place[other]] != key:
                yield place[other], by


def _at_odds(keys: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of tags that cannot both be true."""
    place = {key: at for at, key in reversed(list(enumerate(keys)))}
    people = _people(keys)
    yield from _of_numbers(place, people)
    yield from ((place[one], place[other]) for one, other in _OPPOSITES if one in place and other in place)
    colours = {part: _colours(keys, part) for part in ("hair", "eyes")}
    if sum(number for _at, _kind, number in people) <= 1:
        for part, coloured in colours.items():
            if not any(_MANY_COLOURED[part].fullmatch(key) for key in keys):
                yield from _pairs([at for at, _colour in coloured], lambda one, other: not _same_hue(keys, one, other))
        lengths = [place[key] for key in sorted(_LENGTHS & place.keys())]
        yield from _pairs(lengths, lambda one, other: not {keys[one], keys[other]} <= _LONGER)
    for grey in _COLOURLESS & place.keys():
        yield from ((place[grey], at) for of in colours.values() for at, colour in of if colour not in _GREYS)


def _people(keys: Sequence[str]) -> list[tuple[int, str, int]]:
    """Place, kind and number of each tag that counts people; `multiple girls` is two of them at least."""
    found = ((at, _PEOPLE.fullmatch(key)) for at, key in enumerate(keys))
    return [(at, match[2] or match[3], min(int(match[1][:4]), 99) if match[1] else 2) for at, match in found if match]


def _of_numbers(place: dict[str, int], people: Sequence[tuple[int, str, int]]) -> Iterator[tuple[int, int]]:
    """Where the numbers of people do not go together."""
    if (solo := place.get("solo")) is not None:
        several = [at for at, _kind, number in people if number > 1] or [at for at, _kind, _number in people[1:]]
        yield from ((solo, at) for at in several)
    if (nobody := place.get(_NOBODY)) is not None:
        yield from ((nobody, at) for at, _kind, number in people if number)
        if solo is not None:
            yield nobody, solo
    for at, kind, number in people:
        for other, of, many in people:
            # `2girls, multiple girls` is how the sites write it.
            if of == kind and at < other and number != many and 1 in {number, many}:
                yield at, other


def _colours(keys: Sequence[str], part: str) -> list[tuple[int, str]]:
    """Place and colour of the tags that say a colour of `part`, shades such as light and dark left out."""
    found = []
    for at, key in enumerate(keys):
        words = key.split(" ")
        colours = [word for word in words[:-1] if word not in _SHADES]
        if words[-1] == part and len(colours) == 1 and colours[0] in _COLOURS:
            found.append((at, colours[0].replace("gray", "grey")))
    return found


def _same_hue(keys: Sequence[str], one: int, other: int) -> bool:
    """`light brown hair` and `brown hair` are one colour."""
    first, second = ([word for word in keys[at].split(" ") if word not in _SHADES] for at in (one, other))
    return [word.replace("gray", "grey") for word in first] == [word.replace("gray", "grey") for word in second]


def _pairs(places: Sequence[int], at_odds: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    return ((one, other) for number, one in enumerate(places) for other in places[number + 1 :] if at_odds(one, other))
