from __future__ import annotations

import operator
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sdtui.dataset import bounded_regex
from sdtui.dataset.caption import tag_words
from sdtui.dataset.index import Index
from sdtui.dataset.library import Library
from sdtui.dataset.marks import Marks
from sdtui.dataset.query import Searcher, parse
from sdtui.dataset.query_syntax import And, Node, Not, Or, Query, Term
from sdtui.dataset.query_value import Choice, Number, Regex, Text, Wildcard
from sdtui.errors import SdtuiError, UserError

CAPTIONS = {
    "img1.png": "stone wall, tower, night",
    "img2.png": "Tower, sky\nold gate",
    "img10.png": "a photo of a stone, wall and a TOWER, tower, x",
    "10_city/gate.png": r"saber \(fate\), 1girl, long hair,",
    "10_city/deep/Tower.png": "",
    "20_sea/bare.jpg": None,
    "20_sea/odd.jpg": b"\xff",
}
SIZES = {"img1.png": (64, 32), "img2.png": (30, 45), "10_city/gate.png": (160, 90)}


def searcher(folder: Path, captions: dict[str, str | bytes | None], count: bool = True) -> Searcher:
    for name, text in captions.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if text is not None:
            path.with_suffix(".txt").write_bytes(text.encode() if isinstance(text, str) else text)
    index = Index(Library.scan(folder))
    for _ in index.load():
        pass
    return Searcher(index, Marks(folder), (lambda text: len(text.split())) if count else None)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDTUI_DATA", str(tmp_path_factory.mktemp("data")))
        folder = tmp_path_factory.mktemp("city")
        found = searcher(folder, dict(CAPTIONS))
        for name, size in SIZES.items():
            Image.new("L", size).save(folder / name)
        found.marks.mark(["img1.png", "gone.png"], 3)
        found.marks.mark(["img2.png", "img1.png"], 1)
        found.marks.rate(["img10.png"], 4)
        yield found


