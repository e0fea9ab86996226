"""Lines that captions are put into, and what a caption reads as in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdtui.dataset import pipeline
from sdtui.dataset.pipeline import Moment
from sdtui.dataset.templates import LINES, Template, lines_of, needs_captions, template_of
from sdtui.errors import UserError
from sdtui.profile.schema import Captions, Profile

FIRST = Moment(0, 0, 10, lambda _: 0.0)
LAST = Moment(0, 0, 10, lambda _: 0.999)


def profile(template: str = "", **folder: Any) -> Profile:
    return Profile.model_validate(
        {
            "model": {"base": "x"},
            "method": {"words": [{"name": "toy"}, {"name": "red-box"}]},
            "captions": {"template": template},
            "dataset": {"folders": [{"path": "images", **folder}]},
        }
    )


def test_the_caption_goes_in_before_the_name() -> None:
    template = Template(("a photo of [name], [filewords]",), "toy")
    # As in A1111, [name] in a caption is the word, too.
    assert template.filled("with [name], red", lambda _: 0.0) == "a photo of toy, with toy, red"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("a photo of [name], [filewords]", "a photo of toy"),
        ("[filewords], art by [name]", "art by toy"),
        ("[filewords]", ""),
    ],
)
def test_no_comma_parts_a_line_from_a_caption_that_is_not_there(line: str, read: str) -> None:
    assert Template((line,), "toy").filled("", lambda _: 0.0) == read


@pytest.mark.parametrize(("number", "read"), [(0.0, "one toy"), (0.34, "two toy"), (0.999, "three toy")])
def test_a_line_is_drawn_for_each_moment(number: float, read: str) -> None:
    asked: list[str] = []

    def roll(purpose: str) -> float:
        asked.append(purpose)
        return number

    assert Template(("one [name]", "two [name]", "three [name]"), "toy").filled("", roll) == read
    assert asked == ["template"]


def test_tags_are_dropped_and_put_in_order_before_they_go_into_the_line() -> None:
    rules, template = Captions(tag_dropout=0.5, prefix="pre, "), Template(("x [filewords] y",))
    assert pipeline.draw("a, b", rules, LAST, template) == "x pre, a, b y"
    assert pipeline.draw("a, b", rules, FIRST, template) == "x  y"


def test_a_caption_that_is_left_out_leaves_the_line_out_too() -> None:
    template = Template(("a [name]",), "toy")
    assert pipeline.draw("a, b", Captions(dropout=0.5), FIRST, template) == ""
    assert pipeline.draw("", Captions(), FIRST, template) == "a toy"
    assert pipeline.unvaried("a", Captions(dropout=1.0), template) == "a toy"


def test_length_is_judged_by_the_longest_line() -> None:
    assert pipeline.whole("red", Captions(), Template(("[name]", "[filewords] by [name]"), "toy")) == "red by toy"


@pytest.mark.parametrize("name", LINES)
def test_every_choice_has_lines_with_what_it_says(name: str) -> None:
    lines = LINES[name]
    assert len(set(lines)) == len(lines)
    assert all(("[filewords]" in line) == ("filewords" in name) for line in lines)
    assert all(("[name]" in line) == name.startswith(("subject", "style")) for line in lines)


def test_there_is_a_choice_for_each_setting() -> None:
    assert LINES.keys() == {"subject", "style", "subject_filewords", "style_filewords", "filewords", "picture"}


def test_a_file_of_lines(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("\ufeffa [name]\n\n  [filewords]  \n", encoding="utf-8")
    assert lines_of(Captions(template_file=str(file))) == ("a [name]", "[filewords]")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\n \n", "holds no line"), (b"\xff\xfe", "not UTF-8"), (None, "cannot be read")],
    ids=["empty", "other encoding", "missing"],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "mine.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=message):
        lines_of(Captions(template_file=str(file)))


def test_the_name_is_the_folders_word_or_all_of_them() -> None:
    found = [template_of(profile("subject", **folder), 0) for folder in ({}, {"word": "red-box"})]
    assert [template.name for template in found if template] == ["toy red-box", "red-box"]


def test_what_shall_be_kept_is_put_into_no_line() -> None:
    assert template_of(profile("subject", regularization=True), 0) is None
    assert template_of(profile(), 0) is None


@pytest.mark.parametrize(
    ("template", "needed"), [("", True), ("subject", False), ("subject_filewords", True), ("picture", False)]
)
def test_captions_are_needed_where_they_are_read(template: str, needed: bool) -> None:
    assert needs_captions(profile(template), 0) is needed
