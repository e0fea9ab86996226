"""The Monitor screen on runs of every state, driven by keys."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui.runs import launch, record
from sdtui.tui.app import SdtuiApp
from sdtui.tui.monitor import reader as reading
from sdtui.tui.monitor.device import DeviceProbe, DeviceTotals
from sdtui.tui.screens.monitor import MonitorScreen
from tests.tui.monitor.actor import Actor
from tests.tui.stage import screen_text, told, until

SIZE = (120, 36)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LEAST_SECONDS", 0.01)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.05)


@pytest.fixture
def actor(tmp_path: Path) -> Iterator[Actor]:
    with Actor(tmp_path / "runs") as actor:
        for number in range(1, 21):
            actor.step(number)
        actor.stats(20)
        yield actor


def app_on(workspace: Path) -> SdtuiApp:
    return SdtuiApp(workspace, start="monitor")


def says(app: SdtuiApp, words: str) -> bool:
    return words in "\n".join(screen_text(app))


async def test_a_live_run_is_shown_and_followed(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20 / 3 000"))
        rows = screen_text(app)
        assert rows[1].startswith(" training   step 20 / 3 000   ETA 0:41    1.9 images/s")
        assert rows[2].startswith(" loss  0.1")
        assert says(app, "memory  900 MiB now  2.0 GiB peak of 16.0 GiB (process)")
        actor.step(21)
        await until(pilot, lambda: says(app, "step 21 / 3 000"))


async def test_closing_the_app_leaves_the_run_alone(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        reader = app.screen._reader if isinstance(app.screen, MonitorScreen) else None
    assert reader is not None
    reader.join(120)
    assert not reader.is_alive()
    assert actor.inbox.take() == []


@pytest.mark.parametrize(("key", "command"), [("p", "preview"), ("s", "save"), ("space", "pause")])
async def test_a_command_is_asked_then_answered(actor: Actor, tmp_path: Path, key: str, command: str) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press(key)
        await until(pilot, lambda: says(app, f"{command} asked"))
        assert actor.answer() == [command]
        await until(pilot, lambda: says(app, f"{command} done") and not says(app, "asked"))


async def test_a_refused_command_says_why_once(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press("s")
        actor.answer("refused", "disk [full]")
        await until(pilot, lambda: says(app, "save refused: disk [full]"))
        await until(pilot, lambda: len(app._notifications) == 1)


async def test_space_lets_a_paused_run_go_on(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        actor.events.write("state", state="paused", reason="")
        await until(pilot, lambda: says(app, "space goes on"))
        await pilot.press("space")
        assert actor.answer() == ["unpause"]


@pytest.mark.parametrize(
    ("key", "typed", "arguments", "said"),
    [
        ("f", ["0", ".", "5"], {"key": "learning_rate_factor", "value": 0.5}, "rate × 0.5"),
        ("v", ["5", "0"], {"key": "previews.every", "value": 50}, "every 50"),
    ],
)
async def test_what_can_be_set_is_asked_for(
    actor: Actor, tmp_path: Path, key: str, typed: list[str], arguments: dict[str, object], said: str
) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press(key)
        await until(pilot, lambda: says(app, "esc leave"))
        await pilot.press(*typed, "enter")
        await until(pilot, lambda: says(app, "set asked"))
        command = actor.inbox.take()[0]
        assert (command.name, command.args) == ("set", arguments)
        actor.events.write("control", command="set", id=command.id, status="done", message=said)
        await until(pilot, lambda: says(app, said) and not says(app, "asked"))


async def test_what_is_no_number_is_not_set(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press("f")
        await until(pilot, lambda: says(app, "esc leave"))
        await pilot.press("x", "enter")
        await until(pilot, lambda: told(app, "'x' is not a number; nothing was sent"))
        assert actor.inbox.take() == []


async def test_stop_asks_first(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press("S")
        await until(pilot, lambda: says(app, "End this run?"))
        await pilot.press("escape")
        assert actor.answer() == []
        await pilot.press("S")
        await until(pilot, lambda: says(app, "End this run?"))
        await pilot.press("y")
        await pilot.pause()
        assert actor.answer() == ["stop"]


async def test_a_killed_run_offers_to_resume(actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resumed: list[str] = []
    monkeypatch.setattr(launch, "resume", lambda run: resumed.append(run.name))
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press("R")
        assert resumed == []
        actor.die()
        await until(pilot, lambda: says(app, "R starts over") and says(app, "its process ended without saying why"))
        await pilot.press("R")
        await until(pilot, lambda: resumed == [actor.run.name])
        await pilot.press("p")
        assert actor.inbox.take() == []


async def test_a_finished_run(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", alive=False) as actor:
        actor.step(3000)
        actor.finish(3000)
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "finished   step 3 000 / 3 000   took 1 min 35 s"))
        assert says(app, "files   1 written  10.0 MiB")


async def test_a_failed_run_says_why_and_what_to_do(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", alive=False) as actor:
        actor.step(7)
        actor.events.write("checkpoint", step=5, path="checkpoints/step-000005", bytes=1, seconds=1)
        actor.events.write("error", message="no memory left [cuda]", where="step 8", remedy="Lower training.batch_size")
        record.update(actor.run, state="failed", reason="no memory left [cuda]")
        actor.events.write("finished", state="failed", step=7, seconds=9)
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "R resumes from step 5"))
        rows = screen_text(app)
        assert rows[1].startswith(" failed     step 7 / 3 000   took 9 s")
        assert rows[2] == " step 8: no memory left [cuda]. Lower training.batch_size"
        assert rows[-1].startswith(" R resume  x x axis")


async def test_the_footer_offers_what_a_live_run_takes(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(
            pilot, lambda: screen_text(app)[-1].startswith(" p preview now  s save  space pause  S stop  x x axis")
        )
        assert "resume" not in screen_text(app)[-1]
        actor.preview(20)
        await until(pilot, lambda: says(app, "left earlier  tab prompt  c compare"))


async def test_a_run_from_a_newer_version_says_so_and_is_left_alone(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", alive=False) as actor:
        actor.run.run_json.write_text('{"schema": 99}')
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        said = " this run was made by a newer sdtui (run folder version 99; this one knows 1). Upgrade sdtui"
        await until(pilot, lambda: said in screen_text(app))
        await pilot.press("p", "s", "space", "S", "R")
        await pilot.pause()
    assert list(actor.run.control_dir.iterdir()) == []
    assert actor.run.run_json.read_text() == '{"schema": 99}'


async def test_a_damaged_record_and_half_an_event_are_no_end(actor: Actor, tmp_path: Path) -> None:
    with actor.run.events_file.open("ab") as events:
        events.write(b'not json\n{"kind": "step", "step"')
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20 / 3 000"))
        actor.run.run_json.write_text("{")
        await until(pilot, lambda: says(app, " run.json is damaged"))


async def test_events_that_were_truncated_are_read_anew(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20 / 3 000"))
        os.truncate(actor.run.events_file, 0)
        actor.events.write("run", schema=1, steps_total=3000, epochs_total=8, images=24, device="cpu")
        actor.step(3)
        await until(pilot, lambda: says(app, "step 3 / 3 000"))


async def test_a_run_deleted_while_it_is_watched(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", alive=False) as actor:
        actor.step(7)
    with Actor(tmp_path / "runs", "another", alive=False) as other:
        other.step(9)
    app = SdtuiApp(tmp_path, start="monitor", target=actor.run.path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 7 / 3 000"))
        shutil.rmtree(actor.run.path)
        await until(pilot, lambda: says(app, " the run's folder is no longer there"))
        await pilot.press("p", "l", "l", "R")
        await pilot.press("full_stop")
        await until(pilot, lambda: says(app, "step 9 / 3 000") and not says(app, "no longer there"))


async def test_a_gpu_shows_the_trainers_share_and_the_whole_device(
    actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DeviceProbe, "read", lambda _self: DeviceTotals("H200", 18637, 142336, 97, 71))
    parts = {"allocated": 7168, "cached": 1024}
    memory = {"kind": "cuda", "used_mib": 8192, "peak_mib": 9216, "total_mib": 81920, "parts": parts}
    actor.events.write("stats", step=20, images_per_second=1.9, eta_seconds=41, time={}, memory=memory)
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "device  H200  18.2 GiB of 139 GiB  97 % busy  71 °C"))
        assert says(app, "memory  8.0 GiB now  9.0 GiB peak of 80.0 GiB  allocated 7.0 GiB  cached 1")


async def test_a_workspace_without_runs(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "no run yet   launch one from a profile: 4 then L"))


async def test_older_and_newer_runs_and_the_list(actor: Actor, tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", "another", alive=False) as other:
        other.step(7)
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        # The one that is going, although another is newer.
        await until(pilot, lambda: says(app, "step 20 / 3 000"))
        await pilot.press("comma")
        await until(pilot, lambda: says(app, "step 7 / 3 000"))
        await pilot.press("full_stop")
        await until(pilot, lambda: screen_text(app)[0].startswith(f" sdtui  monitor  {actor.run.name}"))
        await pilot.press("comma")
        await until(pilot, lambda: says(app, "step 7 / 3 000"))
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "Which run?"))
        await pilot.press("j", "enter")
        await until(pilot, lambda: says(app, "step 20 / 3 000"))


async def test_previews_messages_and_paths_are_taken_literally(actor: Actor, tmp_path: Path) -> None:
    actor.preview(10, prompt="[red]a[/x] \x1b[31mtower")
    actor.events.write("warning", message="caption of [b]x[/q].jpg \x07 is empty", where="images/[i]x.txt", remedy="")
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, r"[red]a[/x] \x1b[31mtower"))
        assert says(app, r"images/[i]x.txt: caption of")
        assert says(app, r"[b]x[/q].jpg \x07 is empty")


async def test_scrubbing_turning_and_comparing_previews(actor: Actor, tmp_path: Path) -> None:
    for step in (0, 10, 20):
        actor.preview(step, 0, "first prompt")
        actor.preview(step, 1, "second prompt")
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "previews  step 20  3/3  prompt 1/2"))
        await pilot.press("left", "tab")
        await until(pilot, lambda: says(app, "step 10  2/3  prompt 2/2") and says(app, "second prompt  (seed 8)"))
        await pilot.press("right", "c")
        await until(pilot, lambda: {"step 0", "step 20"} <= {row[77:].strip() for row in screen_text(app)})


async def test_the_log_takes_the_place_of_the_curves(actor: Actor, tmp_path: Path) -> None:
    actor.run.log_file.write_text("loading [bold]model[/x]\n")
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press("l")
        await until(pilot, lambda: says(app, "loading [bold]model[/x]"))
        assert not says(app, "average 0.98")
        await pilot.press("q")
        await until(pilot, lambda: says(app, "average 0.98"))


async def test_axis_scale_and_smoothing_are_remembered(actor: Actor, tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "step 20"))
        await pilot.press("x", "y", "plus")
        await until(pilot, lambda: says(app, "average 0.99"))
        app.exit()
    again = app_on(tmp_path)
    async with again.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(again, "average 0.99"))


@pytest.mark.parametrize("size", [(80, 24), (250, 70)])
async def test_other_sizes_and_ascii(actor: Actor, tmp_path: Path, size: tuple[int, int]) -> None:
    from sdtui.tui.settings import Settings

    actor.preview(20)
    app = SdtuiApp(tmp_path, start="monitor", settings=Settings(ascii=True))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: says(app, "step 20 / 3 000"))
        assert says(app, "memory  900 MiB now")
        assert says(app, "files   no checkpoint yet")
        if size[0] == 80:
            assert screen_text(app)[-1].endswith("? keys  : commands  q back  i previews")
            assert not says(app, "previews  step")
            await pilot.press("i")
        await until(pilot, lambda: says(app, "previews  step 20"))


async def test_what_runs_now_comes_before_the_run_of_last_time(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", "old", alive=False) as old:
        app = app_on(tmp_path)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: says(app, old.run.name))
            await pilot.press("q")
            await until(pilot, lambda: app.current_mode == "home")
            with Actor(tmp_path / "runs", "new") as new:
                new.step(1)
                await until(pilot, lambda: says(app, f"run {new.run.name}"))
                await pilot.press("3")
                await until(pilot, lambda: screen_text(app)[0].startswith(f" sdtui  monitor  {new.run.name}"))
                await pilot.press("full_stop")
                await until(pilot, lambda: screen_text(app)[0].startswith(f" sdtui  monitor  {old.run.name}"))
                # Chosen: it stays.
                await pilot.press("1")
                await until(pilot, lambda: app.current_mode == "home")
                await pilot.press("3")
                await until(pilot, lambda: app.current_mode == "monitor")
                await pilot.pause(0.2)
                assert screen_text(app)[0].startswith(f" sdtui  monitor  {old.run.name}")


async def test_opened_again_it_shows_what_runs_not_where_it_was_left(tmp_path: Path) -> None:
    with Actor(tmp_path / "runs", "old", alive=False) as old:
        app = app_on(tmp_path)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: says(app, old.run.name))
            app.exit()
        with Actor(tmp_path / "elsewhere", "new") as new:
            (tmp_path / "p.toml").write_text('[launch]\nruns = "elsewhere"\n')
            again = app_on(tmp_path)
            async with again.run_test(size=SIZE) as pilot:
                await until(pilot, lambda: screen_text(again)[0].startswith(f" sdtui  monitor  {new.run.name}"))
        named = SdtuiApp(tmp_path, start="monitor", target=old.run.path)
        async with named.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: screen_text(named)[0].startswith(f" sdtui  monitor  {old.run.name}"))
            await pilot.pause(0.2)
            assert screen_text(named)[0].startswith(f" sdtui  monitor  {old.run.name}")
