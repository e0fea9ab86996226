"""Commands run in a workspace of their own; trainings are played by the fake trainer."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sdtui.runs import control, launch, lock, registry, sequence
from sdtui.runs.layout import RunFolder
from tests.runs.fake_trainer import MODULE
from tests.runs.fake_trainer import profile as played
from tests.runs.helpers import until
from tests.support.hollow import hollow_pipeline

PROFILE = """\
schema = 1
[model]
base = "model"
[[dataset.folders]]
path = "images"
[training]
steps = {steps}
"""


class Workspace:
    """A folder with a profile that passes every check, though its base model is empty."""

    def __init__(self, folder: Path) -> None:
        from PIL import Image

        self.folder = folder
        (folder / "images").mkdir()
        Image.new("RGB", (64, 64), "red").save(folder / "images" / "red.png")
        (folder / "images" / "red.txt").write_text("red")
        hollow_pipeline(folder / "model")

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def profile(self, name: str = "lora", steps: int = 3, more: str = "") -> str:
        (self.folder / f"{name}.toml").write_text(PROFILE.format(steps=steps) + more)
        return f"{name}.toml"

    def infos(self) -> list[registry.RunInfo]:
        return registry.list_runs(self.runs)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    for module, names in ((launch, ("begin", "resume")), (sequence, ("start",))):
        for name in names:
            monkeypatch.setattr(module, name, functools.partial(getattr(module, name), module=MODULE))
    monkeypatch.chdir(tmp_path)
    made = Workspace(tmp_path)
    yield made
    living = [info.run for info in made.infos() if info.steerable]
    for run in living:
        control.send(run, "stop")
    # Who is to obey looks into the folder, which goes now.
    until(lambda: not any(lock.is_held(run) for run in living), "the trainers to end")


@pytest.fixture
def command_line() -> list[str]:
    """The start of a command that runs sdtui in another process, trainings played by the fake trainer."""
    play = (
        "import functools\n"
        "from sdtui.cli import entry\n"
        "from sdtui.runs import launch\n"
        f"launch.begin = functools.partial(launch.begin, module={MODULE!r})\n"
        "entry()\n"
    )
    return [sys.executable, "-c", play]


def interrupted_while_starting(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """Ctrl-C is pressed when the trainer has just been started, and nobody follows it yet."""
    start = getattr(launch, verb)

    def press(run: RunFolder) -> None:
        start(run)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(launch, verb, press)


def interrupted_job(monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """The same of a job, which the fake trainer plays, slowly; the list holds it once it was started."""
    start_job, started = launch.start_job, list[RunFolder]()

    def press(folder: Path, kind: str, _module: str, *, before: Callable[[], None]) -> RunFolder:
        def leave() -> None:
            before()
            RunFolder(folder).profile_file.write_text(played(100_000, 0.01))

        started.append(start_job(folder, kind, MODULE, before=leave))
        os.kill(os.getpid(), signal.SIGINT)
        return started[0]

    monkeypatch.setattr(launch, "start_job", press)
    return started


def parsed(text: str) -> dict[str, Any]:
    found = json.loads(text)
    assert found["schema"] == 1
    return dict(found)