def names(found: Searcher, query: str) -> str:
    return " ".join(os.path.basename(found.relatives[at]) for at in found.find(parse(query)).tolist())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tower", "img1.png img2.png img10.png Tower.png"),
        ("stone wall", "img1.png"),
        ("stone, wall", "img10.png"),
        ("tag:tower", "img1.png img2.png img10.png"),
        ("case:on tag:Tower", "img2.png"),
        ("case:on Tower", "img2.png Tower.png"),
        ("tag:tow", ""),
        ("tag:tow*", "img1.png img2.png img10.png"),
        ("tag:*a*", "img1.png img2.png img10.png gate.png"),
        ("tag:?ky", "img2.png"),
        (r"tag:saber_\(fate\) OR tag:saber \(fate\)", "gate.png"),
        (r'tag:"saber \(fate\)"', "gate.png"),
        ("tag:/^(old|long) /", "img2.png gate.png"),
        ("case:on tag:/TOWER/", "img10.png"),
        ("caption:stone", "img1.png img10.png"),
        ("caption:st*l", "img1.png"),
        ('caption:", wall"', "img10.png"),
        ('caption:"stone, w*d"', "img10.png"),
        ('caption:"sky\nold"', "img2.png"),
        ('caption:"stone "', "img1.png"),
        ("caption:/stone.*wall/", "img1.png img10.png"),
        ("caption:/^a.*x$/", "img10.png"),
        ("caption:/^$/", "Tower.png"),
        ("case:on caption:/TOWER/", "img10.png"),
        ("name:IMG1", "img1.png img10.png"),
        ("name:im*0", "img10.png"),
        ("name:city", ""),
        ("name:/^T/", "Tower.png"),
        ("case:on name:t", "gate.png"),
        ("path:city", "gate.png Tower.png"),
        ("path:/^10_city.[^d]/", "gate.png"),
        ("case:on path:Deep", ""),
        ("folder:10_city", "gate.png Tower.png"),
        ("folder:10_city/deep", "Tower.png"),
        ("folder:*deep", "Tower.png"),
        ("folder:?0_*", "gate.png Tower.png bare.jpg odd.jpg"),
        ("folder:.", "img1.png img2.png img10.png"),
        ("folder:10", ""),
        ("folder:/sea/", "bare.jpg odd.jpg"),
        ("tags:3", "img1.png img2.png gate.png"),
        ("tags:0", "Tower.png bare.jpg odd.jpg"),
        ("tags:>3", "img10.png"),
        ("tags:1..3", "img1.png img2.png gate.png"),
        ("tags:!=0", "img1.png img2.png img10.png gate.png"),
        ("chars:24..", "img1.png img10.png gate.png"),
        ("chars:<=0", "Tower.png bare.jpg odd.jpg"),
        ("tokens:4", "img1.png img2.png"),
        ("tokens:..3", "Tower.png bare.jpg odd.jpg"),
        ("width:30", "img2.png"),
        ("width:<100", "img1.png img2.png"),
        ("height:>=45", "img2.png gate.png"),
        ("aspect:2:3", "img2.png"),
        ("aspect:16:9", "gate.png"),
        ("aspect:>1", "img1.png gate.png"),
        ("aspect:!=2", "img2.png gate.png"),
        ("repeats:10", "gate.png"),
        ("repeats:1", "img1.png img2.png img10.png Tower.png"),
        ("mark:3", "img1.png"),
        ("mark:any", "img1.png img2.png"),
        ("mark:none", "img10.png gate.png Tower.png bare.jpg odd.jpg"),
        ("mark:9", ""),
        ("stars:4", "img10.png"),
        ("stars:0 tags:>0", "img1.png img2.png gate.png"),
        ("problem:missing", "bare.jpg"),
        ("problem:empty", "Tower.png"),
        ("problem:unreadable", "odd.jpg"),
        ("problem:twice", ""),
        ("problem:any", "Tower.png bare.jpg odd.jpg"),
        ("problem:none", "img1.png img2.png img10.png gate.png"),
        ("NOT tag:*", "Tower.png bare.jpg odd.jpg"),
        ("tag:tower AND NOT caption:/stone/ OR problem:missing", "img2.png bare.jpg"),
        ("(tag:sky OR tag:night) tags:3", "img1.png img2.png"),
        ("tag:tower AND width:<50 AND tokens:>1", "img2.png"),
        ("NOT (tag:tower OR tags:0)", "gate.png"),
    ],
)
def test_what_is_found(city: Searcher, query: str, found: str) -> None:
    assert names(city, query) == found


def test_marks_are_those_of_the_moment(tmp_path: Path) -> None:
    found = searcher(tmp_path, {"a.png": "x, x", "b.png": "y"})
    assert names(found, "mark:2") == ""
    found.marks.mark(["b.png"], 2)
    assert names(found, "mark:2") == "b.png"
    assert names(found, "problem:twice") == "a.png"


def test_dear_parts_are_asked_only_about_what_the_cheap_ones_leave(tmp_path: Path) -> None:
    found = searcher(tmp_path, {"a.png": "x", "b.png": "y z", "c.png": "y"})
    counted: list[str] = []
    found.count_tokens = lambda text: counted.append(text) or len(text)  # type: ignore[func-returns-value]
    assert names(found, "tokens:>1 AND tag:y") == ""
    assert counted == ["y"]
    assert names(found, "tag:x OR tokens:1") == "a.png c.png"
    assert counted == ["y", "y z"]


def test_tokens_need_a_counter(tmp_path: Path) -> None:
    found = searcher(tmp_path, {"a.png": "x"}, count=False)
    with pytest.raises(SdtuiError, match="tokens cannot be counted here"):
        names(found, "tokens:1")


def test_a_search_that_is_no_longer_wanted_ends(tmp_path: Path) -> None:
    found = searcher(tmp_path, {"a.png": "x, y", "b.png": "y"})
    assert found.find(parse("caption:/x, y/"), lambda: True).tolist() == []


