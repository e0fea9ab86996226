from __future__ import annotations

import pytest

from sdtui.dataset.query_syntax import Term, parse
from sdtui.dataset.query_value import Text
from sdtui.tui.captions.querying import (
    both,
    case_turned,
    completions,
    goes_on,
    place_of_asked,
    pointed,
    problem_of,
    tag_term,
    understood,
)

TAGS = ("night", "night sky", "saber (fate)", "city")


@pytest.mark.parametrize("tag", ["night sky", 'a "b"*?', "saber \\(fate\\)", ":)", "NOT", "a OR b", "\\"])
def test_a_tag_becomes_a_condition_that_means_exactly_it(tag: str) -> None:
    root = parse(tag_term(tag)).root
    assert isinstance(root, Term)
    assert root.value == Text((tag,))
    assert tag_term("x", without=True) == 'NOT tag:"x"'


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("night", "night AND tag:x"),
        ("tag:a tags:<5", "tag:a tags:<5 AND tag:x"),
        ("a OR b", "(a OR b) AND tag:x"),
        ("case:on a OR b", "case:on (a OR b) AND tag:x"),
        ("NOT a", "NOT a AND tag:x"),
        ("(a", "tag:x"),
    ],
)
def test_one_more_condition(query: str, asked: str) -> None:
    assert both(query, "tag:x") == asked
    parse(asked)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ('tag:"stone wall"', 2),
        ("tag:STONE*", 2),
        ("case:on tag:STONE*", 0),
        ("photo AND tag:night AND tag:city", 1),
        ("tag:night OR tag:zebra", 3),
        ("NOT tag:night", 0),
        ("stone wall", 0),
        ("tag:/night/", 0),
        ("tag:", 0),
        ("", 0),
    ],
)
def test_the_tag_that_is_asked_for(query: str, place: int) -> None:
    assert place_of_asked(query, ["photo", "city", "stone wall", "night"]) == place


def test_case_is_turned_on_and_off() -> None:
    assert case_turned("tag:A") == "case:on tag:A"
    assert case_turned("case:on tag:A") == "tag:A"
    assert case_turned("case:off tag:A") == "case:on tag:A"


@pytest.mark.parametrize(
    ("query", "start", "offered"),
    [
        ("tag:city AND ta", 13, ["tag:", "tags:"]),
        ("problem:mis", 8, ["missing"]),
        ("mark:a", 5, ["any"]),
        ("tag:ni", 4, ["night", "night sky"]),
        ("tag:city AND tag:night", 17, ["night sky"]),
        ("tag:city na", 9, ["name:"]),
        ("tag:sab", 7, ()),
        ("tags:<", 6, ()),
        ('caption:"ta', 11, ()),
        ("zebra", 5, ()),
    ],
)
def test_what_may_come_next(query: str, start: int, offered: list[str] | tuple[()]) -> None:
    assert completions(query, TAGS) == (start, offered)


@pytest.mark.parametrize(
    ("query", "looked_for"),
    [
        ("tag:", ""),
        ("tag:city AND", "tag:city"),
        ("tag:city AND NOT", "tag:city"),
        ("tag:city AND tag:", "tag:city"),
        ("tag:city tags:", "tag:city"),
        ("tag:city OR (tag:sky AND NOT", "tag:city OR (tag:sky)"),
        ("(tag:city OR (tag:sky", "(tag:city OR (tag:sky))"),
        ("tag:(", None),
        ('city tag:"stone w', "city"),
        ("tag:/hair", ""),
        ("tag:/ha[", None),
        ("case:on", ""),
        ("tga:x", None),
        ("tga:x AND city", None),
        ("tags:many AND city", None),
        ("tag:city", "tag:city"),
        ("@name", "@name"),
        ("", ""),
    ],
)
def test_what_is_looked_for_while_a_query_is_not_complete(query: str, looked_for: str | None) -> None:
    assert understood(query) == looked_for


def test_half_a_word_goes_on() -> None:
    assert all(goes_on(query, TAGS) for query in ("ta", "tag:nig", "tag:night A", "x NO", "problem:"))
    assert not any(goes_on(query, TAGS) for query in ("tag:night sky", "zebra", "tags:5", "AND"))


def test_an_empty_line_offers_the_fields() -> None:
    assert completions("")[1][:3] == ["tag:", "caption:", "name:"]


def test_carets_stand_below_what_is_meant() -> None:
    error = problem_of("tag:sky AND (tga:night)")
    assert error is not None
    assert pointed(error, 60) == "             ^^^^ there is no field tga:"
    assert pointed(error, 140).endswith(
        "there is no field tga:. Did you mean tag:? For a text with a colon in it put quotes around it"
    )
    assert pointed(error, 60, scrolled=10) == "   ^^^^ there is no field tga:"
    wide = problem_of("tag:" + "雪" * 20 + " AND (")
    assert wide is not None
    assert pointed(wide, 50) == " " * 23 + "something has to follow ( ^"
    assert problem_of("@dark") is None
    assert problem_of("  ") is None
