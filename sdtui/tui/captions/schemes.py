"""What the colours of a caption's tags say: one scheme at a time, each with a letter for every colour and words for both.

A scheme looks at one caption and marks some of its tags. It asks the `Ground` what is known of the whole dataset and of the
user's lists, and says nothing where that is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sdtui.dataset import tag_spelling
from sdtui.dataset.caption import Tag
from sdtui.dataset.relations import relations
from sdtui.tui.captions.text import repeated
from sdtui.tui.numbers import count, grouped, roughly

# The letter and the colour of each kind of tag, as the sites colour them.
# General tags are most of all, and are drawn as plain text.
SIGNS = {
    "artist": ("a", "$error"),
    "copyright": ("s", "$violet"),
    "character": ("c", "$success"),
    "species": ("p", "$teal"),
    "meta": ("m", "$warning"),
    "lore": ("l", "$teal"),
    "rating": ("r", "$accent"),
    "invalid": ("x", "$error"),
}
# A tag in so large a part of the captions says nothing about one of them.
NEARLY_ALL = 0.95
CHUNK = 75
# The scheme that takes a tagger's scores.
SCORES = "scores"
# The scheme that tells a tagger's tags from the user's own.
ORIGIN = "origin"
# What the encoder reads at most: `captions.max_tokens` is 75, 150 or 225.
CHUNKS = (CHUNK, 2 * CHUNK, 3 * CHUNK)


@dataclass(frozen=True)
class Entry:
    """What the user's lists say of a tag; see `dataset.vocabulary`."""

    category: str = "unknown"
    count: int = 0
    other_name: str = ""
    deprecated: bool = False


class Score(NamedTuple):
    """What a tagger says of a tag of the image: its score, what it needs, why it is dropped (empty: it is kept)."""

    score: float
    needed: float
    why: str


@dataclass(frozen=True)
class Ground:
    """What a scheme may ask, each as cheap as a key press allows.

    Attributes:
        images: how many the dataset has.
        captions_with: in how many captions a tag stands; None while that is being counted.
        likely_meant: the tag that a rare one is likely a misspelling of, or nothing.
        entry: what the user's lists say of a tag.
        has_lists: whether there are any.
        implied_by: which tags one says as well, by the user's lists.
        underscores: whether most tags of the dataset are written with underscores.
        escapes: whether most brackets in it have backslashes.
        borders: which character the token after each of so many begins with.
        triggers: the words that call what is trained, by the profiles that use the dataset.
        score_of: what a tagger says of a tag of the image in hand; None where it does not know the tag. None in place of
            the function: the image has no scores, or they were not read.
        from_tagger: whether an edit by a tagger's scores put a tag of the caption in hand there; None: not known yet.
    """

    images: int = 0
    captions_with: Callable[[str], int | None] = lambda _tag: None
    likely_meant: Callable[[str], str] = lambda _tag: ""
    entry: Callable[[str], Entry] = lambda _tag: Entry()
    has_lists: bool = False
    implied_by: Callable[[str], Collection[str]] = lambda _tag: ()
    underscores: bool = False
    escapes: bool = False
    borders: Callable[[str, Sequence[int]], list[int]] = lambda _text, _limits: []
    triggers: Sequence[str] = ()
    score_of: Callable[[str], Score | None] | None = None
    from_tagger: Callable[[str], bool] | None = None


class Mark(NamedTuple):
    """What a scheme says of one tag.

    Attributes:
        letter: of its class, drawn before it.
        told: what is said while the tag cursor is on it.
        instead: the tag that may stand in its place, one key away.
    """

    letter: str
    told: str = ""
    instead: str = ""


@dataclass(frozen=True)
class Scheme:
    """One way of colouring.

    Attributes:
        name: its name on the screen.
        classes: letter, colour and words of each class, in the order of the legend.
        marks: the marks of one caption, by the number of the tag.
        told: what the legend says besides, given a caption.
    """

    name: str
    classes: tuple[tuple[str, str, str], ...]
    marks: Callable[[Sequence[Tag], str, Ground], Mapping[int, Mark]]
    told: Callable[[Sequence[Tag], str, Ground], str] = field(default=lambda _tags, _text, _ground: "")

    def style(self, letter: str) -> str:
        """The colour of a class."""
        return next(style for each, style, _words in self.classes if each == letter)


# -- the schemes --------------------------------------------------------------------------------------------------------