@pytest.mark.parametrize("query", ["caption:/^(a|aa)+, $/", "tag:/(a|aa)+$/", "name:/(a|aa)+$/"])
def test_an_expression_that_would_never_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(bounded_regex, "_SECONDS", 0.05)
    found = searcher(tmp_path, {"a" * 150 + ".png": "a" * 200 + "!, b"})
    with pytest.raises(UserError, match="takes more than"):
        found.find(parse(query))


def test_an_edit_does_not_wait_for_a_search(tmp_path: Path) -> None:
    found = searcher(tmp_path, {"a.png": "x, y", "b.png": "x, y"})

    def stopped() -> bool:
        edit = threading.Thread(target=found.index.changed, args=([0],), daemon=True)
        edit.start()
        edit.join(120)
        assert not edit.is_alive()
        return False

    assert names(found, "caption:/x, y/") == "a.png b.png"
    assert found.find(parse("caption:/x, y/"), stopped).tolist() == [0, 1]


def test_names_that_are_not_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    found = searcher(tmp_path, {name: "x"})
    assert found.find(parse("name:CAF*.png")).tolist() == [0]
    assert found.find(parse(f"path:{name}")).tolist() == [0]


def test_a_dotless_i_is_found_by_patterns_that_take_it_for_an_i(tmp_path: Path) -> None:
    found = searcher(tmp_path, {"a.png": "sır, x", "b.png": "sir, x"})
    assert names(found, "caption:/sir, /") == "a.png b.png"
    assert names(found, "case:on caption:/sir, /") == "b.png"


# -- any query finds what looking at every image one by one finds ----------------------------------------------------------

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def slow(found: Searcher, query: Query) -> list[int]:
    return [at for at in range(len(found.relatives)) if _holds(found, query, query.root, at)]


def _holds(found: Searcher, query: Query, node: Node, at: int) -> bool:
    if isinstance(node, Not):
        return not _holds(found, query, node.item, at)
    if isinstance(node, And):
        return all(_holds(found, query, item, at) for item in node.items)
    if isinstance(node, Or):
        return any(_holds(found, query, item, at) for item in node.items)
    return _term(found, query.case, node, at)


def _term(found: Searcher, case: bool, term: Term, at: int) -> bool:
    relative = found.relatives[at]
    text = found.index.text(at)
    words = tag_words(text or "")
    value = term.value
    if isinstance(value, Number):
        stars = found.marks.now.stars.get(relative, 0)
        number = {"tags": len(words), "chars": len(text or ""), "stars": stars, "tokens": len((text or "").split())}
        if value.operator == "..":
            return (value.low or 0) <= number[term.field] <= (1e9 if value.high is None else value.high)
        assert value.low is not None
        return COMPARE[value.operator](number[term.field], value.low)
    if isinstance(value, Choice):
        assert term.field == "mark"
        return (relative in found.marks.selected(1)) is (value.word != "none")
    assert isinstance(value, Text | Regex)
    wild = isinstance(value, Text) and any(isinstance(part, Wildcard) for part in value.parts)
    comma = isinstance(value, Text) and any(
        "," in part or "\n" in part for part in value.parts if isinstance(part, str)
    )
    match = _matcher(value, case, "[^,\n]" if wild and comma else ".")
    if term.field == "tag":
        return any(match(word, not isinstance(value, Regex)) for word in words)
    if term.field == "name":
        return match(os.path.basename(relative), False)
    hit = term.field != "caption" and match(relative, False)
    if term.field != "path" and text is not None:
        hit |= any(match(word, False) for word in words) if wild and not comma else match(text, False)
    return hit


def _matcher(value: Text | Regex, case: bool, one: str) -> Callable[[str, bool], bool]:
    if isinstance(value, Regex):
        compiled = re.compile(value.pattern, 0 if case else re.IGNORECASE)
        return lambda text, _whole: compiled.search(text) is not None
    fold = str if case else str.casefold
    signs = {Wildcard.ANY: f"{one}*", Wildcard.ONE: one}
    pattern = "".join(signs[part] if isinstance(part, Wildcard) else re.escape(fold(part)) for part in value.parts)
    return lambda text, whole: bool((re.fullmatch if whole else re.search)(pattern, fold(text), re.DOTALL))


