"""The Profile screen, driven by keys, on a file with its user's own layout."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from sdtui.errors import SdtuiError
from sdtui.profile import document as documents
from sdtui.runs import launch
from sdtui.runs.layout import RunFolder
from sdtui.tui.app import SdtuiApp
from sdtui.tui.profile.pane import FormPane
from sdtui.tui.screens import profile as screens
from sdtui.tui.screens.profile import ProfileScreen
from tests.tui.hostile import HOSTILE
from tests.tui.monitor.actor import Actor
from tests.tui.profile.desk import TEXT, make_desk
from tests.tui.stage import screen_text, told, until

SIZE = (120, 36)
# The scroll bar's ends.
BAR = str.maketrans("▁▂▃▄▅▆▇█", "        ")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "PLAN_DELAY", 0.01)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return make_desk(tmp_path / "work")


def app_on(profile: Path) -> SdtuiApp:
    return SdtuiApp(profile.parent, start="profile", target=profile)


def screen_of(app: SdtuiApp) -> ProfileScreen:
    screen = app._screen_stacks["profile"][0]
    assert isinstance(screen, ProfileScreen)
    return screen


def text_of(app: SdtuiApp) -> str:
    document = screen_of(app).document
    assert document is not None
    return document.text


def says(app: SdtuiApp, words: str) -> bool:
    return words in "\n".join(screen_text(app))


def row(app: SdtuiApp, name: str) -> str:
    """The form's row of a setting (the first with this name), between its neighbours."""
    rows = [line.split("│")[1].translate(BAR) for line in screen_text(app) if "│" in line]
    return next((" ".join(line.split()) for line in rows if f" {name} " in line), "")


async def opened(pilot: Pilot[None], app: SdtuiApp, words: str = "rank") -> None:
    await until(pilot, lambda: says(app, words))


async def go_to(pilot: Pilot[None], app: SdtuiApp, key: str) -> None:
    """Put the cursor on a setting."""
    assert screen_of(app).query_one(FormPane).go_to(key)
    await pilot.pause()


async def search(pilot: Pilot[None], app: SdtuiApp, words: str) -> None:
    await pilot.press("slash", *words, "enter")
    await until(pilot, lambda: app.screen is screen_of(app))


async def type_over(pilot: Pilot[None], text: str) -> None:
    """Empty the line that is open and type."""
    await pilot.press("end", "ctrl+u", *text)


def on_disk(path: Path) -> str:
    """What the file says now; empty when it is gone."""
    return path.read_text() if path.exists() else ""


def rewritten(path: Path, change: Callable[[str], str]) -> None:
    """What another program does to the file."""
    path.write_text(change(path.read_text()))


async def test_sections_settings_help_and_plan_are_shown(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "plan   3 images, 7 an epoch · 1 000 steps in 250 epochs · 1 bucket"))
        rows = screen_text(app)
        assert rows[0].startswith(" sdtui  profile  city.toml")
        assert rows[0].endswith("no problems")
        assert [line[:14].strip(" ▸") for line in rows[1:13]] == [
            "profile", "model", "method", "dataset", "folders", "captions", "training", "optimizer", "schedule",
            "previews", "saving", "launch",
        ]  # fmt: skip
        assert row(app, "alpha") == "alpha 16.0"
        await go_to(pilot, app, "method.rank")
        await until(pilot, lambda: says(app, "Hu et al. 2021, LoRA, §4.1"))
        assert says(app, "whole number 1…1 024")
        assert says(app, "default 16")


