"""Random edits of hard TOML files: the data becomes what was asked, and every comment and other value stays."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtui.profile import edit
from sdtui.profile.positions import scan

PLAIN = """\
# opening comment

name = "one" # the name
schema=1

[model]
base = '/models/sd'   # keep

# about the method
[method]
  rank = 8
  targets = [
    "attention",   # first
    # between
    "feed-forward", # second
  ]

[[dataset.folders]]
path = "a"   # folder a
[[dataset.folders]]
path = 'b'

# the end of the data
[optimizer]
betas = [0.9, 0.999] # both
learning_rate = 1e-4

[previews]
prompts = [ "one, two --w 64"
  , 'three' # odd commas
]
"""
DOTTED = """\
model.base = "x"
method = { rank = 3, alpha = 1.5 } # inline
dataset.folders = [ { path = "a" }, { path = "b", repeats = 2 } ]
optimizer.betas=[ 0.8 ,0.9 ]
[training]
steps = 1_000 # thousand
[previews]
prompts = []
"""
TEXTS = [
    PLAIN,
    DOTTED,
    PLAIN.replace("\n", "\r\n"),
    DOTTED.rstrip("\n"),
    "",
    "# only a comment",
    "[dataset.folders]\n" * 0,
]

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(max_size=12),
    "model.base": st.text(alphabet="ab/\\'\" \t\n#é", max_size=8),
    "method.rank": st.integers(0, 9999),
    "method.alpha": st.floats(allow_nan=False, allow_infinity=False),
    "method.text_encoder": st.booleans(),
    "training.steps": st.integers(),
    "saving.name": st.text(max_size=5),
    "optimizer.learning_rate": st.floats(0, 1),
}
LISTS: dict[str, st.SearchStrategy[Any]] = {
    "method.targets": st.lists(st.sampled_from(["attention", "feed-forward", "projection"]), max_size=4),
    "previews.prompts": st.lists(st.text(alphabet="ab,#]['\"\\\n ", max_size=6), max_size=5),
    "optimizer.betas": st.lists(st.floats(0, 1), max_size=3),
}
EDITS = st.lists(
    st.one_of(
        *(st.tuples(st.just(key), values) for key, values in (SCALARS | LISTS).items()),
        st.tuples(st.sampled_from([*SCALARS, *LISTS]), st.none()),
    ),
    max_size=6,
)


def _placed(data: dict[str, Any], key: str, value: Any) -> None:
    """The same edit on plain dictionaries; empty tables are no difference."""
    section, _, name = key.rpartition(".")
    holder = data.setdefault(section, {}) if section else data
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = value


def _values(data: Any) -> Any:
    return (
        {key: _values(value) for key, value in data.items() if _values(value) != {}} if isinstance(data, dict) else data
    )


def _comments(text: str) -> list[str]:
    """Comments on lines of their own outside arrays, which no edit may lose."""
    spans = [entry.value for entry in scan(text).entries.values()]
    found = re.finditer(r"^[ \t]*#[^\r\n]*", text, re.MULTILINE)
    return [match.group() for match in found if not any(span.start <= match.start() < span.end for span in spans)]


@pytest.mark.parametrize("start", TEXTS)
@settings(max_examples=120, deadline=None)
@given(edits=EDITS)
def test_random_edits_do_what_was_asked_and_nothing_else(start: str, edits: list[tuple[str, Any]]) -> None:
    text, expected = start, tomllib.loads(start)
    for key, value in edits:
        text = edit.unset_value(text, key) if value is None else edit.set_value(text, key, value)
        _placed(expected, key, value)
        assert _values(tomllib.loads(text)) == _values(expected)
    assert _comments(text) == _comments(start)
    if "\r\n" in start:
        assert "\n" not in text.replace("\r\n", "")