def _problems(tags: Sequence[Tag], text: str, ground: Ground) -> dict[int, Mark]:
    """What is likely wrong, the surest first."""
    marks = {at: Mark("=", "stands here already") for at in repeated(tags)}
    _add(marks, {at: mark for at, mark in _spelling(tags, text, ground).items() if mark.letter == "("})
    _add(marks, {at: mark for at, mark in _relations(tags, text, ground).items() if mark.letter == "x"})
    _add(marks, {at: mark for at, mark in _frequency(tags, text, ground).items() if mark.letter == "?"})
    return marks


def _categories(tags: Sequence[Tag], _text: str, ground: Ground) -> dict[int, Mark]:
    marks = {}
    for at, tag in enumerate(tags):
        entry = ground.entry(tag.text)
        kind = entry.category
        told = [kind if kind != "unknown" or not ground.has_lists else "in none of the lists"]
        told += [f"{roughly(entry.count)} elsewhere"] if entry.count else []
        told += ["an old name"] if entry.deprecated else []
        told += [f"called {entry.other_name} today"] if entry.other_name else []
        letter = SIGNS[kind][0] if kind in SIGNS else "o" if entry.deprecated or entry.other_name else ""
        letter = letter or ("?" if kind == "unknown" and ground.has_lists else "")
        if letter or kind == "general":
            marks[at] = Mark(letter, ", ".join(told), entry.other_name)
    return marks


def _frequency(tags: Sequence[Tag], _text: str, ground: Ground) -> dict[int, Mark]:
    marks = {}
    for at, tag in enumerate(tags):
        number = ground.captions_with(tag.text)
        if number is None:
            continue
        told = f"in {count(number, 'caption')} of {grouped(ground.images)}"
        if number <= 2 and (meant := ground.likely_meant(tag.text)):
            marks[at] = Mark("?", told, meant)
        elif number <= 1:
            marks[at] = Mark("1", told)
        else:
            marks[at] = Mark("*" if ground.images >= 3 and number >= NEARLY_ALL * ground.images else "", told)
    return marks


def _relations(tags: Sequence[Tag], _text: str, ground: Ground) -> dict[int, Mark]:
    marks: dict[int, Mark] = {}
    for kind, at, by in relations([tag.text for tag in tags], ground.implied_by):
        if kind == "conflict":
            marks[at] = Mark("x", f"at odds with {tags[by].text}")
        else:
            marks.setdefault(at, Mark("<", f"{tags[by].text} says it as well"))
    return marks


def _tokens(tags: Sequence[Tag], text: str, ground: Ground) -> dict[int, Mark]:
    borders = ground.borders(text, CHUNKS)
    marks = {}
    for at, tag in enumerate(tags):
        chunk = sum(tag.end > border for border in borders)
        if not chunk:
            continue
        cut = any(tag.start < border < tag.end for border in borders)
        read = f"tokens {CHUNK * chunk + 1} to {CHUNK * (chunk + 1)}" if chunk < len(CHUNKS) else "never read"
        marks[at] = Mark("!" if chunk == len(CHUNKS) else str(chunk + 1), read + (", cut in two here" if cut else ""))
    return marks


def _spelling(tags: Sequence[Tag], text: str, ground: Ground) -> dict[int, Mark]:
    marks = {}
    alone = tag_spelling.lone_brackets(text)
    for at, tag in enumerate(tags):
        plain = tag_spelling.unescape(tag.text)
        other = tag_spelling.underscores(tag.text) if ground.underscores else tag_spelling.spaces(tag.text)
        # Without letters it is a face, such as `:(`.
        if any(tag.start <= place < tag.end for place in alone) and any(map(str.isalnum, tag.text)):
            marks[at] = Mark("(", "a bracket has no partner")
        elif other != tag.text and plain not in tag_spelling.KAOMOJI:
            marks[at] = Mark("_", f"most tags here have {'underscores' if ground.underscores else 'blanks'}", other)
        elif "\\(" in tag.text and not ground.escapes:
            marks[at] = Mark("\\", "most brackets here have no backslash", plain)
        elif ground.escapes and tag_spelling.escape(tag.text) != tag.text:
            marks[at] = Mark("\\", "most brackets here have a backslash", tag_spelling.escape(tag.text))
        elif "{" in tag.text or "}" in tag.text:
            marks[at] = Mark("{", "a wildcard, if training reads them")
        elif tag.text[0] in "([" or (tag.text[-1] in ")]" and ":" in tag.text):
            marks[at] = Mark("w", "a weight, if training reads them")
    return marks


def _triggers(tags: Sequence[Tag], _text: str, ground: Ground) -> dict[int, Mark]:
    words = {tag_spelling.key_of(word) for word in _trigger_words(ground)}
    at_front = True
    marks = {}
    for at, tag in enumerate(tags):
        if tag_spelling.key_of(tag.text) in words:
            marks[at] = Mark("t", "in front") if at_front else Mark("!", "not in front")
        else:
            at_front = False
    return marks