async def test_every_kind_of_value_is_changed_and_nothing_else_in_the_file(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.rank")
        await pilot.press("enter")
        await type_over(pilot, "32")
        await pilot.press("enter")
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space")
        await go_to(pilot, app, "schedule.name")
        await pilot.press("right", "right")
        await go_to(pilot, app, "method.targets")
        await pilot.press("enter", "j", "space", "enter")
        await go_to(pilot, app, "previews.prompts")
        await pilot.press("enter", "j", "J", "k", "enter", *" --d 7", "enter", "s")
        await go_to(pilot, app, "dataset.folders[1].path")
        await pilot.press("enter", *"s", "backspace", "enter")
        await go_to(pilot, app, "training.batch_size")
        await pilot.press("backspace")
        await pilot.press("w")
        await until(pilot, lambda: told(app, "wrote city.toml"))
    assert on_disk(profile) == EDITED


EDITED = """\
# Medieval city, third try [do not touch].
schema = 1

[training]      # how long
  steps = 1_000   # ~20 min

[method]
rank     = 32            # small
alpha    = 16.0
targets  = ["attention", 'feed-forward', 'projection']
text_encoder = true

[model]
base = 'model'

[[dataset.folders]]
path = "images"   # mine
repeats = 3

[[dataset.folders]]
path = 'more/city [night]'

[previews]
prompts = [
  "a tower --s 20 --d 7",  # the first
  "a gate",
]

[saving]
every_steps = 100

# the end

[schedule]
name = "cosine"
"""


async def test_the_problem_stands_at_the_field_as_one_types(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.rank")
        await pilot.press("enter")
        await type_over(pilot, "5000")
        await until(pilot, lambda: row(app, "rank") == "▸ ! rank 5000 allowed: whole number 1…1 024")
        assert says(app, "│ method.rank is 5000")
        assert text_of(app) == TEXT
        await pilot.press("backspace", "backspace")
        await until(pilot, lambda: row(app, "rank") == "▸ rank 50")
        await pilot.press("escape")
        await until(pilot, lambda: row(app, "rank") == "▸ rank 16")
        assert text_of(app) == TEXT


async def test_a_wrong_value_stays_at_its_row_counts_and_keeps_from_launching(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "start", lambda *_, **__: pytest.fail("launched"))
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.rank")
        await pilot.press("enter")
        await type_over(pilot, "many")
        await pilot.press("enter")
        await until(pilot, lambda: screen_text(app)[0].endswith("1 problem"))
        assert row(app, "rank").startswith('▸ ! rank many is the text "many", not')
        assert any(line.split("│")[0].split() == ["▸", "method", "!"] for line in screen_text(app))
        await until(pilot, lambda: says(app, "plan   after the problems are mended"))
        await go_to(pilot, app, "saving.trigger")
        await pilot.press("L")
        await until(pilot, lambda: row(app, "rank").startswith("▸"))
        assert len(app._notifications) == 1
        await pilot.press("backspace", "c")
        await until(pilot, lambda: screen_text(app)[0].endswith("no problems"))


async def test_undo_and_redo_until_nothing_is_edited(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space", "space", "space")
        await until(pilot, lambda: screen_text(app)[0].startswith(" sdtui  profile  city.toml  edited"))
        await pilot.press("u", "u")
        await until(pilot, lambda: row(app, "text_encoder") == "▸ text_encoder true")
        await pilot.press("u", "u")
        await until(pilot, lambda: told(app, "nothing to undo"))
        assert text_of(app) == TEXT
        assert "edited" not in screen_text(app)[0]
        await pilot.press("U")
        await until(pilot, lambda: row(app, "text_encoder") == "▸ text_encoder true")


async def test_text_view_goes_to_the_line_and_the_differences_follow(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "training.batch_size")
        await pilot.press("backspace", "T")
        await until(pilot, lambda: says(app, "   4  [training]      # how long"))
        assert screen_text(app)[0].startswith(" sdtui  profile  city.toml  edited  TOML")
        assert any(line.startswith("▸    4  [training]") for line in screen_text(app))
        await pilot.press("D")
        await until(pilot, lambda: says(app, "-batch_size=2"))
        await pilot.press("D")
        await until(pilot, lambda: says(app, "dataset.folders[0].repeats  3   default 1"))
        await pilot.press("u")
        await until(pilot, lambda: says(app, "training.batch_size"))
        await pilot.press("q")
        await until(pilot, lambda: row(app, "batch_size") == "▸ batch_size 2 images")


async def test_folders_are_added_filled_in_and_dropped(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("a", *"imagez")
        await until(pilot, lambda: says(app, 'has no "imagez"; did you mean') and says(app, '│ "images"?'))
        await pilot.press("backspace", "s", "enter")
        await until(pilot, lambda: says(app, "folder 3"))
        assert '[[dataset.folders]]\npath = "images"\n' in text_of(app)
        await pilot.press("d")
        await until(pilot, lambda: not says(app, "folder 3"))
        assert text_of(app) == TEXT
        await go_to(pilot, app, "dataset.folders[0].recursive")
        await pilot.press("d")
        await until(pilot, lambda: not says(app, "folder 2"))
        assert 'path = "images"' not in text_of(app)
        assert "path = 'more/city [night]'" in text_of(app)


async def test_search_finds_the_names_other_trainers_use_and_says_when_there_is_none(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await search(pilot, app, "network_dim")
        await until(pilot, lambda: row(app, "rank").startswith("▸"))
        await search(pilot, app, "no such [setting]")
        await until(pilot, lambda: told(app, "no setting matches 'no such [setting]'"))


async def test_a_section_is_chosen_at_the_left(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("tab", "g", "j", "j", "j", "enter")
        await until(pilot, lambda: row(app, "resolution").startswith("▸ resolution"))


async def test_hostile_values_appear_literally(tmp_path: Path) -> None:
    prompts = "\n".join(f'  "{_toml(text)}",' for text in HOSTILE if "\udcff" not in text)
    profile = make_desk(tmp_path / "w", TEXT.replace('  "a tower --s 20",  # the first\n  "a gate",', prompts))
    app = app_on(profile)
    async with app.run_test(size=(250, 70)) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "saving.trigger")
        await pilot.press("enter", *"[/x][red]", "enter")
        await until(pilot, lambda: row(app, "trigger") == "▸ trigger [/x][red]")
        await go_to(pilot, app, "previews.prompts")
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "城市"))
        assert [said for text, said in HOSTILE.items() if "\udcff" not in text and not says(app, said)] == []
        await pilot.press("escape", "T")
        await until(pilot, lambda: says(app, 'trigger = "[/x][red]"'))


def _toml(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" if ord(each) < 32 else each for each in text)


# -- other programs ---------------------------------------------------------------------------------------------------


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


# -- broken TOML ------------------------------------------------------------------------------------------------------


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


# -- leaving ----------------------------------------------------------------------------------------------------------


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


# -- launch -----------------------------------------------------------------------------------------------------------


async def test_launching_shows_the_plan_writes_the_file_and_goes_to_the_run(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    with Actor(profile.parent / "runs", "city") as actor:

        def start(frozen: str, *_: object, **__: object) -> RunFolder:
            started.append(frozen)
            return actor.run

        monkeypatch.setattr(launch, "start", start)
        app = app_on(profile)
        async with app.run_test(size=SIZE) as pilot:
            await opened(pilot, app)
            await go_to(pilot, app, "method.text_encoder")
            await pilot.press("space", "L")
            await until(pilot, lambda: says(app, "Launch city?"))
            assert says(app, "3 images, 7 an epoch · 1 000 steps")
            assert says(app, "city.toml is written first.")
            await pilot.press("escape")
            assert (started, on_disk(profile)) == ([], TEXT)
            await pilot.press("L")
            await until(pilot, lambda: says(app, "Launch city?"))
            await pilot.press("y")
            await until(pilot, lambda: screen_text(app)[0].startswith(f" sdtui  monitor  {actor.run.name}"))
        assert "text_encoder = true" in on_disk(profile)
        assert "text_encoder = true" in started[0]


async def test_a_dataset_that_cannot_be_trained_is_refused_with_its_reason(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "start", lambda *_, **__: pytest.fail("launched"))
    (profile.parent / "images" / "a.txt").unlink()
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await until(pilot, lambda: says(app, "caption"))
        await pilot.press("L")
        await until(pilot, lambda: len(app._notifications) == 1)
        assert app.screen is screen_of(app)


async def test_a_run_that_cannot_be_started_says_why(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SdtuiError("no space left on the disk", where="runs", remedy="Free some space")

    monkeypatch.setattr(launch, "start", refuse)
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("L")
        await until(pilot, lambda: says(app, "Launch city?"))
        await pilot.press("y")
        await until(pilot, lambda: told(app, "no space left on the disk"))
        assert app.screen is screen_of(app)


# -- sizes ------------------------------------------------------------------------------------------------------------


async def test_a_narrow_window_has_help_and_plan_below_and_the_rest_behind_a_key(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: says(app, "5 files"))
        await go_to(pilot, app, "dataset.bucket_step")
        await until(pilot, lambda: says(app, "Bucket sides are multiples of this."))
        assert says(app, "i help")
        assert not says(app, "kohya sd-scripts' default")
        await pilot.press("enter", "5")
        await until(pilot, lambda: says(app, " dataset.bucket_step is 645"))
        await pilot.press("escape", "i")
        await until(pilot, lambda: says(app, "kohya sd-scripts' default"))
        await pilot.press("q")
        await until(pilot, lambda: row(app, "bucket_step").startswith("▸ bucket_step"))


async def test_without_a_profile_the_screen_says_how_to_get_one(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="profile")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "No profile is open. Choose one on Home (1)"))
        await pilot.press("enter", "T", "D", "u", "U", "w", "c", "L", "e", "a", "d", "f5", "K", "left", "backspace")
        await pilot.pause()
        assert says(app, "No profile is open.")
