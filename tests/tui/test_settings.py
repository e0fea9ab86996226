from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.tui.settings import Settings, read_settings


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_is_the_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none.toml") == Settings("sdtui", False, {})


def test_the_users_file_is_found_by_itself(own_folders: Path) -> None:
    (own_folders / "config.toml").write_text('[tui]\ntheme = "gruvbox"\n', encoding="utf-8")
    assert read_settings().theme == "gruvbox"


def test_all_of_it(tmp_path: Path) -> None:
    tui = '[tui]\ntheme = "sdtui-light"\nascii = true\npicture = "half"\n'
    path = written(tmp_path, tui + '[keys]\n"home.open" = "o"\n[other]\nx = 1\n')
    assert read_settings(path) == Settings("sdtui-light", True, {"home.open": "o"}, "half")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = = 1", "not valid TOML"),
        ("[tui]\ncolour = 1", r"unknown key tui\.colour.*Known: theme, ascii, picture"),
        ('[tui]\npicture = "sixel"', r"tui\.picture is auto, quadrant, half or ascii"),
        ('[tui]\nascii = "false"', r"tui\.ascii is true or false"),
        ('[keys]\n"home.open" = 3', r'keys\."home\.open" must be a string'),
        ("tui = 1", "are tables"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read_settings(written(tmp_path, text))
    assert caught.value.where == str(tmp_path / "config.toml")
