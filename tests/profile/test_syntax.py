"""TOML that does not parse: each line told with a hint, the rest read."""

from __future__ import annotations

import pytest

from sdtui.profile.syntax import read


@pytest.mark.parametrize(
    ("line", "column", "hint"),
    [
        (r'base = "C:\models\sd"', 13, "write paths in single quotes"),
        ("resolution = 512px", 17, "Write the number alone"),
        ("text_encoder = True", 16, "lower case: true"),
        ("text_encoder = yes", 16, "Write true or false"),
        ("dropout = 0,5", 12, "decimal point: 0.5"),
        ("learning_rate = 1e-4,", 21, "leave the comma after 1e-4 out"),
        ('name = "mine",  # as ever', 14, 'leave the comma after "mine" out'),
        ("name = mine", 8, 'Text stands in quotes: "mine"'),
        ("seed = 007", 9, "do not start with 0"),
        ('name = "mine', 13, "closing quote missing"),
        ("name = “mine”", 8, "typographic quotes"),
        ("betas = [0.9 0.99]", 14, "comma, a quote or the closing bracket"),
        ("rank 8", 6, "key = value"),
    ],
)
def test_one_broken_line_has_a_hint_and_the_rest_is_read(line: str, column: int, hint: str) -> None:
    reading = read(f"[s]\nbefore = 1\n{line}\nafter = 2\n")
    (problem,) = reading.problems
    assert (problem.line, problem.column) == (3, column)
    assert hint in problem.remedy
    assert problem.found == line
    assert reading.data == {"s": {"before": 1, "after": 2}}


def test_several_broken_lines_are_told_at_once() -> None:
    reading = read("a = x\nb = 1\nc = 3 px\n[t]\nb = 1\nb = 2\n")
    assert [(problem.line, problem.key) for problem in reading.problems] == [(1, "a"), (3, "c"), (6, "b")]
    assert "written twice" in reading.problems[2].remedy


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("[method\nrank = 1\n", 1, "A section is written [name]"),
        ("[a]\n[b]\n[a]\n", 3, "written twice"),
        ("prompts = [\n  'a',\nevery = 5\n[saving]\n", 3, "What line 1 opens"),
        ('x = 1\na = """never closed\nb = 1\n\n', 3, "What line 2 opens"),
    ],
)
def test_reading_on_stops_where_it_would_mislead(text: str, line: int, hint: str) -> None:
    reading = read(text)
    assert (reading.text, reading.data) == (None, {})
    assert reading.problems[-1].line == line
    assert hint in reading.problems[-1].remedy


def test_a_file_that_is_no_toml_at_all_ends() -> None:
    assert len(read("word\n" * 500).problems) == 20


def test_sound_text_has_no_problem() -> None:
    reading = read("a = 1\r\nb = 'x'\r\n")
    assert (reading.data, reading.problems) == ({"a": 1, "b": "x"}, ())


@pytest.mark.parametrize("depth", [40, 5000])
def test_brackets_without_end_are_one_problem(depth: int) -> None:
    (problem,) = read(f"a = {'[' * depth}{']' * depth}\nb = 1\n").problems
    assert problem.message == "not valid TOML: brackets nested deeper than a profile ever needs"