letters = st.text(alphabet="aAbß é", min_size=1, max_size=3)
pieces = st.sampled_from(["a", "b", "A", "ß", "SS", " ", "a b", "é", r"\*", "*", "?", "a*", "*b", "?a"])
texts = st.lists(pieces, min_size=1, max_size=3).map("".join)
patterns = st.sampled_from(
    ["a", "^a", "b$", "a+b", "a.*b", "(a|b)", "[^a]", r"\w\w", "a b", "ab?", "a,", r"\bb", "ss", "a|é"]
)
text_terms = st.builds(
    lambda field, text: f'{field}"{text}"', st.sampled_from(["tag:", "caption:", "name:", "path:", ""]), texts
)
comma_terms = st.builds(lambda one, two: f'caption:"{one},{two}"', texts, texts)
regex_terms = st.builds(
    lambda field, text: f"{field}/{text}/", st.sampled_from(["tag:", "caption:", "name:", "path:", ""]), patterns
)
number_terms = st.builds(
    lambda field, sign, number: f"{field}:{sign}{number}",
    st.sampled_from(["tags", "chars", "stars", "tokens"]),
    st.sampled_from(["", "=", "!=", "<", "<=", ">", ">=", "..", "0.."]),
    st.integers(0, 5),
)
terms = text_terms | comma_terms | regex_terms | number_terms | st.sampled_from(["mark:1", "mark:any", "mark:none"])
queries = st.recursive(
    terms,
    lambda inner: (
        st.builds(
            lambda one, word, two: f"({one} {word} {two})", inner, st.sampled_from(["AND", "OR", "AND NOT", ""]), inner
        )
        | inner.map(lambda one: f"NOT {one}")
    ),
    max_leaves=5,
)
captions = st.none() | st.text(alphabet="aAbßé ,\n", max_size=12)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(captions, min_size=1, max_size=6),
    st.lists(captions, max_size=2),
    st.lists(st.booleans().flatmap(lambda on: queries.map(lambda text: f"case:on {text}" if on else text)), max_size=8),
)
def test_any_query_finds_what_one_by_one_finds(
    before: list[str | None], after: list[str | None], wanted: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stems = ["a", "B b", "aß", "éa", "ab", "x"]
        found = searcher(folder, {f"{stem}.png": text for stem, text in zip(stems, before, strict=False)})
        found.marks.mark(found.relatives[::2], 1)
        found.marks.rate(found.relatives[1:], 2)
        # Some captions change after the index was made.
        for at, text in enumerate(after[: len(before)]):
            path = found.index.library.caption_path(at)
            path.write_text(text) if text is not None else path.unlink(missing_ok=True)
            found.index.changed([at])
        for text in wanted:
            query = parse(text)
            assert found.find(query).tolist() == slow(found, query), text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("score:night sky>0.5", "b.png"),
        ("score:night_sky>=0.5", "a.png b.png"),
        ("score:night sky=0..0.5", "a.png c.png"),
        ("score:night sky<0.2 OR name:d", "c.png d.png"),
        ("NOT score:night sky!=0", "c.png d.png"),
        # 0.98 is kept as 0.97998.
        ("score:night sky=0.98", "b.png"),
    ],
)
def test_scores_are_asked_of_whoever_knows_them(tmp_path: Path, query: str, found: str) -> None:
    made = searcher(tmp_path, dict.fromkeys(("a.png", "b.png", "c.png", "d.png")))
    scores = {"night sky": [0.5, 0.98, 0.0, np.nan], "night_sky": [0.5, 0.98, 0.0, np.nan]}
    made.score_of = lambda tag: np.array(scores[tag], np.float16).astype(np.float32)
    assert names(made, query) == found


def test_scores_need_someone_who_knows_them(tmp_path: Path) -> None:
    with pytest.raises(SdtuiError, match="no tagger's scores"):
        searcher(tmp_path, {"a.png": "x"}).find(parse("score:x>0.5"))
