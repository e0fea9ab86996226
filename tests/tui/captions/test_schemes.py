"""What the colours of a caption's tags say, by scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sdtui.dataset.caption import parse_tags
from sdtui.tui.captions.schemes import SCHEMES, Entry, Ground, Mark, Score

COUNTS = {"city": 40, "gargoyl": 1, "gargoyle": 9, "fog": 1, "sky": 2}
LISTED = {
    "saber": Entry("character", 30_000),
    "nyan": Entry("character", 120, other_name="longcat"),
    "old wall": Entry("general", 50, deprecated=True),
    "sky": Entry("general", 5_500_000),
    "rating:safe": Entry("rating"),
}


def borders(text: str, limits: Sequence[int]) -> list[int]:
    """As if every fifth of a character were a token: the 75th ends with the 15th character."""
    return [limit // 5 for limit in limits if limit // 5 < len(text)]


GROUND = Ground(
    images=40,
    captions_with=lambda tag: COUNTS.get(tag, 5),
    likely_meant=lambda tag: "gargoyle" if tag == "gargoyl" else "",
    entry=lambda tag: LISTED.get(tag, Entry()),
    has_lists=True,
    implied_by=lambda tag: {"animal"} if tag == "cat" else (),
    borders=borders,
    triggers=["ohwx cat, city"],
)


def marks(scheme: str, text: str, ground: Ground = GROUND) -> dict[str, Mark]:
    """The marks that have a letter, by tag and, where it stands again, its number."""
    tags = parse_tags(text)
    found = next(each for each in SCHEMES if each.name == scheme).marks(tags, text, ground)
    return {tags[at].text + (f" {at}" if at and tags[at] and tags[at].text in [tag.text for tag in tags[:at]] else ""): mark
            for at, mark in found.items() if mark.letter}  # fmt: skip


def letters(scheme: str, text: str, ground: Ground = GROUND) -> dict[str, str]:
    return {tag: mark.letter for tag, mark in marks(scheme, text, ground).items()}


def test_problems() -> None:
    text = "city, gargoyl, solo, 2girls, (wall, City, :("
    assert letters("problems", text) == {
        "City": "=", "(wall": "(", "solo": "x", "2girls": "x", "gargoyl": "?",
    }  # fmt: skip
    assert marks("problems", text)["gargoyl"] == Mark("?", "in 1 caption of 40", "gargoyle")
    assert marks("problems", text)["solo"].told == "at odds with 2girls"


def test_kinds() -> None:
    found = marks("kinds", "city, saber, nyan, old wall, sky, rating:safe")
    assert {tag: mark.letter for tag, mark in found.items()} == {
        "city": "?", "saber": "c", "nyan": "c", "old wall": "o", "rating:safe": "r",
    }  # fmt: skip
    assert found["city"].told == "in none of the lists"
    assert found["nyan"] == Mark("c", "character, 120 elsewhere, called longcat today", "longcat")
    assert found["old wall"].told == "general, 50 elsewhere, an old name"


def test_kinds_without_a_list_say_so_and_mark_nothing() -> None:
    scheme = next(each for each in SCHEMES if each.name == "kinds")
    assert letters("kinds", "city, sky", Ground()) == {}
    assert "no list of tags yet" in scheme.told([], "", Ground())
    assert scheme.told([], "", GROUND) == ""


def test_frequency() -> None:
    assert letters("frequency", "city, gargoyl, fog, sky, wall") == {"city": "*", "gargoyl": "?", "fog": "1"}
    assert letters("frequency", "city, fog", Ground()) == {}


def test_relations() -> None:
    found = marks("relations", "gloves, fingerless gloves, cat, animal, day, night")
    assert {tag: mark.letter for tag, mark in found.items()} == {"gloves": "<", "animal": "<", "day": "x", "night": "x"}
    assert found["animal"].told == "cat says it as well"


def test_tokens() -> None:
    found = marks("tokens", "0123456789abc, efghi, 23456789, bcdefghijk, xyz")
    assert found == {
        "efghi": Mark("2", "tokens 76 to 150"),
        "23456789": Mark("2", "tokens 76 to 150"),
        "bcdefghijk": Mark("3", "tokens 151 to 225"),
        "xyz": Mark("!", "never read, cut in two here"),
    }


@pytest.mark.parametrize(
    ("tag", "ground", "letter", "instead"),
    [
        ("long_hair", Ground(), "_", "long hair"),
        ("long hair", Ground(underscores=True), "_", "long_hair"),
        ("^_^", Ground(), "", ""),
        (r"saber \(fate\)", Ground(), "\\", "saber (fate)"),
        ("saber (fate)", Ground(escapes=True), "\\", r"saber \(fate\)"),
        (r"saber \(fate\)", Ground(escapes=True), "", ""),
        ("saber (fate)", Ground(), "", ""),
        ("(dark:1.2)", Ground(), "w", ""),
        ("{a|b}", Ground(), "{", ""),
        ("wall)", Ground(), "(", ""),
        (":(", Ground(), "", ""),
    ],
)
def test_spelling(tag: str, ground: Ground, letter: str, instead: str) -> None:
    found = marks("spelling", f"city, {tag}", ground).get(tag, Mark(""))
    assert (found.letter, found.instead) == (letter, instead)


def test_the_trigger_word_in_front_and_elsewhere() -> None:
    scheme = next(each for each in SCHEMES if each.name == "trigger")
    assert letters("trigger", "ohwx_cat, city, sky") == {"ohwx_cat": "t", "city": "t"}
    assert letters("trigger", "sky, city") == {"city": "!"}
    assert scheme.told(parse_tags("sky, city"), "sky, city", GROUND) == "missing: ohwx cat"
    assert scheme.told(parse_tags("city, ohwx cat"), "", GROUND) == ""
    assert "no profile of this workspace" in scheme.told([], "", Ground())


def test_scores_and_what_they_need() -> None:
    given = {"sky": Score(0.91, 0.35, ""), "fog": Score(0.2, 0.35, "below"), "city": Score(0.98, 0.35, "banned")}
    assert marks("scores", "sky, fog, city, my cat", replace(GROUND, score_of=given.get)) == {
        "sky": Mark("+", "0.91, needs 0.35"),
        "fog": Mark("-", "0.20, needs 0.35"),
        "city": Mark("-", "0.98, dropped: banned"),
        "my cat": Mark("o", "the tagger does not know it"),
    }
    scheme = next(each for each in SCHEMES if each.name == "scores")
    assert scheme.told(parse_tags("sky"), "sky", GROUND) == "no scores of this image"
    assert marks("scores", "sky") == {}


def test_a_taggers_tags_and_ones_own() -> None:
    given = {"sky": Score(0.91, 0.35, ""), "fog": Score(0.2, 0.35, "below"), "city": Score(0.98, 0.35, "")}
    ground = replace(GROUND, score_of=given.get, from_tagger={"sky", "moon"}.__contains__)
    assert marks("origin", "sky, fog, city, my cat, moon", ground) == {
        "sky": Mark("t", "from a tagger, 0.91"),
        "fog": Mark("o", "own, the tagger says 0.20"),
        "city": Mark("b", "own, and the tagger says 0.98"),
        "my cat": Mark("o", "own"),
        "moon": Mark("t", "from a tagger"),
    }
    assert letters("origin", "sky, fog", replace(ground, score_of=None)) == {"sky": "t", "fog": "o"}
    scheme = next(each for each in SCHEMES if each.name == "origin")
    assert (marks("origin", "sky"), scheme.told([], "", GROUND)) == ({}, "reading the edits")
    assert scheme.told([], "", ground) == ""


def test_no_scheme_marks_nothing() -> None:
    assert letters("none", "city, city") == {}


@pytest.mark.parametrize("scheme", [scheme.name for scheme in SCHEMES])
def test_every_letter_is_in_the_legend_and_nothing_known_is_no_crash(scheme: str) -> None:
    text = "city, gargoyl, solo, 2girls, (wall, City, :(, saber, nyan, long_hair, {x}, fog, " + "x, " * 40
    found = next(each for each in SCHEMES if each.name == scheme)
    for ground in (GROUND, Ground(), Ground(escapes=True, underscores=True)):
        for letter in letters(scheme, text, ground).values():
            assert found.style(letter)
    assert letters(scheme, "", GROUND) == {}
