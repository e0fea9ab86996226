"""Sample prompts of kohya's three kinds of file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.profile.kohya.prompts import kohya_line, read_prompts

TEXT = "# a comment\n\na cat --w 640 --h 512 --d 3\na dog --n cats\n"
TOML = """
[prompt]
width = 640
height = 512
[[prompt.subset]]
prompt = "a cat"
seed = 3
[[prompt.subset]]
prompt = "a dog"
negative_prompt = "cats"
scale = 5
sample_steps = 20
"""
JSON = '["a cat --w 640 --h 512 --d 3", {"prompt": "a dog", "negative_prompt": "cats"}]'


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("p.txt", TEXT, ["a cat --s 30 --w 640 --h 512 --d 3", "a dog --w 512 --h 512 --s 30 --n cats"]),
        (
            "p.toml",
            TOML,
            ["a cat --s 30 --w 640 --h 512 --d 3", "a dog --w 640 --h 512 --s 20 --l 5 --n cats"],
        ),
        ("p.json", JSON, ["a cat --s 30 --w 640 --h 512 --d 3", "a dog --w 512 --h 512 --s 30 --n cats"]),
    ],
)
def test_three_kinds_of_file(name: str, text: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_prompts(tmp_path, name) == (expected, [])


def test_what_a_flag_says_wrongly_is_left_out_and_the_prompt_is_kept(tmp_path: Path) -> None:
    text = "a cat --w 3 --h 512\nmasterpiece, $caption --am 1 --s 20 --n hats --d 4 --d 5\na dog --w 512 --h 512 --s 20"
    (tmp_path / "p.txt").write_text(text)
    found, trouble = read_prompts(tmp_path, "p.txt")
    assert found == [
        "a cat --w 512 --s 30 --h 512",
        "masterpiece, $caption --w 512 --h 512 --s 20 --n hats --d 4",
        "a dog --w 512 --h 512 --s 20",
    ]
    shown = "'masterpiece, $caption --am 1 --s 20 --n hats --d 4 --d 5'"
    assert trouble == [
        "sample_prompts: '--w 3' is left out of 'a cat --w 3 --h 512': the width is '3', allowed: whole number 8…4096",
        f"sample_prompts: '--am 1' is left out of {shown}: --am is not known (there are --w --h --s --l --d --n --ss)",
        f"sample_prompts: '--d 5' is left out of {shown}: --d is given twice",
    ]


def test_a_file_of_prompts_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("[other]")
    for name, reason in (("gone.txt", "No such file or directory"), ("p.toml", "is not a file of prompts")):
        found, trouble = read_prompts(tmp_path, name)
        assert (found, reason in trouble[0]) == ([], True)


def test_our_line_for_kohya() -> None:
    ours = "a cat --width 640 --cfg 5 --ss euler --n dogs"
    assert kohya_line(ours, 512) == "a cat --w 640 --h 512 --s 20 --l 5 --ss euler --n dogs"
