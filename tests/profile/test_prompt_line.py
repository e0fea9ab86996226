"""Kohya's preview lines."""

from __future__ import annotations

import pytest

from sdtui.profile.prompt_line import PromptError, PromptLine, fault_of, is_comment, parse_prompt_line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a cat", PromptLine("a cat")),
        (
            "a cat, --w 512 --h 768 --s 30 --l 4.5 --d 7 --n blurry, --bad hands-- ",
            None,
        ),
        (
            "  a cat --n dog, tree --w 512 --h 768 --s 30 --l 4 --d 0 --ss euler_a",
            PromptLine("a cat", "dog, tree", 512, 768, 30, 4.0, 0, "euler_a"),
        ),
        ("--n only negative", PromptLine("", "only negative")),
        ("half-life -- and --width 64", PromptLine("half-life -- and", width=64)),
        ("", PromptLine("")),
    ],
)
def test_lines(line: str, expected: PromptLine | None) -> None:
    if expected is None:
        with pytest.raises(PromptError, match="--bad is not known"):
            parse_prompt_line(line)
    else:
        assert parse_prompt_line(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a --w 100", "the width is 100, allowed: a multiple of 8, such as 96"),
        ("a --h 9999", "the height is '9999', allowed: whole number 8…4096"),
        ("a --s 0", "the steps is '0', allowed: whole number 1…1000"),
        ("a --d -1", "the seed is '-1', allowed: whole number 0…4294967295"),
        ("a --l high", "the guidance is 'high', allowed: number 0…100"),
        ("a --l nan", "the guidance is 'nan', allowed: number 0…100"),
        ("a --w", "the width is '', allowed: whole number 8…4096"),
        ("a --w 64 --w 64", "--w is given twice"),
        ("a --widht 64", "--widht is not known; did you mean --width? (there are --w --h --s --l --d --n --ss)"),
    ],
)
def test_what_cannot_be_read(line: str, message: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse_prompt_line(line)
    assert str(caught.value) == message


def test_comments() -> None:
    assert is_comment("# a note --w nonsense")
    assert is_comment("   ")
    assert not is_comment("a # b")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("a cat", ""),
        ("a cat --w 64 --n fog", ""),
        ("# --zz 3", ""),
        ("a cat --zz 3 --w 64", "--zz 3"),
        ("a cat --w 64 --h 65 --s 0", "--h 65"),
        ("a cat --w 64   --w 72  ", "--w 72"),
        ("--l much", "--l much"),
    ],
    ids=["no flags", "sound", "a comment", "unknown", "the first of two", "twice", "no prompt"],
)
def test_the_part_that_is_at_fault(line: str, part: str) -> None:
    fault = fault_of(line)
    assert (line[fault.start : fault.end] if fault else "") == part
