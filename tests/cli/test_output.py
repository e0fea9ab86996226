"""What commands print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdtui.cli.output import count_text, duration_text, emit_json, plural


def test_json_has_its_schema_first_and_keeps_letters(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"name": "Brügge", "path": Path("/a")})
    out = capsys.readouterr().out
    assert out.startswith('{\n  "schema": 1,\n')
    assert "Brügge" in out
    assert json.loads(out) == {"schema": 1, "name": "Brügge", "path": "/a"}


@pytest.mark.parametrize(
    ("seconds", "text"), [(41.4, "41 s"), (99, "99 s"), (120, "2 min"), (3600, "1 h 00 min"), (6600, "1 h 50 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_counts() -> None:
    assert count_text(3010) == "3 010"
    assert (plural(1, "image"), plural(1200, "image"), plural(2, "entry", "entries")) == (
        "1 image",
        "1 200 images",
        "2 entries",
    )
