"""The user's settings file as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.config import read_config
from sdtui.errors import UserError


def test_no_file_is_no_tables(tmp_path: Path) -> None:
    assert read_config(tmp_path / "none.toml") == {}


def test_tables(own_folders: Path) -> None:
    (own_folders / "config.toml").write_text('[captions]\ntags = "x.csv"\n')
    assert read_config() == {"captions": {"tags": "x.csv"}}


@pytest.mark.parametrize(
    ("raw", "told"),
    [(b"a = ", "not valid TOML"), (b"a = " + b"[" * 9999, "not valid TOML"), (b"\xff", "cannot read the settings")],
    ids=["toml", "deep", "bytes"],
)
def test_what_cannot_be_read_names_the_file(tmp_path: Path, raw: bytes, told: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(raw)
    with pytest.raises(UserError, match=told) as caught:
        read_config(path)
    assert caught.value.where == str(path)
