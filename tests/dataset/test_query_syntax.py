from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.query_syntax import And, Node, Not, Or, parse
from sdtui.dataset.query_value import Choice, Number, QueryError, Regex, Score, Text, Wildcard


def shown(node: Node) -> str:
    """A tree on one line: (a AND (NOT b)), values as they were understood."""
    if isinstance(node, Not):
        return f"(NOT {shown(node.item)})"
    if isinstance(node, And | Or):
        return f"({f' {type(node).__name__.upper()} '.join(map(shown, node.items))})"
    value = node.value
    if isinstance(value, Text):
        text = "".join(part if isinstance(part, str) else {"*": "⁎", "?": "⁇"}[part.value] for part in value.parts)
        return f"{node.field}[{text}]"
    if isinstance(value, Regex):
        return f"{node.field}/{value.pattern}/"
    if isinstance(value, Choice):
        return f"{node.field}={value.word}"
    word, number = (f"[{value.tag}]", value.number) if isinstance(value, Score) else ("", value)
    return f"{node.field}{word}{number.operator}{number.low}" + (f",{number.high}" if number.operator == ".." else "")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("night", "[night]"),
        ("stone wall", "[stone wall]"),
        ("  stone   wall  ", "[stone wall]"),
        ('"stone   wall"', "[stone   wall]"),
        ("tag:stone wall", "tag[stone wall]"),
        ("TAG:Stone", "tag[Stone]"),
        ("tag:a OR tag:b AND NOT tag:c", "(tag[a] OR (tag[b] AND (NOT tag[c])))"),
        ("NOT tag:a AND tag:b", "((NOT tag[a]) AND tag[b])"),
        ("NOT (tag:a AND tag:b)", "(NOT (tag[a] AND tag[b]))"),
        ("NOT(tag:a)OR(tag:b)", "((NOT tag[a]) OR tag[b])"),
        ("NOT NOT a", "[a]"),
        ("(tag:a OR tag:b) AND tag:c", "((tag[a] OR tag[b]) AND tag[c])"),
        ("a AND b AND c", "([a] AND [b] AND [c])"),
        ("a OR b OR c", "([a] OR [b] OR [c])"),
        ("tag:long hair name:x tags:<5", "(tag[long hair] AND name[x] AND tags<5)"),
        ('night "old gate"', "([night] AND [old gate])"),
        ("score:long hair>0.8", "score[long hair]>0.8"),
        ("tags:5 (a OR b)", "(tags=5 AND ([a] OR [b]))"),
        ("tag:a NOT tag:b", "(tag[a] AND (NOT tag[b]))"),
        ("(tag:a) b", "(tag[a] AND [b])"),
        ("tag:saber_(fate)", "tag[saber_(fate)]"),
        ("(tag:saber_(fate) OR x)", "(tag[saber_(fate)] OR [x])"),
        (r"tag:saber_\(fate\)", r"tag[saber_\(fate\)]"),
        (r'tag:"say \"hi\" \\ \*"', 'tag[say "hi" \\ *]'),
        (r"tag:5\* what\?", "tag[5* what?]"),
        ("tag:*hair", "tag[⁎hair]"),
        ('tag:"st?ne *"', "tag[st⁇ne ⁎]"),
        ("tag:rating:safe", "tag[rating:safe]"),
        ('"rating:safe"', "[rating:safe]"),
        (":d", "[:d]"),
        ("cat and dog", "[cat and dog]"),
        ("ANDROID", "[ANDROID]"),
        ('tag:"AND"', "tag[AND]"),
        ("caption:/a b|c/", "caption/a b|c/"),
        (r"path:/^set\/[0-9]+/ AND x", "(path/^set/[0-9]+/ AND [x])"),
        ("/x/", "/x/"),
        ("tag:and/or", "tag[and/or]"),
        ("folder:.", "folder[.]"),
        ('folder:""', "folder[]"),
        ("tags:3..10", "tags..3,10"),
        ("tags:3..", "tags..3,None"),
        ("tags:..10", "tags..None,10"),
        ("tags:==5", "tags=5"),
        ("chars:!=0", "chars!=0"),
        ("tokens:>=75", "tokens>=75"),
        ("aspect:3:2", "aspect=1.5"),
        ("aspect:>16/8", "aspect>2.0"),
        ("aspect:0.5..1.5", "aspect..0.5,1.5"),
        ("stars:>3", "stars>3"),
        ("mark:3", "mark=3"),
        ("mark:ANY", "mark=any"),
        ("problem:twice", "problem=twice"),
    ],
)  # fmt: skip
def test_what_is_understood(query: str, tree: str) -> None:
    assert shown(parse(query).root) == tree


def test_case() -> None:
    assert not parse("a").case
    assert not parse("case:off a").case
    assert parse("case:on tag:A").case
    assert shown(parse("CASE:ON tag:A").root) == "tag[A]"


def test_values_are_kept_apart() -> None:
    query = parse("tag:a*b AND chars:..9")
    assert isinstance(query.root, And)
    wild, number = query.root.items
    assert not isinstance(wild, Not | And | Or)
    assert (wild.value, wild.start, wild.end) == (Text(("a", Wildcard.ANY, "b")), 0, 7)
    assert not isinstance(number, Not | And | Or)
    assert (number.value, number.start, number.end) == (Number("..", None, 9), 12, 21)


