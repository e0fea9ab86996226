"""Lists of tags as other programs write them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sdtui.dataset.tag_csv import Row, read_list
from sdtui.errors import UserError


def written(folder: Path, text: str, name: str = "tags.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_tagcomplete_without_a_heading(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '\ufeff1girl,0,6008644,"1girls,sole_female"\nhatsune_miku,4,93000,miku\nhighres,5,5000000,\n\nlone\nx,1\n'
        'touhou,3,800000,"/tou,  ,東方"\n',
    )
    assert read_list(path).rows == [
        Row("1girl", "general", 6008644, ("1girls", "sole_female"), deprecated=False),
        Row("hatsune_miku", "character", 93000, ("miku",), deprecated=False),
        Row("highres", "meta", 5000000, (), deprecated=False),
        Row("lone", "general", 0, (), deprecated=False),
        Row("x", "artist", 0, (), deprecated=False),
        Row("touhou", "copyright", 800000, ("/tou", "東方"), deprecated=False),
    ]


@pytest.mark.parametrize(
    ("numbers", "categories"),
    [
        ((0, 1, 3, 4, 5, 9), ["general", "artist", "copyright", "character", "meta", "rating"]),
        ((0, 1, 2, 5, 6, 7, 8), ["general", "artist", "artist", "species", "invalid", "meta", "lore"]),
        (
            (5, 7, 8, 10, 11, 12, 14, 15),
            ["meta", "general", "artist", "copyright", "character", "species", "meta", "lore"],
        ),
        ((0, 77), ["general", "unknown"]),
    ],
    ids=["danbooru", "e621", "both", "neither"],
)
def test_what_the_numbers_mean(tmp_path: Path, numbers: tuple[int, ...], categories: list[str]) -> None:
    path = written(tmp_path, "".join(f"tag{number},{number},1,\n" for number in numbers))
    assert [row.category for row in read_list(path).rows] == categories


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("tag_id,name,category,count\n9999999,general,9,800\n", Row("general", "rating", 800, (), deprecated=False)),
        ("id,name,post_count,category,is_deprecated\n1,x,7,0,t\n", Row("x", "general", 7, (), deprecated=True)),
        (
            "tag,category,aliases\nsaber,character,artoria\n",
            Row("saber", "character", 0, ("artoria",), deprecated=False),
        ),
        ("name,count\nx,-5\n", Row("x", "general", 0, (), deprecated=False)),
        ("name,count\nx," + "9" * 5000 + "\n", Row("x", "general", 2**31 - 1, (), deprecated=False)),
    ],
    ids=["wd", "danbooru", "words", "negative", "huge"],
)
def test_headings(tmp_path: Path, text: str, row: Row) -> None:
    assert read_list(written(tmp_path, text)).rows == [row]


def test_a_tag_called_name_is_no_heading(tmp_path: Path) -> None:
    assert [row.name for row in read_list(written(tmp_path, "name,0,5,\nx,0,4,\n")).rows] == ["name", "x"]


def test_pairs_are_implications_or_aliases_by_the_file_name(tmp_path: Path) -> None:
    text = "antecedent_name,consequent_name,status\na,b,active\nc,d,deleted\ne,f,\n,g,active\n"
    assert read_list(written(tmp_path, text)).implications == [("a", "b"), ("e", "f")]
    aliases = read_list(written(tmp_path, text, "tag_aliases.csv"))
    assert (aliases.aliases, aliases.implications) == ([("a", "b"), ("e", "f")], [])


def test_packed(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv.gz"
    path.write_bytes(gzip.compress(b"x,0,1,\n"))
    assert [row.name for row in read_list(path).rows] == ["x"]


def test_odd_bytes_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_bytes(b'caf\xe9,0,1,\r\n"two\nlines",0,2,"a,b"\r\n\r\n')
    rows = read_list(path).rows
    assert [(row.name, row.count) for row in rows] == [("caf�", 1), ("two lines", 2)]


def test_nothing_in_it(tmp_path: Path) -> None:
    assert read_list(written(tmp_path, "\n\n")).rows == []


@pytest.mark.parametrize("name", ["none.csv", "none.csv.gz"])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot read the list of tags"):
        read_list(tmp_path / name)


def test_not_packed_although_the_name_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the list of tags"):
        read_list(written(tmp_path, "x", "tags.csv.gz"))


def test_no_list_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a list of tags") as caught:
        read_list(written(tmp_path, "ok,0,1,\n" + "x" * 200_000))
    assert caught.value.where.endswith("tags.csv:2")
