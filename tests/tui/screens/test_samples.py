"""The Samples screen, driven by keys: the form, a drawing that is followed and stopped, and the pictures of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from textual.pilot import Pilot
from textual.widgets import Static

from sdtui.errors import UserError
from sdtui.runs import record
from sdtui.runs.job import Job
from sdtui.runs.layout import ADAPTER, RunFolder
from sdtui.runs.sample_task import SampleTask, write_task
from sdtui.tui.app import SdtuiApp
from sdtui.tui.samples import folder as reading
from sdtui.tui.samples import starting
from sdtui.tui.samples.form_list import FormList
from sdtui.tui.samples.pane import PicturesPane
from sdtui.tui.samples.prompt_line import AskLine
from sdtui.tui.screens.samples import SamplesScreen
from sdtui.tui.settings import Settings
from tests.tui.stage import header, says, screen_text, told, until

SIZE = (120, 36)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LEAST_SECONDS", 0.01)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.05)


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[SampleTask]:
    """What was asked to be drawn, in place of processes that draw it."""
    asked: list[SampleTask] = []

    def start(task: SampleTask, home: Path) -> Path:
        if "ink" in "".join(task.prompts):
            raise UserError("prompt: <lora:ink>: no adapter is called 'ink'")
        asked.append(task)
        place = home / f"{len(asked)}"
        place.mkdir(parents=True)
        return place

    monkeypatch.setattr(starting, "start", start)
    return asked


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run with a checkpoint."""
    run = RunFolder(tmp_path / "runs" / "city-20260101-120000")
    run.make_folders()
    run.profile_file.write_text('[method]\nkind = "lora"\n')
    record.write(run, record.RunRecord(state="finished"))
    checkpoint = run.checkpoint_dir(200)
    checkpoint.mkdir()
    (checkpoint / "complete").touch()
    (checkpoint / ADAPTER).touch()
    return run