@pytest.mark.parametrize(
    ("query", "meant", "message", "remedy"),
    [
        ("", "", "the query is empty", "Write for example"),
        ("   ", "", "the query is empty", "Write for example"),
        ("case:on", "", "the query is empty", "Write for example"),
        ("case:maybe a", "case:maybe", "case: is on or off, not 'maybe'", "Write case:on"),
        ("a case:on", "case:", "case: stands at the front of a query", "Move it there"),
        ("(tag:a", "(", "this ( is never closed", "Close it with )"),
        ("tag:a)", ")", "this ) closes nothing", "Take it out"),
        ("()", ")", "something has to stand before )", ""),
        ("(", "(", "something has to follow (", ""),
        ("AND tag:a", "AND", "something has to stand before AND", 'For the word itself write "AND"'),
        ("tag:a AND", "AND", "something has to follow AND", ""),
        ("tag:a AND OR b", "OR", "something has to stand before OR", 'write "OR"'),
        ("tag:a NOT", "NOT", "something has to follow NOT", ""),
        ("tag:a and tag:b", "and", "'and' is taken for a word", "Operators are capitals: AND"),
        ("not tag:a", "not", "'not' is taken for a word", "Operators are capitals: NOT"),
        ("tag:", "tag:", "tag: needs a value right after the colon", ""),
        ("tag: a", "tag:", "tag: needs a value right after the colon", ""),
        ("tag:(o)_(o)", "tag:", "tag: needs a value right after the colon", "Put quotes around"),
        ("a tags:10..3", "10..3", "the range ends before it begins", "The smaller number comes first"),
        ("tga:a", "tga:", "there is no field tga:", "Did you mean tag:?"),
        ("rating:safe", "rating:", "there is no field rating:", "put quotes around it"),
        ("score:cat x", "cat x", "score: wants a tag and a comparison, not 'cat x'", "score:long hair>0.8"),
        ('score:"cat"', '"cat"', "score: wants a tag and a comparison, not 'cat'", ""),
        ("score:>0.5", ">0.5", "score: wants a tag and a comparison, not '>0.5'", ""),
        ("zzz:a", "zzz:", "there is no field zzz:", "Fields are tag, caption, name"),
        ("tag:saber (fate)", "(", "a bracket cannot follow a word", "put quotes around a text"),
        ("tag:a, b", "tag:a, b", "a tag holds no comma", "caption: for a text"),
        ('caption:""', 'caption:""', "an empty text is in everything", "problem:empty"),
        ('tag:"a', '"', "this quote is never closed", 'End it with "'),
        ('tag:"a"b', "b", "after the quote a blank has to follow", ""),
        ("tag:/a", "/", "this regular expression is never closed", "End it with /"),
        ("tag:/a/i", "i", "after the regular expression a blank has to follow", ""),
        ("tag:/a(b/", "(", "not a regular expression: missing ), unterminated subpattern", ""),
        ("tag:/a**/", "*", "not a regular expression: multiple repeat", ""),
        ("tags:few", "few", "tags: wants a whole number, not 'few'", "Write for example: tags:5"),
        ("tags:1.5", "1.5", "tags: wants a whole number, not '1.5'", "tags:3..10"),
        ("tags:..", "..", "tags: wants a whole number, not '..'", ""),
        ("tags:<", "<", "tags: wants a whole number, not '<'", ""),
        ("aspect:wide", "wide", "aspect: wants a number or a ratio, not 'wide'", "aspect:3:2"),
        ("aspect:3:0", "3:0", "aspect: wants a number or a ratio, not '3:0'", ""),
        ("mark:10", "10", "mark: does not know '10'", "It knows: 1, 2, 3"),
        ("problem:big", "big", "problem: does not know 'big'", "missing, empty, unreadable, twice, any, none"),
    ],
)  # fmt: skip
def test_errors_point_at_what_is_meant(query: str, meant: str, message: str, remedy: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    error = caught.value
    assert error.message == message
    assert remedy in error.remedy
    assert query[error.start : error.end] == meant
    assert error.where == f"query, column {error.start + 1}"
    assert error.exit_code == 2


def test_an_odd_pattern_is_taken_without_a_word() -> None:
    script = "from sdtui.dataset.query_syntax import parse; parse('/[[a]/')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_brackets_without_end() -> None:
    assert shown(parse("(" * 100 + "a" + ")" * 100).root) == "[a]"
    with pytest.raises(QueryError, match="more than 100 brackets within each other"):
        parse("(" * 5000 + "a" + ")" * 5000)
    assert shown(parse("NOT " * 5001 + "a").root) == "(NOT [a])"


@given(st.text(alphabet='ab:()"/*?\\<. ANDORTtagcse,5', max_size=30))
def test_anything_is_understood_or_pointed_at(query: str) -> None:
    pointed: QueryError | None = None
    try:
        parse(query)
    except QueryError as error:
        pointed = error
    if pointed is not None:
        assert 0 <= pointed.start < pointed.end <= len(query) + 1
        assert pointed.pointed().count("\n") == 1
