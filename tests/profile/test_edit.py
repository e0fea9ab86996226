"""Edits of TOML texts, byte for byte."""

from __future__ import annotations

import pytest

from sdtui.errors import SdtuiError
from sdtui.profile.edit import add_table, lookup, remove_table, set_value, unset_value

TEXT = """\
# opening

[method]  # what
  rank   =  8      # size
kind = 'lora'

# --- data ---
[[dataset.folders]]
path = 'a'

# --- speed ---
[optimizer]
learning_rate = 1e-4
"""


@pytest.mark.parametrize(
    ("key", "value", "before", "after"),
    [
        ("method.rank", 16, "  rank   =  8      # size\n", "  rank   =  16      # size\n"),
        ("method.kind", "x", "kind = 'lora'\n", "kind = 'x'\n"),
        ("method.kind", "it's", "kind = 'lora'\n", 'kind = "it\'s"\n'),
        ("method.alpha", 4.0, "kind = 'lora'\n", "kind = 'lora'\nalpha = 4.0\n"),
        ("optimizer.learning_rate", 5e-05, "learning_rate = 1e-4\n", "learning_rate = 5e-05\n"),
        ("dataset.folders[0].repeats", 2, "path = 'a'\n", "path = 'a'\nrepeats = 2\n"),
        ("dataset.folders[0].path", r"C:\x", "path = 'a'\n", "path = 'C:\\x'\n"),
        ("dataset.resolution", 768, "# --- data ---\n", "[dataset]\nresolution = 768\n\n# --- data ---\n"),
        ("name", "n", "\n[method]", '\nname = "n"\n\n[method]'),
        ("training.steps", 5, "= 1e-4\n", "= 1e-4\n\n[training]\nsteps = 5\n"),
    ],
)
def test_set_changes_one_place(key: str, value: object, before: str, after: str) -> None:
    assert TEXT.count(before) == 1
    assert set_value(TEXT, key, value) == TEXT.replace(before, after)


def test_crlf_and_a_missing_last_line_break_stay() -> None:
    assert set_value("[a]\r\nb = 1\r\n", "a.c", True) == "[a]\r\nb = 1\r\nc = true\r\n"
    assert set_value("[a]\nb = 1", "a.c", 2) == "[a]\nb = 1\nc = 2"
    assert set_value("[a]\nb = 1", "a.b", 2) == "[a]\nb = 2"
    assert set_value("", "a.b", 2) == "[a]\nb = 2\n"
    assert set_value("# only this", "a.b", 2) == "# only this\n\n[a]\nb = 2\n"


def test_dotted_keys_and_inline_tables_keep_their_way() -> None:
    assert set_value("m.rank = 1 # r\n", "m.alpha", 2.0) == "m.rank = 1 # r\nm.alpha = 2.0\n"
    assert set_value("m = { rank = 1 } # r\n", "m.alpha", 2.0) == "m = { rank = 1, alpha = 2.0 } # r\n"
    assert set_value("m = {}\n", "m.alpha", 2.0) == "m = { alpha = 2.0 }\n"
    assert unset_value("m = { rank = 1, alpha = 2.0 }\n", "m.rank") == "m = { alpha = 2.0 }\n"
    assert unset_value("m = { rank = 1, alpha = 2.0 }\n", "m.alpha") == "m = { rank = 1 }\n"


def test_a_table_is_written_in_a_line_and_one_of_its_own_is_left_alone() -> None:
    text = set_value('[optimizer]\nname = "lion"\n', "optimizer.args", {"d0": 0.5})
    assert text == '[optimizer]\nname = "lion"\nargs = {d0 = 0.5}\n'
    assert set_value(text, "optimizer.args", {"a.b": 1}) == '[optimizer]\nname = "lion"\nargs = {"a.b" = 1}\n'
    with pytest.raises(SdtuiError, match="cannot be edited in place"):
        set_value("[optimizer.args]\nd0 = 0.5\n", "optimizer.args", {"d0": 1.0})


def test_unset_takes_the_line() -> None:
    assert unset_value(TEXT, "method.rank") == TEXT.replace("  rank   =  8      # size\n", "")
    assert unset_value(TEXT, "method.dropout") == TEXT


def test_rows_are_added_behind_the_last_one() -> None:
    added = add_table(TEXT, "dataset.folders", {"path": "b", "repeats": 3})
    assert added == TEXT.replace("path = 'a'\n", "path = 'a'\n\n[[dataset.folders]]\npath = \"b\"\nrepeats = 3\n")
    assert remove_table(added, "dataset.folders[1]") == TEXT
    first_gone = remove_table(TEXT, "dataset.folders[0]")
    assert first_gone == TEXT.replace("[[dataset.folders]]\npath = 'a'\n\n", "")


def test_rows_in_an_inline_list() -> None:
    text = 'folders = [{ path = "a" }] # all\n'
    added = add_table(text, "folders", {"path": "b"})
    assert added == 'folders = [{ path = "a" }, {path = "b"}] # all\n'
    assert remove_table(added, "folders[1]") == text
    assert remove_table(text, "folders[0]") == "folders = [] # all\n"


def test_a_place_that_cannot_be_edited_is_refused() -> None:
    with pytest.raises(SdtuiError, match=r"method\.rank stands where it cannot be edited in place"):
        set_value("method = 3\n", "method.rank", 4)


def test_lookup() -> None:
    data = {"dataset": {"folders": [{"path": "a"}]}}
    assert lookup(data, "dataset.folders[0].path") == "a"
    for key in ("dataset.folders[1].path", "dataset.size", "dataset.folders.path"):
        with pytest.raises(KeyError):
            lookup(data, key)
