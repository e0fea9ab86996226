from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.operations import EDITS, Add, Context, Remove, Replace, Sort
from sdtui.dataset.operations.order import Front
from sdtui.dataset.operations.tagwise import Trim
from sdtui.errors import UserError
from sdtui.tui.captions.operation_form import ON, fields_of, make_edit, rewrite_of, shown_default, turned

PLAIN = Context(dict, len)


@pytest.mark.parametrize("verb", list(EDITS))
def test_every_edit_has_fields_with_their_defaults(verb: str) -> None:
    fields = fields_of(verb)
    assert [field.name for field in fields[:-1]] == [each.name for each in EDITS[verb].parameters()]
    assert fields[-1].name == "each_line"
    typed = {field.name: shown_default(field) for field in fields}
    needed = {field.name: "x" for field in fields if field.required and field.kind != "choice"}
    made = make_edit(verb, {**typed, **needed})
    for field in EDITS[verb].parameters():
        if not field.required:
            assert getattr(made, field.name) == field.default


def test_fields_become_typed_values() -> None:
    assert make_edit("add", {"tag": "night", "front": "no", "place": " 2 "}) == Add("night", place=2)
    assert make_edit("remove", {"tag": "*hair", "wildcard": ON}) == Remove("*hair", wildcard=True)
    assert make_edit("replace", {"old": "a", "new": "b"}) == Replace("a", "b")
    assert make_edit("front", {"tags": "a , b,,"}) == Front(("a", "b"))
    assert make_edit("sort", {"by": "file", "order": "/tmp/o", "keep": "1"}) == Sort("file", Path("/tmp/o"), 1)
    assert make_edit("trim", {"tokens": "75", "tags": ""}) == Trim(None, 75)


@pytest.mark.parametrize(
    ("verb", "typed", "why"),
    [
        ("add", {}, "tag: still empty"),
        ("replace", {"old": "x"}, "new: still empty"),
        ("add", {"tag": "x", "place": "two"}, "place: two is not a whole number"),
        ("front", {"tags": " , "}, "tags: still empty"),
        ("regex", {"pattern": "(", "replacement": ""}, "the regular expression cannot be used"),
        ("trim", {}, "trim wants one limit"),
    ],
    ids=["empty", "new", "number", "empty list", "regex", "two limits"],
)
def test_what_cannot_be_used_is_named(verb: str, typed: dict[str, str], why: str) -> None:
    with pytest.raises(UserError, match=why.replace("(", r"\(")):
        rewrite_of(verb, typed, PLAIN)


def test_groups_of_a_regular_expression_and_a_text_that_goes() -> None:
    rewrite, label = rewrite_of(
        "regex", {"pattern": r"(\w+) eyes", "replacement": r"eyes of \1", "each_tag": ON}, PLAIN
    )
    assert rewrite("1girl, blue eyes") == "1girl, eyes of blue"
    assert label == r"regex '(\\w+) eyes' by 'eyes of \\1'"
    gone, _label = rewrite_of("regex", {"pattern": ", tail$", "replacement": ""}, PLAIN)
    assert gone("cat, tail") == "cat"
    gone, _label = rewrite_of("replace", {"old": ", tail", "new": "", "anywhere": ON}, PLAIN)
    assert gone("cat, tail") == "cat"


def test_each_line_alone() -> None:
    typed = {"tag": "x", "front": ON}
    assert rewrite_of("add", typed, PLAIN)[0]("a\nb") == "x, a\nb"
    assert rewrite_of("add", {**typed, "each_line": ON}, PLAIN)[0]("a\nb") == "x, a\nx, b"


def test_switches_and_choices_go_round() -> None:
    fields = {field.name: field for field in fields_of("sort")}
    assert turned(fields["each_line"], "no", 1) == "yes"
    assert turned(fields["each_line"], "yes", 1) == "no"
    assert turned(fields["by"], "alphabet", -1) == "file"
    assert turned(fields["by"], "alphabet", 1) == "frequency"
    assert shown_default(fields_of("case")[0]) == "lower"
