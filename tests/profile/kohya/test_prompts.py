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


def test_trouble_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("a cat --w 3 --h 512\na dog --w 512 --h 512 --s 20")
    found, trouble = read_prompts(tmp_path, "p.txt")
    assert found == ["a dog --w 512 --h 512 --s 20"]
    assert trouble[0].startswith("sample_prompts: 'a cat --w 3 --h 512' is left out: the width is '3'")
    (tmp_path / "p.toml").write_text("[other]")
    for name, reason in (("gone.txt", "No such file or directory"), ("p.toml", "is not a file of prompts")):
        found, trouble = read_prompts(tmp_path, name)
        assert (found, reason in trouble[0]) == ([], True)


def test_our_line_for_kohya() -> None:
    ours = "a cat --width 640 --cfg 5 --ss euler --n dogs"
    assert kohya_line(ours, 512) == "a cat --w 640 --h 512 --s 20 --l 5 --ss euler --n dogs"
