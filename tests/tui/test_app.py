"""The app as a whole: going between screens, the order in which things close, small windows, failures, the header."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sdtui.errors import SdtuiError, UserError
from sdtui.tui import board
from sdtui.tui.app import SdtuiApp
from sdtui.tui.board import BoardReader
from tests.tui.monitor.actor import Actor
from tests.tui.stage import header, says, screen_text, told, until

SIZE = (100, 30)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "LEAST_SECONDS", 0.01)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"tag {name}\n")
    return folder


async def test_number_keys_go_to_every_screen_and_back(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test(size=SIZE) as pilot:
        for key, screen in [("2", "captions"), ("3", "monitor"), ("4", "profile"), ("1", "home"), ("3", "monitor")]:
            await pilot.press(key)
            await until(pilot, lambda screen=screen: header(app, f" sdtui  {screen}"))  # type: ignore[misc]
            assert says(app, "? keys  : commands")


async def test_keys_typed_ahead_reach_the_screen_they_were_meant_for(images: Path) -> None:
    app = SdtuiApp(images.parent, start="captions", target=images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, " tag a"))
        await pilot.press("1", "2", "j", "a", "x", "y", "enter")
        await until(pilot, lambda: (images / "b.txt").read_text() == "tag b, xy\n")


async def test_q_closes_what_is_open_then_the_screen_then_the_app(images: Path) -> None:
    app = SdtuiApp(images.parent, start="captions", target=images)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: says(app, " tag a"))
        await pilot.press("i")
        await until(pilot, lambda: says(app, "tags  2") and not says(app, "b.png"))
        await pilot.press("slash", "b", "enter")
        await until(pilot, lambda: says(app, "1 of 2"))
        await pilot.press("q")
        await until(pilot, lambda: not says(app, "1 of 2"))
        await pilot.press("q")
        await until(pilot, lambda: says(app, "a.png") and not says(app, "tags  2"))
        await pilot.press("q")
        await until(pilot, lambda: header(app, " sdtui  home"))
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def test_escape_closes_but_never_leaves(images: Path) -> None:
    app = SdtuiApp(images.parent, start="captions", target=images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, " tag a"))
        await pilot.press("slash", "b", "escape", "escape", "escape")
        await until(pilot, lambda: header(app, " sdtui  captions") and says(app, "a.png"))
        await pilot.press("1", "escape", "escape")
        await until(pilot, lambda: header(app, " sdtui  home"))
        assert app.is_running


async def test_a_dialog_keeps_the_keys_of_the_screen_behind_it_away(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: says(app, "what shall it train?"))
        await pilot.press("3", "colon", "question_mark", "n")
        assert says(app, "what shall it train?")
        await pilot.press("q")
        await until(pilot, lambda: not says(app, "what shall it train?"))
        assert header(app, " sdtui  home")


async def test_it_opens_where_it_was_left(images: Path) -> None:
    app = SdtuiApp(images.parent, start="captions", target=images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, " tag a"))
        await pilot.press("j")
        await until(pilot, lambda: says(app, " tag b"))
        await pilot.press("ctrl+q")
    again = SdtuiApp(images.parent)
    async with again.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: header(again, " sdtui  captions") and says(again, " tag b"))


async def test_the_side_panel_folds_and_comes_back(images: Path) -> None:
    app = SdtuiApp(images.parent, start="captions", target=images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "tags  2"))
        await pilot.press("i")
        await until(pilot, lambda: not says(app, "tags  2"))
        await pilot.press("i")
        await until(pilot, lambda: says(app, "tags  2"))


async def test_a_window_too_small_says_so_and_recovers(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "nothing here yet"))
        await pilot.resize_terminal(30, 8)
        await until(pilot, lambda: says(app, "This window is 30 x 8"))
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: says(app, "nothing here yet"))
        assert max(map(len, screen_text(app))) <= 40


async def test_every_header_names_the_live_run(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", "lora") as actor:
        actor.step(1500)
        app = SdtuiApp(tmp_path, start="captions")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: screen_text(app)[0].endswith(f"run {actor.run.name} 50%"))
            actor.finish(3000)
            actor.die()
            await until(pilot, lambda: actor.run.name not in screen_text(app)[0])


async def test_leaving_touches_no_run(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", "lora") as actor:
        actor.step(1)
        before = sorted((path.name, path.read_bytes()) for path in actor.run.path.rglob("*") if path.is_file())
        app = SdtuiApp(tmp_path, start="monitor")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: says(app, "step 1 / 3 000"))
            app.exit()
        assert sorted((path.name, path.read_bytes()) for path in actor.run.path.rglob("*") if path.is_file()) == before


async def test_what_is_reported_is_taken_literally_and_the_app_goes_on(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test(size=SIZE) as pilot:
        app.report(SdtuiError("disk [full] \x1b[31m", where="[/x].toml"))
        await until(pilot, lambda: told(app, r"[/x].toml: disk [full] \x1b[31m"))
        app.report(RuntimeError("of [our] own"))
        await until(pilot, lambda: told(app, "RuntimeError: of [our] own. Details in /"))
        await pilot.press("3")
        await until(pilot, lambda: header(app, " sdtui  monitor"))


async def test_a_worker_that_fails_is_a_message_not_the_end(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "nothing here yet"))

        def fail() -> None:
            raise SdtuiError("the network drive went away")

        app.screen.run_worker(fail, thread=True, group="test", exit_on_error=False)
        await until(pilot, lambda: told(app, "the network drive went away"))
        assert app.is_running


async def test_a_fault_of_our_own_leaves_one_line_and_a_file(
    tmp_path: Path, own_folders: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = SdtuiApp(tmp_path, start="home")

    def fault() -> None:
        raise ZeroDivisionError("by [zero]")

    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: says(app, "nothing here yet"))
            app.call_later(fault)
            await pilot.pause(0.1)
    assert app.return_code == 1
    assert app.crash is not None
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("sdtui stopped because of a fault of its own: ZeroDivisionError: by [zero]; details in ")
    assert len(list((own_folders / "state" / "crashes").iterdir())) == 1


async def test_copy_says_what_was_done(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = SdtuiApp(images.parent, start="captions", target=images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, " tag a"))
        await pilot.press("Y")
        await until(pilot, lambda: told(app, "OSC 52"))
        assert app.clipboard == str(images / "a.png")


async def test_after_a_stop_the_whole_screen_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test() as pilot:
        await until(pilot, lambda: says(app, "nothing here yet"))
        drawn: list[bool] = []
        monkeypatch.setattr(app, "refresh", lambda *_, layout=False, **__: drawn.append(layout))
        app.app_resume_signal.publish(app)
        await until(pilot, lambda: drawn == [True])


async def test_a_started_run_does_not_snatch_the_screen_from_somebody_working(images: Path) -> None:
    app = SdtuiApp(images.parent, start="captions", target=images)
    run = images.parent / "runs" / "lora-1"
    run.mkdir(parents=True)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.current_mode == "captions")
        app.show_started(run)
        await until(pilot, lambda: told(app, "started lora-1: 3 shows it"))
        assert app.current_mode == "captions"
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "home")
        app.show_started(run)
        await until(pilot, lambda: app.current_mode == "monitor")


async def test_a_thread_that_fails_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise UserError("the folder is on fire")

    monkeypatch.setattr(BoardReader, "run", fail)
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test() as pilot:
        await until(pilot, lambda: told(app, "the folder is on fire"))


async def test_ctrl_z_stops_only_where_a_shell_can_let_it_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[bool] = []
    app = SdtuiApp(tmp_path, start="home")
    monkeypatch.setattr(app, "action_suspend_process", lambda: stopped.append(True))
    async with app.run_test(size=SIZE) as pilot:
        monkeypatch.setattr("sdtui.tui.app.shell_waits", lambda: False)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: told(app, "there is no shell to go back to"))
        assert stopped == []
        monkeypatch.setattr("sdtui.tui.app.shell_waits", lambda: True)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: stopped == [True])