def put(place: Path, number: int, seed: int) -> None:
    """A picture as the command draws it."""
    text = PngImagePlugin.PngInfo()
    text.add_text(
        "parameters", f"a cat\nNegative prompt: fog\nSteps: 9, Sampler: Euler, CFG scale: 3, Seed: {seed}, Size: 64x72"
    )
    file = place / f"{number:05d}-{seed}.png"
    Image.new("RGB", (16, 16), (20 * number, 90, 40)).save(file, pnginfo=text)
    facts = {"prompt": "a cat", "negative": "fog", "steps": 9, "guidance": 3.0, "seed": seed, "width": 64, "height": 72}
    file.with_suffix(".json").write_text(json.dumps(facts))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures in a folder of the workspace, with what was asked for."""
    place = tmp_path / "samples" / "a"
    place.mkdir(parents=True)
    write_task(place, SampleTask("starter", ("a cat --n fog",), count=4, seed=5))
    for number in range(1, 5):
        put(place, number, 4 + number)
    return place


def app_on(workspace: Path, target: Path | None = None) -> SdtuiApp:
    return SdtuiApp(workspace, start="samples", target=target)


def form(app: SdtuiApp) -> FormList:
    return app.screen.query_one(FormList)


def pane(app: SdtuiApp) -> PicturesPane:
    return app.screen.query_one(PicturesPane)


def screen(app: SdtuiApp) -> SamplesScreen:
    assert isinstance(app.screen, SamplesScreen)
    return app.screen


async def ready(pilot: Pilot[None], app: SdtuiApp) -> None:
    await until(pilot, lambda: says(app, "choose what to draw with"))


async def type_in(pilot: Pilot[None], app: SdtuiApp, text: str) -> None:
    """Enter on the row under the cursor, the text, enter."""
    await pilot.press("enter")
    await until(pilot, lambda: bool(app.screen.query("LineInput")))
    await pilot.press("ctrl+u", *("space" if each == " " else each for each in text), "enter")
    await until(pilot, lambda: isinstance(app.screen, SamplesScreen))


async def test_a_form_is_filled_in_and_drawn(tmp_path: Path, run: RunFolder, started: list[SampleTask]) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await pilot.press("L")
        await until(pilot, lambda: told(app, "choose what to draw with"))
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "run    city-20260101-120000   finished"))
        await pilot.press("enter")
        await until(pilot, lambda: form(app).asked.source == str(run.path))
        await until(pilot, lambda: says(app, "the run's own"))
        await pilot.press("j", "j")
        await type_in(pilot, app, "a cat")
        await pilot.press("a")
        await until(pilot, lambda: bool(app.screen.query("LineInput")))
        await pilot.press("b", "enter")
        await until(pilot, lambda: says(app, "prompt 2"))
        await pilot.press("j", "j", "right", "right", "j", "j", "right")
        await until(pilot, lambda: form(app).asked.width == 512)
        await pilot.press("L")
        await until(pilot, lambda: bool(started))
        assert started == [SampleTask(str(run.path), ("a cat", "b"), count=3, width=512)]
        await until(pilot, lambda: screen(app).place().endswith("samples/1"))


async def test_what_the_command_refuses_is_pointed_at(tmp_path: Path, started: list[SampleTask]) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        form(app).show(SampleTask("starter", ("a cat <lora:ink>",)))
        await pilot.press("L")
        await until(pilot, lambda: says(app, "^" * len("<lora:ink>")))
        assert form(app).row.key == ("prompts", 0)
        assert says(app, "<lora:ink>: no adapter is called 'ink'")
        assert says(app, "! prompt")
        assert not started


async def test_a_prompt_is_judged_while_it_is_typed(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        form(app).show(SampleTask("starter", ("a cat --w 60",)), at=("prompts", 0))
        assert [problem.key for problem in form(app).problems] == [("prompts", 0)]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        await until(pilot, lambda: says(app, "the width is 60, allowed: a multiple of 8"))
        assert says(app, "^^^^^^")
        await pilot.press("backspace", "4")
        await until(pilot, lambda: says(app, "(word:1.2) weighs"))
        await pilot.press("enter")
        await until(pilot, lambda: form(app).asked.prompts == ("a cat --w 64",))
        assert not form(app).problems


async def test_adapters_are_found_worn_and_taken_off(tmp_path: Path, run: RunFolder) -> None:
    (tmp_path / "embeddings").mkdir()
    (tmp_path / "embeddings" / "zzz.pt").touch()
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, app)
        await pilot.press("a")
        await until(pilot, lambda: says(app, "adapter    step 200   of city-20260101-120000"))
        assert says(app, "embedding  zzz")
        await pilot.press("enter")
        file = run.checkpoint_dir(200) / ADAPTER
        await until(pilot, lambda: form(app).asked.loras == (f"{file}:1",))
        await until(pilot, lambda: says(app, "adapter      1  step-000200 of city"))
        await pilot.press("left", "left")
        await until(pilot, lambda: form(app).asked.loras == (f"{file}:0.8",))
        await pilot.press("d")
        await until(pilot, lambda: form(app).asked.loras == ())


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    with Job(tmp_path / "samples" / "live", "sample") as job:
        write_task(job.run.path, SampleTask("starter", ("a cat",)))
        yield job


async def test_pictures_come_as_they_are_drawn(tmp_path: Path, job: Job) -> None:
    app = app_on(tmp_path, target=job.run.path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "the first picture is on its way"))
        job.progress(0, 3, "images")
        job.events.write("sampling", index=1, step=7, steps=20)
        await until(pilot, lambda: says(app, "drawing 1 of 3, step 7 of 20"))
        put(job.run.path, 1, 5)
        job.progress(1, 3, "images")
        await until(pilot, lambda: says(app, "1 of 1  00001-5.png"))
        await until(pilot, lambda: says(app, "Negative prompt: fog"))
        put(job.run.path, 2, 6)
        job.progress(2, 3, "images")
        # The newest one is chosen as long as the last one was.
        await until(pilot, lambda: says(app, "2 of 2  00002-6.png"))
        await pilot.press("S")
        await until(pilot, lambda: says(app, "Stop drawing?"))
        await pilot.press("y")
        for _ in range(2000):
            await pilot.pause(0.01)
            if list(job.run.control_dir.glob("*.json")):
                break
        with pytest.raises(Exception, match="stopped on request"):
            job.check()


async def test_what_was_interrupted_is_gone_on_with(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone_on: list[Path] = []
    monkeypatch.setattr(starting, "go_on", gone_on.append)
    with Job(pictures, "sample") as job:
        job.progress(4, 9, "images")
        raise_stop(job)
    app = app_on(tmp_path, target=pictures)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "stopped, 4 of 9 drawn"))
        assert says(app, "R go on")
        await pilot.press("R")
        await until(pilot, lambda: gone_on == [pictures])


def raise_stop(job: Job) -> None:
    from sdtui.runs import control

    control.send(job.run, "stop")
    job.check()


async def test_pictures_are_looked_at_by_keys(tmp_path: Path, pictures: Path) -> None:
    app = app_on(tmp_path, target=pictures)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "1 of 4  00001-5.png"))
        await pilot.press("tab", "l", "l")
        await until(pilot, lambda: says(app, "3 of 4  00003-7.png"))
        await until(pilot, lambda: says(app, "Seed: 7, Size: 64x72"))
        assert says(app, "▸ 3  seed 7")
        await pilot.press("enter")
        await until(pilot, lambda: pane(app).mode == "one")
        assert not says(app, "seed 6")
        await pilot.press("escape")
        await until(pilot, lambda: pane(app).mode == "grid")
        await pilot.press("c")
        await until(pilot, lambda: says(app, "held  3  seed 7"))
        assert says(app, "4  seed 8")
        await pilot.press("h")
        await until(pilot, lambda: pane(app).at == 1)
        await pilot.press("c", "G")
        await until(pilot, lambda: says(app, "4 of 4"))
        assert app.screen.query_one("#text", Static).size.height == 3


async def test_settings_of_a_picture_are_taken_over(tmp_path: Path, pictures: Path, started: list[SampleTask]) -> None:
    app = app_on(tmp_path, target=pictures)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "1 of 4  00001-5.png"))
        await pilot.press("t")
        own = SampleTask("starter", ("a cat",), negative="fog", width=64, height=72, steps=9, cfg=3.0, seed=5)
        await until(pilot, lambda: form(app).asked == own)
        await pilot.press("r")
        await until(pilot, lambda: bool(started))
        assert started[0].seed != 5
        assert replace(started[0], seed=5) == own


async def test_a_picture_from_elsewhere_is_taken_over_by_its_text(tmp_path: Path, pictures: Path) -> None:
    (pictures / "00001-5.json").unlink()
    app = app_on(tmp_path, target=pictures)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "1 of 4  00001-5.png"))
        form(app).show(SampleTask("mine", clip_skip=2))
        await pilot.press("t")
        made = SampleTask(
            "mine",
            ("a cat",),
            negative="fog",
            width=64,
            height=72,
            steps=9,
            cfg=3.0,
            sampler="euler",
            seed=5,
            clip_skip=2,
        )
        await until(pilot, lambda: form(app).asked == made)


async def test_older_folders_and_a_list_of_them(tmp_path: Path, pictures: Path) -> None:
    newer = tmp_path / "samples" / "b"
    newer.mkdir()
    put(newer, 1, 50)
    app = app_on(tmp_path, target=newer)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "1 of 1  00001-50.png"))
        await pilot.press("full_stop")
        await until(pilot, lambda: says(app, "1 of 4  00001-5.png"))
        await pilot.press("full_stop")
        await until(pilot, lambda: told(app, "these are the oldest pictures"))
        await pilot.press("o")
        await until(pilot, lambda: says(app, "b   1 picture"))
        await pilot.press("g", "enter")
        await until(pilot, lambda: says(app, "1 of 1  00001-50.png"))


async def test_a_narrow_window_shows_one_half_at_a_time(tmp_path: Path, pictures: Path) -> None:
    app = app_on(tmp_path, target=pictures)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: says(app, "1 of 4  00001-5.png"))
        await until(pilot, lambda: says(app, "i form") and not says(app, "draws with"))
        await pilot.press("tab")
        await until(pilot, lambda: says(app, "draws with") and not says(app, "1 of 4"))
        await until(pilot, lambda: says(app, "i pictures"))
        await pilot.press("tab", "l")
        await until(pilot, lambda: says(app, "2 of 4  00002-6.png"))


async def test_ascii_draws_nothing_else(tmp_path: Path, pictures: Path) -> None:
    app = SdtuiApp(tmp_path, start="samples", target=pictures, settings=Settings(ascii=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: says(app, "> 1  seed 5"))
        assert all(row.isascii() for row in screen_text(app))


async def test_a_run_on_home_is_what_is_drawn_with(tmp_path: Path, run: RunFolder) -> None:
    app = SdtuiApp(tmp_path, start="home")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "city-20260101-120000"))
        await until(pilot, lambda: says(app, "▸ city-20260101-120000"))
        await pilot.press("5")
        await until(pilot, lambda: header(app, " sdtui  samples") and says(app, "run city-20260101-120000"))
        assert form(app).asked.source == str(run.path)


async def test_the_form_and_the_folder_are_remembered(tmp_path: Path, pictures: Path) -> None:
    app = app_on(tmp_path, target=pictures)
    asked = SampleTask("starter", ("a cat",), loras=("/ink:0.5",), cfg=2.5, seed=3)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "1 of 4"))
        form(app).show(asked)
        await pilot.press("1")
        await until(pilot, lambda: header(app, " sdtui  home"))
    app = app_on(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "1 of 4"))
        assert form(app).asked == asked
