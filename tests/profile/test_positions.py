"""Where keys and values stand, in every way TOML lets them be written."""

from __future__ import annotations

import pytest

from sdtui.profile.positions import join_key, scan

HARD = '''\
top = 1 # one
"quoted" = 'lit # not a comment'
a.b . c = 1979-05-27 07:32:00 # a date with a blank
[ method ] # header
rank=8
text = """
[not.a.header]
x = 1 \\""" "" still """
lit = \'\'\'
it's\'\'\'
[[dataset.folders]]
path = "x = [1]"
[[dataset.folders]]
path = "y"
list = [ 1, [2, 3], { deep = "v", z = 1 }, # comment ]
  "last",
]
[dataset.folders.inner]
k = { a.b = 1 , c = [] }
'''


def _value(key: str) -> str:
    layout = scan(HARD)
    return HARD[slice(*layout.entries[key].value)]


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("top", "1", (1, 1)),
        ("quoted", "'lit # not a comment'", (2, 1)),
        ("a.b.c", "1979-05-27 07:32:00", (3, 1)),
        ("method.rank", "8", (5, 1)),
        ("method.text", '"""\n[not.a.header]\nx = 1 \\""" "" still """', (6, 1)),
        ("method.lit", "'''\nit's'''", (9, 1)),
        ("dataset.folders[0].path", '"x = [1]"', (12, 1)),
        ("dataset.folders[1].path", '"y"', (14, 1)),
        ("dataset.folders[1].list[1][0]", "2", (15, 14)),
        ("dataset.folders[1].list[2].z", "1", (15, 35)),
        ("dataset.folders[1].list[3]", '"last"', (16, 3)),
        ("dataset.folders[1].inner.k.a.b", "1", (19, 7)),
        ("dataset.folders[1].inner.k.c", "[]", (19, 17)),
    ],
)
def test_values_and_places(key: str, value: str, place: tuple[int, int]) -> None:
    layout = scan(HARD)
    assert _value(key) == value
    assert layout.place(layout.entries[key].key.start) == place


def test_tables_in_file_order() -> None:
    assert [table.path for table in scan(HARD).tables] == [
        "",
        "method",
        "dataset.folders[0]",
        "dataset.folders[1]",
        "dataset.folders[1].inner",
    ]


def test_a_missing_key_is_located_at_the_nearest_table() -> None:
    layout = scan(HARD)
    assert layout.locate("method.alpha") == (4, 1)
    assert layout.locate("dataset.folders[1].repeats") == (13, 1)
    assert layout.locate("dataset.resolution") == (12, 1)
    assert layout.locate("training.steps") == (1, 1)


def test_crlf_and_no_final_newline() -> None:
    text = "[a]\r\nb = 1.5\r\nc = true"
    layout = scan(text)
    assert text[slice(*layout.entries["a.b"].value)] == "1.5"
    assert text[slice(*layout.entries["a.c"].value)] == "true"
    assert layout.place(layout.entries["a.c"].value.start) == (3, 5)


def test_a_quoted_dot_is_no_path() -> None:
    assert list(scan('"method.rank" = 1\n').entries) == ['"method.rank"']
    assert join_key("dataset", "folders", 0, "path") == "dataset.folders[0].path"
    assert join_key("method.rank") == '"method.rank"'
