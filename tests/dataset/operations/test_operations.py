"""Each operation on whole files: what it changes, and that every other byte stays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdtui.dataset import bounded_regex, vocabulary_file
from sdtui.dataset.bulk import propose
from sdtui.dataset.caption import CaptionFile
from sdtui.dataset.edit import Journal
from sdtui.dataset.library import Library
from sdtui.dataset.operations import EDITS, Context, Sort, each_line
from sdtui.errors import UserError

BOM = b"\xef\xbb\xbf"
COUNTS = Counter({"sky": 9, "wall": 5, "cat": 1})
CATEGORIES = {"cat": "general", "miku": "character", "highres": "meta", "vocaloid": "copyright", "safe": "rating"}
CONTEXT = Context(
    lambda: COUNTS, lambda text: len(text.replace(",", " ").split()), lambda: lambda tag: CATEGORIES.get(tag, "unknown")
)


def edited(verb: str, raw: bytes, *, lines: bool = False, **parameters: Any) -> bytes:
    rewrite = EDITS[verb](**parameters).rewrite(CONTEXT)
    caption = CaptionFile.parse(Path("x.txt"), raw)
    return caption.replaced((each_line(rewrite) if lines else rewrite)(caption.text)).to_bytes()


@pytest.mark.parametrize(
    ("verb", "parameters", "raw", "expected"),
    [
        ("add", {"tag": "x"}, BOM + b"a,b ,\r\n", BOM + b"a,b,x ,\r\n"),
        ("add", {"tag": "x", "front": True}, b"a\r\nb\r\n", b"x, a\r\nb\r\n"),
        ("add", {"tag": "x", "place": 2}, b"a,  b, c", b"a,  x,  b, c"),
        ("add", {"tag": "x", "place": 9}, b"a, b,", b"a, b, x,"),
        ("add", {"tag": "x", "front": True}, b"t ||| a", b"x, t ||| a"),
        ("add", {"tag": "x"}, b"t ||| a\n", b"t ||| a, x\n"),
        ("remove", {"tag": "a"}, BOM + b"b,\r\na, c\r\n", BOM + b"b,\r\nc\r\n"),
        ("remove", {"tag": "a"}, b"t ||| a, b", b"t ||| b"),
        ("remove", {"tag": "a"}, b"t ||| b, a", b"t ||| b"),
        ("remove", {"tag": "t"}, b"t ||| b", b"||| b"),
        ("remove", {"tag": "a"}, b"t ||| a", b"t |||"),
        ("remove", {"tag": "a"}, b"t ||| a ||| s", b"t ||| ||| s"),
        ("remove", {"tag": "a"}, b"(a:1.2), A, a b, a\\(b\\)", b"(a:1.2), A, a b, a\\(b\\)"),
        ("remove", {"tag": "*a?", "wildcard": True}, b"cat, a, bat, sand, ab", b"a, sand"),
        ("remove", {"tag": "what?"}, b"what?, whats", b"whats"),
        ("remove", {"tag": r"what\?", "wildcard": True}, b"what?, whats", b"whats"),
        ("remove", {"tag": "SKY", "ignore_case": True}, b"sky, a.c, Sky,", b"a.c,"),
        ("remove", {"tag": "a.c", "ignore_case": True}, b"abc, A.C", b"abc"),
        ("replace", {"old": "a", "new": "x"}, BOM + b"b ,a,c,\r\n", BOM + b"b ,x,c,\r\n"),
        ("replace", {"old": "a, b", "new": "x"}, b"c, a,\r\nb, b, a,b", b"c, x,\r\nb"),
        ("replace", {"old": "a, b", "new": "b, a"}, b"a, b, c", b"b, a, c"),
        ("replace", {"old": "A", "new": "x", "ignore_case": True}, b"b, a, A", b"b, x"),
        ("replace", {"old": "a", "new": "a"}, b"a, a", b"a, a"),
        ("replace", {"old": "t", "new": "x"}, b"t ||| a", b"x ||| a"),
        ("replace", {"old": "a woman", "new": "sks", "anywhere": True}, b"By a woman, a woman.\r\n", b"By sks, sks.\r\n"),
        ("replace", {"old": "t, A", "new": r"\1", "anywhere": True, "ignore_case": True}, b"cat, ab", b"ca\\1b"),
        ("replace", {"old": "a", "new": "", "anywhere": True}, b"abc", b"bc"),
        ("regex", {"pattern": r"(\w+) eyes", "replacement": r"eyes: \1"}, b"blue eyes,red eyes,\r\n", b"eyes: blue,eyes: red,\r\n"),
        ("regex", {"pattern": "^a|c$", "replacement": "x"}, b"a, a, c\n", b"x, a, x\n"),
        ("regex", {"pattern": "^a|c$", "replacement": "x", "each_tag": True}, b"a ,a,c,\n", b"x ,x,x,\n"),
        ("regex", {"pattern": "^bad.*", "replacement": "", "each_tag": True}, b"bad one, ok, bad", b"ok"),
        ("regex", {"pattern": r"(?P<n>\d)girl", "replacement": r"\g<n> girl", "ignore_case": True}, b"1Girl", b"1 girl"),
        ("regex", {"pattern": r"\n", "replacement": ", "}, b"a\r\nb\r\n", b"a, b\r\n"),
        ("trigger", {"word": "sks"}, BOM + b"a,b,\r\n", BOM + b"sks,a,b,\r\n"),
        ("trigger", {"word": "sks"}, b"a, sks, b, sks", b"sks, a, b"),
        ("trigger", {"word": "sks"}, b"sks ,a", b"sks ,a"),
        ("trigger", {"word": "sks, man"}, b"man, a, sks", b"sks, man, a"),
        ("trigger", {"word": "sks"}, b"||| a, b", b"sks ||| a, b"),
        ("trigger", {"word": "sks"}, b"t ||| sks, b", b"sks, t ||| b"),
        ("trigger", {"word": "sks"}, b"", b"sks"),
        ("trigger", {"word": "sks"}, b"A man by a wall.", b"sks, A man by a wall."),
        ("front", {"tags": ("c", "b")}, b"a,  b,c,\r\n", b"c,  b,a,\r\n"),
        ("front", {"tags": ("*Hair",), "wildcard": True, "ignore_case": True}, b"a, red hair", b"red hair, a"),
        ("sort", {}, BOM + b"b,A ,\r\nc,", BOM + b"A,b ,\r\nc,"),
        ("sort", {"by": "frequency"}, b"cat, wall, sky", b"sky, wall, cat"),
        ("sort", {"by": "frequency", "keep": 1}, b"cat, wall, sky", b"cat, sky, wall"),
        ("sort", {"by": "category"}, b"safe, highres,cat, sks, vocaloid, miku,", b"miku, vocaloid,cat, sks, highres, safe,"),
        ("sort", {"by": "category", "keep": 1}, b"highres, cat, miku", b"highres, miku, cat"),
        ("sort", {"category": ("meta", "unknown")}, b"cat, safe, miku, sks, highres", b"highres, sks, miku, cat, safe"),
        ("sort", {}, b"(z, a:1.1), b, t ||| y, x", b"(z, a:1.1), b, t ||| x, y"),
        ("dedupe", {}, BOM + b"a,b ,a,A,\r\n", BOM + b"a,b,A,\r\n"),
        ("dedupe", {"ignore_case": True}, b"a, A\r\nb, a", b"a\r\nb"),
        ("trim", {"tags": 2}, BOM + b"a,b,c,\r\n", BOM + b"a,b,\r\n"),
        ("trim", {"tokens": 2}, b"a b, c\r\n", b"a b\r\n"),
        ("spaces", {}, b"a_b ,^_^,\r\nc_d\r\n", b"a b ,^_^,\r\nc d\r\n"),
        ("spaces", {"keep": ("score_*",)}, b"score_9_up, a_b", b"score_9_up, a b"),
        ("underscores", {}, b"a b ,  c d,", b"a_b ,  c_d,"),
        ("underscores", {"keep": ("a ?",)}, b"a b, a bc", b"a b, a_bc"),
        ("escape", {}, b"a (b), (c:1.2), (d, e (f):1.1),\r\n", b"a \\(b\\), (c:1.2), (d, e \\(f\\):1.1),\r\n"),
        ("escape", {"square": True}, b"a [b]", b"a \\[b\\]"),
        ("unescape", {}, b"a \\(b\\), \\m/", b"a (b), \\m/"),
        ("case", {"case": "lower"}, b"A B ,C,\r\n", b"a b ,c,\r\n"),
        ("case", {"case": "title"}, b"a b, c", b"A B, C"),
        ("prefix", {"text": "photo, "}, BOM + b"a\r\nb\r\n", BOM + b"photo, a\r\nb\r\n"),
        ("prefix", {"text": "photo, "}, b"photo, a", b"photo, a"),
        ("suffix", {"text": ", hd"}, b"a,\r\nb\r\n", b"a,\r\nb, hd\r\n"),
        ("suffix", {"text": ", hd"}, b"\r\n", b"\r\n"),
    ],
)  # fmt: skip
def test_operation(verb: str, parameters: dict[str, Any], raw: bytes, expected: bytes) -> None:
    assert edited(verb, raw, **parameters) == expected


def test_every_operation_is_in_the_table() -> None:
    marks: Any = test_operation
    assert {row[0] for row in marks.pytestmark[0].args[1]} == set(EDITS)


def test_lines_that_are_captions_of_their_own() -> None:
    assert edited("add", b"a\r\n\r\nb,\r\n", lines=True, tag="x") == b"a, x\r\n\r\nb, x,\r\n"
    assert edited("dedupe", b"a, a\nb, a", lines=True) == b"a\nb, a"


def test_an_expression_that_would_never_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_regex, "_SECONDS", 0.05)
    for each_tag in (False, True):
        with pytest.raises(UserError, match="takes more than"):
            edited("regex", b"a" * 200 + b"!", pattern="(a|aa)+$", replacement="b", each_tag=each_tag)


def test_categories_are_those_of_the_users_lists() -> None:
    sort = Sort(by="category")
    context = Context(dict, len)
    with pytest.raises(UserError, match="there is no list that says which category") as caught:
        sort.rewrite(context)
    assert str(vocabulary_file.folder()) in caught.value.remedy
    vocabulary_file.folder().mkdir(parents=True)
    (vocabulary_file.folder() / "danbooru.csv").write_text('hatsune_miku,4,9,"miku"\nsolo,0,8,\nhighres,5,7,\n')
    assert sort.rewrite(context)("highres, solo, Hatsune Miku") == "Hatsune Miku, solo, highres"
    with pytest.raises(UserError, match="there is no category 'people'"):
        Sort(category=("meta", "people")).rewrite(context)


def test_sort_as_a_file_says(tmp_path: Path) -> None:
    order = tmp_path / "order.txt"
    order.write_bytes(BOM + b"sky\r\ncat, wall\r\n")
    assert edited("sort", b"wall, other, sky, more, cat", order=order) == b"sky, cat, wall, other, more"
    with pytest.raises(UserError, match="cannot read the order"):
        edited("sort", b"a", order=tmp_path / "none")
    order.write_bytes(b"\xff")
    with pytest.raises(UserError, match="not UTF-8"):
        edited("sort", b"a", order=order)


@pytest.mark.parametrize(
    ("verb", "parameters", "message"),
    [
        ("add", {"tag": " , "}, "the tag is empty"),
        ("add", {"tag": "a", "place": 0}, "the place is 0"),
        ("add", {"tag": "a", "place": 1, "front": True}, "both at the front and at a place"),
        ("replace", {"old": "", "new": "a", "anywhere": True}, "the text to replace is empty"),
        ("replace", {"old": "a", "new": " "}, "the tag is empty"),
        ("regex", {"pattern": "(", "replacement": ""}, "cannot be used: missing"),
        ("regex", {"pattern": "a", "replacement": r"\1"}, "cannot be used: invalid group reference"),
        ("regex", {"pattern": "a", "replacement": r"\g<x>"}, "cannot be used: unknown group name"),
        ("trim", {}, "one limit"),
        ("trim", {"tags": 1, "tokens": 1}, "one limit"),
        ("trim", {"tags": 0}, "the number of tags is 0"),
        ("sort", {"keep": -1}, "the number of tags to keep is -1"),
        ("sort", {"by": "file"}, "needs the file"),
        ("front", {"tags": ("",)}, "the tag is empty"),
    ],
)
def test_parameters_that_cannot_be_used(verb: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        EDITS[verb](**parameters).rewrite(CONTEXT)


def test_parameters_say_what_they_are() -> None:
    found = {parameter.name: (parameter.kind, parameter.required) for parameter in EDITS["sort"].parameters()}
    kinds = {"by": "choice", "order": "file", "keep": "number", "category": "texts"}
    assert found == {name: (kind, False) for name, kind in kinds.items()}
    assert EDITS["case"].parameters()[0].choices == ("lower", "upper", "title")
    assert EDITS["front"].parameters()[0][:2] == ("tags", "texts")
    assert [parameter.kind for parameter in EDITS["replace"].parameters()] == ["text", "text", "switch", "switch"]


SOME = st.sampled_from(
    [
        ("add", {"tag": "b"}),
        ("add", {"tag": "x", "place": 2}),
        ("remove", {"tag": "a*", "wildcard": True}),
        ("replace", {"old": "a", "new": "b, c"}),
        ("regex", {"pattern": r"(\w)(\W)", "replacement": r"\2\1"}),
        ("trigger", {"word": "t"}),
        ("front", {"tags": ("b",)}),
        ("sort", {}),
        ("dedupe", {}),
        ("trim", {"tags": 2}),
        ("trim", {"tokens": 1}),
        ("spaces", {}),
        ("underscores", {}),
        ("escape", {}),
        ("unescape", {}),
        ("case", {"case": "upper"}),
        ("prefix", {"text": "p"}),
        ("suffix", {"text": "\r\n"}),
    ]
)
RAW = st.one_of(st.none(), st.text(alphabet="ab_ ,|()\\\r\n\0ß\u200d\ufeff", max_size=20).map(str.encode), st.binary())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raws=st.lists(RAW, min_size=1, max_size=3), steps=st.lists(SOME, max_size=5))
def test_any_operations_then_undo_gives_the_original_bytes(
    tmp_path_factory: pytest.TempPathFactory, raws: list[bytes | None], steps: list[tuple[str, dict[str, Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("set")
    for number, raw in enumerate(raws):
        (folder / f"{number}.png").touch()
        if raw is not None:
            (folder / f"{number}.txt").write_bytes(raw)
    before = {path.name: path.read_bytes() for path in folder.glob("*.txt")}
    journal = Journal.open(folder)
    for verb, parameters in steps:
        edit = EDITS[verb](**parameters)
        library = Library.scan(folder)
        journal.apply(propose(library, range(len(library)), edit.rewrite(CONTEXT), edit.label).changes, edit.label)
    while journal.undo():
        pass
    assert {path.name: path.read_bytes() for path in folder.glob("*.txt")} == before