def _missing_triggers(tags: Sequence[Tag], _text: str, ground: Ground) -> str:
    words = _trigger_words(ground)
    if not words:
        return "no profile of this workspace that uses these images has a trigger word"
    there = {tag_spelling.key_of(tag.text) for tag in tags}
    missing = [word for word in words if tag_spelling.key_of(word) not in there]
    return f"missing: {', '.join(missing)}" if missing else ""


def _trigger_words(ground: Ground) -> list[str]:
    return [word for trigger in ground.triggers for part in trigger.split(",") if (word := part.strip())]


def _scores(tags: Sequence[Tag], _text: str, ground: Ground) -> dict[int, Mark]:
    if ground.score_of is None:
        return {}
    marks = {}
    for at, tag in enumerate(tags):
        score = ground.score_of(tag.text)
        if score is None:
            marks[at] = Mark("o", "the tagger does not know it")
        elif score.why and score.why != "below":
            marks[at] = Mark("-", f"{score.score:.2f}, dropped: {score.why}")
        else:
            marks[at] = Mark("-" if score.why else "+", f"{score.score:.2f}, needs {score.needed:.2f}")
    return marks


def _no_scores(_tags: Sequence[Tag], _text: str, ground: Ground) -> str:
    return "no scores of this image" if ground.score_of is None else ""


def _origin(tags: Sequence[Tag], _text: str, ground: Ground) -> dict[int, Mark]:
    if ground.from_tagger is None:
        return {}
    marks = {}
    for at, tag in enumerate(tags):
        score = ground.score_of(tag.text) if ground.score_of is not None else None
        figure = f"{score.score:.2f}" if score is not None else ""
        if ground.from_tagger(tag.text):
            marks[at] = Mark("t", f"from a tagger, {figure}" if figure else "from a tagger")
        elif score is not None and not score.why:
            marks[at] = Mark("b", f"own, and the tagger says {figure}")
        else:
            marks[at] = Mark("o", f"own, the tagger says {figure}" if figure else "own")
    return marks


def _no_origin(_tags: Sequence[Tag], _text: str, ground: Ground) -> str:
    return "reading the edits" if ground.from_tagger is None else ""


def _no_lists(_tags: Sequence[Tag], _text: str, ground: Ground) -> str:
    return "" if ground.has_lists else "no list of tags yet: docs/captions.md says where to get one"


def _add(marks: dict[int, Mark], more: Mapping[int, Mark]) -> None:
    for at, mark in more.items():
        marks.setdefault(at, mark)


SCHEMES = (
    Scheme(
        "problems",
        (
            ("=", "$warning", "twice"),
            ("x", "$error", "at odds"),
            ("?", "$warning", "misspelt?"),
            ("(", "$error", "bracket alone"),
        ),
        _problems,
    ),
    Scheme(
        "kinds",
        (
            *((letter, style, kind) for kind, (letter, style) in SIGNS.items()),
            ("o", "$warning", "old name"),
            ("?", "$soft", "in no list"),
        ),
        _categories,
        _no_lists,
    ),
    Scheme(
        "frequency",
        (
            ("?", "$warning", "misspelt?"),
            ("1", "$accent", "only here"),
            ("*", "$soft", "nearly everywhere"),
        ),
        _frequency,
    ),
    Scheme("relations", (("x", "$error", "at odds"), ("<", "$soft", "another says it")), _relations),
    Scheme(
        "tokens",
        (
            ("2", "$accent", "tokens 76-150"),
            ("3", "$warning", "151-225"),
            ("!", "$error", "beyond"),
        ),
        _tokens,
    ),
    Scheme(
        "spelling",
        (
            ("(", "$error", "bracket alone"),
            ("_", "$warning", "blanks or underscores"),
            ("\\", "$warning", "backslashes"),
            ("w", "$accent", "weight"),
            ("{", "$accent", "wildcard"),
        ),
        _spelling,
    ),
    Scheme(
        "trigger", (("t", "$success", "trigger word"), ("!", "$warning", "not in front")), _triggers, _missing_triggers
    ),
    Scheme(
        SCORES,
        (("+", "$success", "kept"), ("-", "$warning", "dropped"), ("o", "$accent", "unknown to the tagger")),
        _scores,
        _no_scores,
    ),
    Scheme(
        ORIGIN,
        (("t", "$accent", "from a tagger"), ("o", "$success", "own"), ("b", "$teal", "own, a tagger's too")),
        _origin,
        _no_origin,
    ),
    Scheme("none", (), lambda _tags, _text, _ground: {}),
)
