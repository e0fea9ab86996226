"""Captions as people really have them, through reading, the index, queries, edits and undo: every byte accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.bulk import propose
from sdtui.dataset.caption import CaptionFile
from sdtui.dataset.edit import Journal
from sdtui.dataset.index import Index
from sdtui.dataset.library import Library
from sdtui.dataset.marks import Marks
from sdtui.dataset.operations import EDITS, Context
from sdtui.dataset.query import Searcher, parse

FAMILY = "👩\u200d👩\u200d👧"  # one picture, joined by ZWJ
MANY = b", ".join(b"tag %d" % number for number in range(10_000))

# (what it is, the file's bytes, a query that finds it, and what "add NEW", "remove GONE" and "case upper" leave of the file)
ODD = [
    ("byte order mark", b"\xef\xbb\xbfsky, gone\n", "tag:sky tags:2",
     b"\xef\xbb\xbfsky, gone, new\n", b"\xef\xbb\xbfsky\n", b"\xef\xbb\xbfSKY, GONE\n"),
    ("crlf", b"sky, gone\r\nwall\r\n", "tag:wall", b"sky, gone\r\nwall, new\r\n", b"sky\r\nwall\r\n",
     b"SKY, GONE\r\nWALL\r\n"),
    ("mixed line ends", b"a\r\ngone, b\nc", "caption:/b\\nc/", b"a\r\ngone, b\nc, new", b"a\r\nb\nc", b"A\r\nGONE, B\nC"),
    ("NUL", b"sky\0blue, gone", "caption:/y\\x00b/", b"sky\0blue, gone, new", b"sky\0blue", b"SKY\0BLUE, GONE"),
    ("right to left", "שמיים, gone, \u202eabc\n".encode(), "tag:שמיים", "שמיים, gone, \u202eabc, new\n".encode(),
     "שמיים, \u202eabc\n".encode(), "שמיים, GONE, \u202eABC\n".encode()),
    ("ZWJ emoji", f"{FAMILY}, gone".encode(), f"tag:{FAMILY}", f"{FAMILY}, gone, new".encode(), FAMILY.encode(),
     f"{FAMILY}, GONE".encode()),
    ("markup", b"[/red], [bold]x, gone", '"[/red]"', b"[/red], [bold]x, gone, new", b"[/red], [bold]x",
     b"[/RED], [BOLD]X, GONE"),
    ("10 000 tags", MANY + b", gone,", "tag:tag 9999 tags:>10000", MANY + b", gone, new,", MANY + b",",
     MANY.upper() + b", GONE,"),
    ("no-break spaces", "sky\u00a0blue,\u3000gone".encode(), "caption:/y\\xa0b/", "sky\u00a0blue,\u3000gone,\u3000new".encode(),
     "sky\u00a0blue".encode(), "SKY\u00a0BLUE,\u3000GONE".encode()),
]  # fmt: skip
NAMES = [odd[0] for odd in ODD]
WINDOWS_1252 = b"caf\xe9, gone"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """One image for each of `ODD`, in order, and at the end one whose caption is no UTF-8."""
    for number, raw in enumerate([*(odd[1] for odd in ODD), WINDOWS_1252]):
        (tmp_path / f"{number}.png").touch()
        (tmp_path / f"{number}.txt").write_bytes(raw)
    return Library.scan(tmp_path)


def raws(library: Library) -> list[bytes]:
    return [library.caption_path(at).read_bytes() for at in range(len(library))]


@pytest.mark.parametrize("raw", [odd[1] for odd in ODD], ids=NAMES)
def test_reading_and_writing_changes_nothing(raw: bytes) -> None:
    caption = CaptionFile.parse(Path("x.txt"), raw)
    assert caption.to_bytes() == raw
    assert caption.replaced(caption.text).to_bytes() == raw


@pytest.mark.parametrize("number", range(len(ODD)), ids=NAMES)
def test_the_index_finds_it_also_when_opened_again(
    library: Library, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("sdtui.dataset.index.KEPT_FROM", 1)
    for _ in range(2):
        index = Index(library)
        list(index.load())
        searcher = Searcher(index, Marks(library.folder))
        assert searcher.find(parse(ODD[number][2])).tolist() == [number]
        assert searcher.find(parse("problem:unreadable")).tolist() == [len(ODD)]
        assert index.text(number) == CaptionFile.parse(Path(), ODD[number][1]).text
        index.keep()


@pytest.mark.parametrize(
    ("verb", "parameters", "column"),
    [("add", {"tag": "new"}, 3), ("remove", {"tag": "gone"}, 4), ("case", {"case": "upper"}, 5)],
    ids=["add", "remove", "case"],
)
def test_edits_leave_every_other_byte_and_undo_brings_all_back(
    library: Library, verb: str, parameters: dict[str, str], column: int
) -> None:
    before = raws(library)
    edit = EDITS[verb](**parameters)
    proposal = propose(library, range(len(library)), edit.rewrite(Context(dict, len)), edit.label)
    assert [error.where for error in proposal.unreadable] == [str(library.folder / f"{len(ODD)}.txt")]
    journal = Journal.open(library.folder)
    journal.apply(proposal.changes, proposal.label)
    assert raws(library) == [*(odd[column] for odd in ODD), WINDOWS_1252]
    journal.undo()
    assert raws(library) == before
