"""`sdtui schema`."""

from __future__ import annotations

import json

import pytest

from sdtui.cli import main
from sdtui.profile.reference import json_schema, markdown


def test_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--markdown"]) == 0
    assert capsys.readouterr().out == markdown()
