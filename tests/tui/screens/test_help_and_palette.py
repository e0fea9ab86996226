"""`?` and `:`: every key of the context is told, and every command can be run by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sdtui.tui import keys
from sdtui.tui.app import SCREENS, SdtuiApp
from sdtui.tui.key import Key
from sdtui.tui.screens.help import HelpScreen, help_lines
from sdtui.tui.screens.palette import matching
from sdtui.tui.settings import Settings
from tests.tui.stage import header, says, screen_text, told, until


def app_on(folder: Path, start: str = "home", **settings: dict[str, str]) -> SdtuiApp:
    return SdtuiApp(folder, start=start, settings=Settings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("screen", SCREENS)
async def test_help_tells_every_key_of_the_screen_and_everywhere(tmp_path: Path, screen: str) -> None:
    app = app_on(tmp_path, screen)
    async with app.run_test(size=(120, 100)) as pilot:
        await until(pilot, lambda: header(app, f" sdtui  {screen}"))
        await pilot.press("question_mark")
        await until(pilot, lambda: says(app, "esc close"))
        text = " ".join(" ".join(row.split()) for row in screen_text(app))
        rows = app.keys.rows(screen, "everywhere")
        assert [row.id for row in rows if f"{keys.all_shown(row.keys)} {row.help}" not in text] == []
        await pilot.press("q")
        await until(pilot, lambda: not says(app, "esc close"))
        assert app.is_running


async def test_help_scrolls_at_80x24_and_cuts_no_sentence(tmp_path: Path) -> None:
    app = app_on(tmp_path, "captions")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: header(app, " sdtui  captions"))
        await pilot.press("f1")
        await until(pilot, lambda: says(app, "Show only images that a query finds"))
        assert any(row.strip().endswith("tags:<5.") and "Show" not in row for row in screen_text(app))
        assert says(app, "Captions")
        await pilot.press("j")
        await until(pilot, lambda: not says(app, "    Captions"))
        await pilot.press("G")
        await until(pilot, lambda: says(app, "Quit; runs go on."))
        await pilot.press("g")
        await until(pilot, lambda: says(app, "    Captions"))


async def test_help_shows_the_users_keys(tmp_path: Path) -> None:
    app = app_on(tmp_path, keys={"home.new": "f6,plus"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: any("f6 +" in row and "Write a new profile" in row for row in screen_text(app)))


async def test_help_while_typing_tells_the_keys_of_typing(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: says(app, "enter accept  esc leave"))
        await pilot.press("question_mark", "f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert says(app, "While typing in a line")
        assert not says(app, "Write a new profile")
        await pilot.press("escape")
        await until(pilot, lambda: says(app, "/ ?"))


def test_a_long_sentence_goes_on_below_itself() -> None:
    table = keys.KeyTable(table=[Key("home.x", "f2", "x", "one two three four")])
    assert [line.plain for line in help_lines(table, ["home"], 28)] == [
        "Home",
        "f2                one two",
        "                  three four",
    ]


async def test_a_command_is_found_by_the_beginnings_of_words_and_run(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon")
        await until(pilot, lambda: says(app, "Write a new profile from a template."))
        assert not says(app, "Next row.")
        await pilot.press(*"moni")
        await until(pilot, lambda: not says(app, "Write a new profile"))
        await pilot.press("enter")
        await until(pilot, lambda: header(app, " sdtui  monitor"))


async def test_arrows_choose_and_escape_leaves(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon")
        await until(pilot, lambda: says(app, "▸ open"))
        await pilot.press("down", "down", "up")
        await until(pilot, lambda: says(app, "▸ new"))
        await pilot.press("escape")
        await until(pilot, lambda: not says(app, "Write a new profile"))
        await pilot.press("colon", "down", "enter")
        await until(pilot, lambda: says(app, "A new profile: what shall it train?"))


async def test_nothing_matches_and_enter_does_nothing(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"zzz")
        await until(pilot, lambda: says(app, "no match"))
        await pilot.press("enter")
        await until(pilot, lambda: header(app, " sdtui  home") and says(app, "q quit"))
        assert app.is_running


async def test_a_command_of_the_editor_reaches_the_editor(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("old")
    app = SdtuiApp(tmp_path, start="captions", target=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: says(app, " old"))
        await pilot.press("enter", "x", "ctrl+p")
        await until(pilot, lambda: says(app, "Leave the caption as it was"))
        await pilot.press(*"save", "enter")
        await until(pilot, lambda: (tmp_path / "a.txt").read_text() == "oldx")


async def test_a_command_that_fails_says_so_once(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"launch", "enter")
        await until(pilot, lambda: told(app, "the cursor is not on a profile"))
        assert len(app._notifications) == 1


def test_labels_that_begin_with_what_was_typed_come_first() -> None:
    rows = keys.KeyTable().rows("home", "everywhere")
    assert [row.label for row in matching(rows, "cap")] == ["captions"]
    assert next(iter(matching(rows, "re"))).label == "resume"
    assert [row.id for row in matching(rows, "go home")] == ["everywhere.home"]
    assert matching(rows, "zzz") == []
