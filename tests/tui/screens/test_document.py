"""A profile's file while the screen is open: other programs, $EDITOR, a broken text, and leaving."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError
from sdtui.profile import document as documents
from sdtui.tui.app import SdtuiApp
from tests.tui.profile.desk import TEXT, make_desk
from tests.tui.profile.drive import SIZE, app_on, go_to, on_disk, opened, rewritten, row, says, text_of
from tests.tui.stage import screen_text, told, until


async def test_a_change_by_another_program_is_taken_when_nothing_is_lost(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        rewritten(profile, lambda text: text.replace("rank     = 16", "rank     = 64"))
        await until(pilot, lambda: row(app, "rank").endswith("rank 64"))
        assert told(app, "read again: another program changed the file")


@pytest.mark.parametrize("answer", ["keep", "take"])
async def test_unwritten_changes_and_another_programs_meet(profile: Path, answer: str) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space")
        rewritten(profile, lambda text: text.replace("rank     = 16", "rank     = 64"))
        notice = "Changed on disk by another program:  f5 take theirs   K keep mine   D difference"
        await until(pilot, lambda: says(app, notice))
        await pilot.press("w")
        await until(pilot, lambda: says(app, "the file was changed by another program"))
        assert "rank     = 64" in on_disk(profile)
        await pilot.press("d")
        await until(pilot, lambda: says(app, "-rank     = 64"))
        assert "text_encoder" not in on_disk(profile)
        if answer == "keep":
            await pilot.press("w", "o")
            await until(pilot, lambda: "rank     = 16" in on_disk(profile))
            assert "text_encoder = true" in on_disk(profile)
        else:
            await pilot.press("f5")
            await until(pilot, lambda: "rank     = 64" in text_of(app))
            assert "text_encoder" not in text_of(app)
            await pilot.press("u")
            assert "text_encoder = true" in text_of(app)
        await until(pilot, lambda: not says(app, notice))


async def test_the_notice_can_be_put_away_and_writing_still_asks(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space")
        rewritten(profile, lambda text: text + "# more\n")
        await until(pilot, lambda: says(app, "Changed on disk"))
        await pilot.press("K")
        await until(pilot, lambda: not says(app, "Changed on disk"))
        await pilot.press("w")
        await until(pilot, lambda: says(app, "the file was changed by another program"))
        await pilot.press("escape")
    assert on_disk(profile) == TEXT + "# more\n"


async def test_a_file_that_vanished_is_written_again(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        os.unlink(profile)
        await until(pilot, lambda: says(app, "The file is gone from the disk:  w writes it again"))
        await pilot.press("f5")
        await until(pilot, lambda: len(app._notifications) == 1)
        await pilot.press("w")
        await until(pilot, lambda: profile.exists() and not says(app, "gone from the disk"))
    assert on_disk(profile) == TEXT


async def test_a_write_that_fails_says_so_and_loses_nothing(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise SdtuiError("no permission to write", where=str(path), remedy="Check the owner [and mode]")

    monkeypatch.setattr(documents, "write_atomic", refuse)
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space", "w")
        await until(pilot, lambda: told(app, "no permission to write") and told(app, "Check the owner [and"))
        assert "text_encoder = true" in text_of(app)
        assert screen_text(app)[0].startswith(" sdtui  profile  city.toml  edited")
    assert on_disk(profile) == TEXT


async def test_a_file_that_is_no_text_is_refused_and_the_screen_stays(profile: Path) -> None:
    (profile.parent / "latin.toml").write_bytes(b'name = "caf\xe9"\n')
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        app.open("profile", profile.parent / "latin.toml")
        await until(pilot, lambda: told(app, "UTF-8"))
        assert screen_text(app)[0].startswith(" sdtui  profile  city.toml")


async def test_a_syntax_error_is_named_shown_in_the_text_and_mended_in_the_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = make_desk(tmp_path / "w", TEXT.replace("[method]", "[method"))
    editor = _editor(tmp_path, 'sed -i \'s/^\\[method$/[method]/\' "$2"; echo "$1" > ' + str(tmp_path / "line"))
    monkeypatch.setenv("VISUAL", str(editor))
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "! line 8")
        assert says(app, "not valid TOML: expected ']'")
        assert screen_text(app)[0].endswith("1 problem")
        await pilot.press("backspace")
        await until(pilot, lambda: len(app._notifications) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: any(line.startswith("▸ !  8  [method") for line in screen_text(app)))
        await pilot.press("e", "T")
        await until(pilot, lambda: row(app, "rank").endswith("rank 16"))
    assert on_disk(profile) == TEXT
    assert (tmp_path / "line").read_text() == "+8\n"


def _editor(folder: Path, script: str) -> Path:
    """An editor that takes +LINE, as vi does, and runs `script` on the file."""
    editor = folder / "vi"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o755)
    return editor


async def test_the_editor_gets_unwritten_changes_too_and_the_file_stays_unwritten(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", str(_editor(tmp_path, 'sed -i "s/1_000/2_000/" "$2"')))
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space", "e")
        await until(pilot, lambda: "steps = 2_000   # ~20 min" in text_of(app))
        assert "text_encoder = true" in text_of(app)
        assert on_disk(profile) == TEXT
        await pilot.press("u", "u")
        assert text_of(app) == TEXT


async def test_an_editor_that_fails_changes_nothing(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", str(_editor(tmp_path, "exit 3")))
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("e")
        await until(pilot, lambda: told(app, "the editor ended with exit code 3"))
        assert text_of(app) == TEXT


@pytest.mark.parametrize(("answer", "written"), [("w", True), ("d", False)])
async def test_leaving_for_another_profile_asks_about_changes(profile: Path, answer: str, written: bool) -> None:
    other = profile.parent / "other.toml"
    other.write_text(TEXT.replace("1_000", "7"))
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space")
        app.open("profile", other)
        await until(pilot, lambda: says(app, "city.toml has changes that are not written."))
        await pilot.press("s")
        await until(pilot, lambda: screen_text(app)[0].startswith(" sdtui  profile  city.toml  edited"))
        app.open("profile", other)
        await until(pilot, lambda: says(app, "has changes that are not written."))
        await pilot.press(answer)
        await until(pilot, lambda: screen_text(app)[0].startswith(" sdtui  profile  other.toml"))
    assert ("text_encoder = true" in on_disk(profile)) is written


@pytest.mark.parametrize(("answer", "written"), [("w", True), ("d", False)])
async def test_quitting_asks_about_changes(profile: Path, answer: str, written: bool) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space", "q", "q")
        await until(pilot, lambda: says(app, "city.toml has changes that are not written."))
        await pilot.press("escape")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: says(app, "city.toml has changes that are not written."))
        await pilot.press(answer)
        await until(pilot, lambda: not app.is_running)
    assert ("text_encoder = true" in on_disk(profile)) is written
    again = app_on(profile)
    async with again.run_test(size=SIZE) as pilot:
        await opened(pilot, again)
        assert "edited" not in screen_text(again)[0]


@pytest.mark.parametrize("touched", [False, True])
async def test_changes_survive_a_terminal_that_is_gone(profile: Path, touched: bool) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space")
        app.exit()  # as at SIGHUP: nobody can be asked
    assert on_disk(profile) == TEXT
    if touched:
        rewritten(profile, lambda text: text + "# theirs\n")
    again = SdtuiApp(profile.parent)
    async with again.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: row(again, "text_encoder").endswith("text_encoder true"))
        assert screen_text(again)[0].startswith(" sdtui  profile  city.toml  edited")
        assert told(again, "changes that were not written last time are back")
        assert says(again, "Changed on disk by another program") is touched
        await pilot.press("u")
        assert text_of(again) == TEXT
