"""The Home screen driven by keys: what it lists, and what its keys do to the files of the workspace."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.pilot import Pilot

from sdtui.errors import SdtuiError
from sdtui.runs import launch, record
from sdtui.runs.layout import RunFolder
from sdtui.tui import board, launching
from sdtui.tui.app import SdtuiApp
from sdtui.tui.daemon import GivenUpError
from sdtui.tui.launching import Ready
from sdtui.tui.looking import GoOn
from sdtui.tui.settings import Settings
from tests.support.hollow import hollow_pipeline
from tests.tui.hostile import HOSTILE
from tests.tui.monitor.actor import Actor
from tests.tui.stage import header, says, screen_text, told, until

SIZE = (120, 36)
READY = Ready("", Path("runs"), "city", 40, "")
PROFILE = """\
schema = 1
[model]
base = "model"
[method]
kind = "lora"
[[dataset.folders]]
path = "images"
[training]
steps = 40
[saving]
every_steps = 10
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "LEAST_SECONDS", 0.01)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One good profile, one with a mistake, one that is no TOML; two images, one without a caption."""
    folder = tmp_path / "work"
    hollow_pipeline(folder / "model")
    (folder / "images").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (8, 8)).save(folder / "images" / f"{name}.png")
    (folder / "images" / "a.txt").write_text("house\n")
    (folder / "city.toml").write_text(PROFILE)
    (folder / "typo.toml").write_text(PROFILE.replace("steps", "stepps"))
    (folder / "wreck.toml").write_text("[method\nkind = ")
    return folder


def app_on(folder: Path, *, ascii_only: bool = False) -> SdtuiApp:
    return SdtuiApp(folder, start="home", settings=Settings(ascii=ascii_only))


def line_of(app: SdtuiApp, name: str) -> str:
    """The row of the list that begins with this name, its columns one blank apart; empty when there is none."""
    for row in screen_text(app):
        words = row.split("│")[0].lstrip("▸>").split()
        if words and words[0] == name:
            return " ".join(words)
    return ""


def side(app: SdtuiApp) -> list[str]:
    """What the side panel says, its columns one blank apart."""
    return [" ".join(row.split("│")[1].split()) for row in screen_text(app) if "│" in row]


async def ready(pilot: Pilot[None], app: SdtuiApp) -> None:
    await until(pilot, lambda: app.board.complete and says(app, "profiles"))


async def go_to(pilot: Pilot[None], app: SdtuiApp, name: str) -> None:
    """Move down until the cursor is on the row of this name."""
    await pilot.press("g")
    for _ in range(20):
        if any(row.startswith(f"▸ {name}") for row in screen_text(app)):
            return
        await pilot.press("j")
    raise AssertionError(f"no row {name}: {screen_text(app)}")


# -- what it lists ----------------------------------------------------------------------------------------------------


async def test_profiles_and_datasets_with_what_is_the_matter(workspace: Path) -> None:
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: line_of(app, "typo.toml").endswith("problems"))
        assert line_of(app, "city.toml").startswith("city.toml lora edited ")
        assert line_of(app, "wreck.toml").endswith("1 problem")
        assert line_of(app, "images") == "images 2 images 1 untagged"
        assert says(app, "none yet: L on a profile starts one")
        assert screen_text(app)[-1] == (
            " enter open  n new  L launch  R resume  d delete  u undo  / filter  e editor  ? keys  : commands  q quit"
        )
        await go_to(pilot, app, "wreck.toml")
        await until(pilot, lambda: "problem" in side(app))
        assert any(line.startswith("not valid TOML: Expected") for line in side(app))
        # What the images say comes last: one of them has no caption.
        await until(pilot, lambda: line_of(app, "city.toml").endswith(" 1 problem"))
        (workspace / "images" / "b.txt").write_text("house\n")
        await until(pilot, lambda: line_of(app, "city.toml").endswith(" ready"))


async def test_runs_with_state_and_progress(workspace: Path) -> None:
    runs = workspace / "runs"
    with (
        Actor(runs, "live") as live,
        Actor(runs, "dead", alive=False) as dead,
        Actor(runs, "done", alive=False) as done,
    ):
        dead.step(7)
        done.finish(3000)
        live.step(750, loss=0.25)
        live.stats(750, eta=3700)
        RunFolder.create(runs, "future").run_json.write_text('{"schema": 99}')
        RunFolder.create(runs, "odd").run_json.write_text("{")
        app = app_on(workspace)
        async with app.run_test(size=SIZE) as pilot:
            await ready(pilot, app)
            names = {info.run.name.partition("-")[0]: info.run.name for info in app.board.runs}
            await until(pilot, lambda: line_of(app, names["live"]).endswith("running 25% 1 h 01 min left loss 0.250"))
            assert line_of(app, names["dead"]).startswith(f"{names['dead']} killed step 7 of 3 000")
            assert line_of(app, names["done"]).startswith(f"{names['done']} finished ")
            assert line_of(app, names["future"]) == f"{names['future']} newer sdtui"
            assert line_of(app, names["odd"]) == f"{names['odd']} unreadable"
            assert screen_text(app)[0].endswith(f"1 running   run {names['live']} 25%")
            await go_to(pilot, app, names["future"])
            await until(pilot, lambda: "why" in side(app))
            await go_to(pilot, app, names["dead"])
            await until(pilot, lambda: "R starts over: no checkpoint yet" in " ".join(side(app)))
            live.step(1500, loss=0.25)
            await until(pilot, lambda: " running 50%" in line_of(app, names["live"]))


async def test_a_failed_run_says_why(workspace: Path) -> None:
    run = RunFolder.create(workspace / "runs", "bad")
    record.write(run, record.RunRecord(state="failed", step=3, steps_total=40, reason="loss [red]nan[/x] at step 3"))
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, run.name)
        await until(pilot, lambda: "why loss [red]nan[/x] at step 3" in side(app))


async def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: says(app, "nothing here yet"))
        assert says(app, "n     write a profile from a template: what to train, and on which images")
        assert says(app, "2 O   open a folder of images and work on its captions")
        assert says(app, "`sdtui demo` makes a workspace with a model, images and a run to watch")
        await pilot.press("enter", "d", "e", "L", "R", "j", "k")
        assert says(app, "nothing here yet")
        (tmp_path / "new.toml").write_text(PROFILE)
        await until(pilot, lambda: line_of(app, "new.toml") != "")


async def test_hints_name_the_keys_the_user_chose(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="home", settings=Settings(keys={"home.new": "f6"}))
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "f6    write a profile from a template"))
        await pilot.press("f6")
        await until(pilot, lambda: says(app, "A new profile: what shall it train?"))
        await until(pilot, lambda: says(app, " A LoRA for Stable Diffusion"))


async def test_hostile_names_are_shown_literally(workspace: Path) -> None:
    names = {text: shown for text, shown in HOSTILE.items() if "/" not in text}
    for text in names:
        (workspace / f"{text}.toml").write_text("[method]\nkind = '[b]x[/q]'\n")
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        text = "\n".join(screen_text(app))
        for shown in names.values():
            assert f"{shown}.toml" in text
        assert "\n".join(row[:75] for row in screen_text(app)).count("[b]x[/q]") == len(names)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (250, 70)])
async def test_sizes(workspace: Path, size: tuple[int, int]) -> None:
    with Actor(workspace / "runs", "medieval-city") as actor:
        actor.step(30)
        app = app_on(workspace)
        async with app.run_test(size=size) as pilot:
            await ready(pilot, app)
            await until(pilot, lambda: says(app, " running      1%"))
            rows = screen_text(app)
            assert len(rows) == size[1]
            assert max(map(len, rows)) <= size[0]
            ends = "? keys  : commands  q quit" + ("  i details" if size[0] < 100 else "")
            assert rows[-1].startswith(" enter open  n new")
            assert rows[-1].endswith(ends)
            if size[0] == 80:
                assert not says(app, "trains")
                await pilot.press("i")
                await until(pilot, lambda: says(app, "trains     lora") or says(app, "trains      lora"))


async def test_ascii_draws_nothing_else(workspace: Path) -> None:
    app = app_on(workspace, ascii_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        assert [row for row in screen_text(app) if not row.isascii()] == []


# -- filter -----------------------------------------------------------------------------------------------------------


async def test_filter_keeps_what_contains_the_text(workspace: Path) -> None:
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await pilot.press("slash", "T", "y", "p")
        await until(pilot, lambda: line_of(app, "city.toml") == "")
        assert line_of(app, "typo.toml") != ""
        assert not says(app, "datasets")
        await pilot.press("enter")
        assert screen_text(app)[-1].endswith("q close")
        await pilot.press("q")
        await until(pilot, lambda: line_of(app, "city.toml") != "")
        assert app.is_running
        await pilot.press("slash", "z", "z")
        await until(pilot, lambda: says(app, "nothing on this screen contains that text"))
        await pilot.press("escape")
        await until(pilot, lambda: line_of(app, "city.toml") != "")


# -- new, open, delete ------------------------------------------------------------------------------------------------


async def new_profile(pilot: Pilot[None], app: SdtuiApp, name: str) -> None:
    await pilot.press("n")
    await until(pilot, lambda: says(app, "A new profile: what shall it train?"))
    await pilot.press("enter")
    await until(pilot, lambda: says(app, "Name of the new profile"))
    await pilot.press(*["backspace"] * len("lora.toml"))
    for letter in name:
        await pilot.press({"/": "slash", ".": "full_stop", "-": "minus"}.get(letter, letter))
    await pilot.press("enter")


async def test_a_new_profile_opens_on_what_must_be_filled_in(workspace: Path) -> None:
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, "city.toml")
        await pilot.press("4")
        await until(pilot, lambda: header(app, " sdtui  profile  city.toml"))
        await pilot.press("G", "1")
        await until(pilot, lambda: header(app, " sdtui  home"))
        await new_profile(pilot, app, "fox")
        await until(pilot, lambda: header(app, " sdtui  profile  fox.toml"))
        await until(pilot, lambda: any("▸ ! base" in row for row in screen_text(app)))


async def test_a_screens_number_shows_what_is_under_the_cursor(workspace: Path) -> None:
    with Actor(workspace / "runs", "old", alive=False) as old, Actor(workspace / "runs", "new", alive=False):
        app = app_on(workspace)
        async with app.run_test(size=SIZE) as pilot:
            await ready(pilot, app)
            await go_to(pilot, app, "typo.toml")
            await pilot.press("4")
            await until(pilot, lambda: header(app, " sdtui  profile  typo.toml"))
            await pilot.press("1")
            await until(pilot, lambda: header(app, " sdtui  home"))
            await go_to(pilot, app, old.run.name)
            await pilot.press("3")
            await until(pilot, lambda: header(app, f" sdtui  monitor  {old.run.name}"))
            await pilot.press("1")
            await until(pilot, lambda: header(app, " sdtui  home"))
            await go_to(pilot, app, "images")
            await pilot.press("2")
            await until(pilot, lambda: header(app, " sdtui  captions") and says(app, "a.png"))


async def test_the_only_profile_is_shown_from_anywhere_on_home(workspace: Path) -> None:
    for name in ("typo.toml", "wreck.toml"):
        (workspace / name).unlink()
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, "images")
        await pilot.press("4")
        await until(pilot, lambda: header(app, " sdtui  profile  city.toml"))


async def test_a_new_profile_is_written_and_opened(workspace: Path) -> None:
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await new_profile(pilot, app, "fox")
        await until(pilot, lambda: header(app, " sdtui  profile  fox.toml"))
        await pilot.press("1")
        await until(pilot, lambda: any(row.startswith("▸ fox.toml") for row in screen_text(app)))
    assert 'kind = "lora"' in (workspace / "fox.toml").read_text()


@pytest.mark.parametrize(
    ("name", "says_why"),
    [
        ("city", "there is such a file already; nothing was written"),
        ("../up", "profiles lie in the workspace or in its profiles/"),
        ("runs/x", "profiles lie in the workspace or in its profiles/"),
    ],
)
async def test_a_new_profile_overwrites_nothing_and_lands_where_it_is_listed(
    workspace: Path, name: str, says_why: str
) -> None:
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await new_profile(pilot, app, name)
        await until(pilot, lambda: told(app, says_why))
        assert header(app, " sdtui  home")
    assert (workspace / "city.toml").read_text() == PROFILE
    assert not (workspace.parent / "up.toml").exists()


async def test_enter_opens_each_thing_on_its_screen(workspace: Path) -> None:
    with Actor(workspace / "runs", "lora") as actor:
        actor.step(3)
        app = app_on(workspace)
        async with app.run_test(size=SIZE) as pilot:
            await ready(pilot, app)
            for name, words in [
                ("city.toml", " sdtui  profile  city.toml"),
                (actor.run.name, f" sdtui  monitor  {actor.run.name}"),
                ("images", " sdtui  captions  /"),
            ]:
                await go_to(pilot, app, name)
                await pilot.press("enter")
                await until(pilot, lambda words=words: header(app, words))  # type: ignore[misc]
                await pilot.press("1")
                await until(pilot, lambda: header(app, " sdtui  home"))


async def test_a_second_click_opens(workspace: Path) -> None:
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        row = next(at for at, words in enumerate(screen_text(app)) if "typo.toml" in words)
        await pilot.click(offset=(5, row))
        await until(pilot, lambda: any(row.startswith("▸ typo.toml") for row in screen_text(app)))
        await pilot.click(offset=(5, row))
        await until(pilot, lambda: header(app, " sdtui  profile  typo.toml"))


async def test_delete_goes_to_the_trash_and_undo_brings_it_back(workspace: Path) -> None:
    run = RunFolder.create(workspace / "runs", "old")
    record.write(run, record.RunRecord(state="finished", step=40, steps_total=40))
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, "typo.toml")
        await pilot.press("d")
        await until(pilot, lambda: line_of(app, "typo.toml") == "")
        assert told(app, "typo.toml moved to the trash; u undoes")
        assert not (workspace / "typo.toml").exists()
        await go_to(pilot, app, run.name)
        await pilot.press("d")
        await until(pilot, lambda: line_of(app, run.name) == "")
        await pilot.press("g", "u")
        await until(pilot, lambda: any(row.startswith(f"▸ {run.name}") for row in screen_text(app)))
        assert run.run_json.exists()
        await pilot.press("u")
        await until(pilot, lambda: any(row.startswith("▸ typo.toml") for row in screen_text(app)))
        await pilot.press("u")
        await until(pilot, lambda: told(app, "nothing of this workspace is in the trash"))


async def test_a_run_that_goes_and_a_dataset_are_never_deleted(workspace: Path) -> None:
    with Actor(workspace / "runs", "lora") as actor:
        actor.step(3)
        app = app_on(workspace)
        async with app.run_test(size=SIZE) as pilot:
            await ready(pilot, app)
            await go_to(pilot, app, actor.run.name)
            await pilot.press("d")
            await until(pilot, lambda: told(app, "this run is going; stop it first"))
            await go_to(pilot, app, "images")
            await pilot.press("d")
            await until(pilot, lambda: told(app, "datasets are never deleted from here"))
        assert actor.run.path.is_dir()
    assert (workspace / "images" / "a.png").exists()


# -- starting ---------------------------------------------------------------------------------------------------------


async def test_launch_starts_one_run_and_shows_it(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []
    checked = threading.Event()
    with Actor(workspace / "elsewhere", "city") as actor:
        actor.step(3)

        def prepare(path: Path, _go_on: GoOn) -> Ready:
            started.append(path)
            assert checked.wait(120)
            return READY

        monkeypatch.setattr(launching, "prepare", prepare)
        monkeypatch.setattr(launching, "start", lambda _ready: actor.run)
        app = app_on(workspace)
        async with app.run_test(size=SIZE) as pilot:
            await ready(pilot, app)
            await go_to(pilot, app, "city.toml")
            await pilot.press("L", "L")
            await until(pilot, lambda: told(app, "city.toml is being started already"))
            checked.set()
            await until(pilot, lambda: header(app, f" sdtui  monitor  {actor.run.name}"))
    assert started == [workspace / "city.toml"]


async def test_a_launch_that_cannot_be_says_why_and_can_be_tried_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Any:
        raise SdtuiError("no image has a caption [x]")

    monkeypatch.setattr(launching, "prepare", refuse)
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, "city.toml")
        for tries in (1, 2):
            await pilot.press("L")
            await until(
                pilot,
                lambda tries=tries: sum("no image has" in note.message for note in app._notifications) == tries,  # type: ignore[misc]
            )
        assert header(app, " sdtui  home")
        await go_to(pilot, app, "images")
        await pilot.press("L", "R")
        await until(
            pilot, lambda: told(app, "the cursor is not on a profile") and told(app, "the cursor is not on a run")
        )


async def test_quitting_gives_a_launch_up_that_is_still_being_checked(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking, given_up = threading.Event(), threading.Event()

    def prepare(_path: Path, go_on: GoOn) -> Ready:
        checking.set()
        with pytest.raises(GivenUpError):
            while True:
                go_on()
        given_up.set()
        raise GivenUpError

    monkeypatch.setattr(launching, "prepare", prepare)
    monkeypatch.setattr(launching, "start", lambda _ready: pytest.fail("started"))
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, "city.toml")
        await pilot.press("L")
        await until(pilot, checking.is_set)
        await pilot.press("q")
        assert app._exit_renderables == ["city.toml was still being checked: not started"]
    assert given_up.wait(120)


async def test_resume_goes_on_with_a_killed_run(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resumed: list[str] = []
    monkeypatch.setattr(launch, "resume", lambda run: resumed.append(run.name))
    with Actor(workspace / "runs", "lora", alive=False) as actor:
        actor.step(3)
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, actor.run.name)
        await pilot.press("R")
        await until(pilot, lambda: header(app, f" sdtui  monitor  {actor.run.name}"))
    assert resumed == [actor.run.name]


async def test_the_editor_changes_a_profile(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = workspace / "fake-editor"
    script.write_text('#!/bin/sh\nsed -i s/stepps/steps/ "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    app = app_on(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await go_to(pilot, app, "typo.toml")
        await pilot.press("e")
        await until(pilot, lambda: line_of(app, "typo.toml").endswith(" 1 problem"))
        monkeypatch.setenv("VISUAL", "no-such-editor")
        await pilot.press("e")
        await until(pilot, lambda: told(app, "the editor 'no-such-editor' is not installed"))
