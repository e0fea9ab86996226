from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdtui.dataset.bulk import Sample
from sdtui.dataset.edit import Journal
from sdtui.dataset.image import content_digest
from sdtui.dataset.library import Library
from sdtui.errors import UserError
from sdtui.tagging.applying import Mode, applied, propose_descriptions, propose_tags
from sdtui.tagging.decide import decide
from sdtui.tagging.rules import Rules
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scored_images import ScoredImages
from sdtui.tagging.tag_list import TagList
from sdtui.tagging.threshold import Scored

KNOWN = TagList.plain(["cat", "night_sky", "saber_(fate)", "dog"])
RULES = Rules(order="model")
DECISION = decide(
    [
        Scored("cat", 0.9, "general", 0),
        Scored("night_sky", 0.8, "general", 1),
        Scored("saber_(fate)", 0.7, "general", 2),
    ],
    RULES,
)


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        ("replace", "ohwx, dog", r"cat, night sky, saber \(fate\)"),
        ("keep-own", "ohwx, dog, Cat", r"ohwx, Cat, cat, night sky, saber \(fate\)"),
        ("keep-own", "dog", r"cat, night sky, saber \(fate\)"),
        ("add", "ohwx,night sky,", r"ohwx,night sky,cat,saber \(fate\),"),
        ("add", "", r"cat, night sky, saber \(fate\)"),
        ("prepend", "ohwx, cat, red", r"cat, night sky, saber \(fate\), ohwx, red"),
        ("append", "ohwx, cat, red,", r"ohwx, red, cat, night sky, saber \(fate\)"),
        ("append", "ohwx ||| cat", r"ohwx ||| cat, night sky, saber \(fate\)"),
        ("prepend", "||| ohwx", r"cat, night sky, saber \(fate\) ||| ohwx"),
        ("only-new", "ohwx", "ohwx"),
        ("only-new", " , ", r"cat, night sky, saber \(fate\)"),
    ],
)
def test_what_becomes_of_the_tags_that_are_there(mode: Mode, before: str, after: str) -> None:
    assert applied(before, DECISION, RULES, mode, KNOWN) == after


@pytest.mark.parametrize("there", ["saber_(fate)", r"saber \(fate\)", "(saber (fate):1.2)", r"(saber \(fate\):0.7)"])
def test_a_tag_is_known_again_however_it_is_written(there: str) -> None:
    before = f"cat, night sky, {there}"
    assert applied(before, DECISION, RULES, "add", KNOWN) == before


def test_ranks_do_not_hide_what_is_there() -> None:
    rules = replace(RULES, ranks=True)
    assert applied("cat, night sky", DECISION, rules, "add", KNOWN) == r"cat, night sky, (saber \(fate\):0.700)"


def test_a_set_is_proposed_made_and_undone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    (tmp_path / "a.txt").write_bytes(b"ohwx\r\n")
    library = Library.scan(tmp_path)
    table = ScoreTable.of_lists(KNOWN, [(content_digest(tmp_path / "a.png"), [(0, 0.9), (1, 0.4)])])
    images = ScoredImages(table.arranged(table.rows_of([content_digest(entry.path) for entry in library])))
    proposal = propose_tags(library, range(2), images, RULES, "add", count_tags=True)
    assert [(sample.before, sample.after) for sample in proposal.samples] == [("ohwx", "ohwx, cat")]
    assert [tuple(tag) for tag in proposal.tags] == [("cat", 0, 1)]
    journal = Journal.open(tmp_path)
    journal.apply(proposal.changes, proposal.label)
    assert (tmp_path / "a.txt").read_bytes() == b"ohwx, cat\r\n"
    assert not (tmp_path / "b.txt").exists()
    journal.undo()
    assert (tmp_path / "a.txt").read_bytes() == b"ohwx\r\n"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("replace", ["a red fox", "ohwx", "a red fox, day"]),
        ("prepend", ["a red fox, ohwx, fox", "ohwx", "a red fox, day"]),
        ("append", ["ohwx, fox, a red fox", "ohwx", "a red fox, day"]),
        ("only-new", ["ohwx, fox", "ohwx", "a red fox, day"]),
    ],
)
def test_descriptions_in_words(tmp_path: Path, mode: Mode, expected: list[str]) -> None:
    captions = ["ohwx, fox", "ohwx", "a red fox, day", ""]
    for name, text in zip("abcd", captions, strict=True):
        (tmp_path / f"{name}.png").touch()
        (tmp_path / f"{name}.txt").write_text(text)
    library = Library.scan(tmp_path)
    proposal = propose_descriptions(library, range(4), ["a red fox", None, "a red fox, day", "new"], mode)
    Journal.open(tmp_path).apply(proposal.changes, proposal.label)
    assert [(tmp_path / f"{name}.txt").read_text().rstrip() for name in "abcd"] == [*expected, "new"]


def test_descriptions_know_no_single_tags(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(UserError, match="cannot be applied by add"):
        propose_descriptions(Library.scan(tmp_path), [0], ["x"], "add")


def test_a_description_within_longer_words_is_not_held_already(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    for there, after in (("a cathedral", "a cat, a cathedral"), ("red, a cat", "red, a cat")):
        (tmp_path / "a.txt").write_text(there)
        proposal = propose_descriptions(Library.scan(tmp_path), [0], ["a cat"], "prepend")
        assert [sample.after for sample in proposal.samples or [Sample(tmp_path, there, there)]] == [after]
