"""`sdtui plan --measure`: what a few real steps take."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tomli_w

from sdtui.cli import main, rehearsal
from sdtui.cli.plan import _rehearsed
from sdtui.cli.rehearsal import Rehearsed, read, shortened
from sdtui.profile.schema import Profile
from sdtui.runs import control, launch, lock
from sdtui.runs.layout import RunFolder
from tests.cli.conftest import Workspace
from tests.runs.fake_trainer import MODULE
from tests.runs.fake_trainer import profile as played
from tests.runs.helpers import in_step
from tests.training.workplace import make_workplace, settings

TAKEN = Rehearsed("cpu", "fp32", 2, 576 << 20, 0.25, 8.0)


def test_the_heaviest_and_the_speed_of_the_others_are_read() -> None:
    events: list[dict[str, Any]] = [
        {"kind": "run", "device": "cpu", "precision": "fp32", "threads": 2},
        {"kind": "step", "step": 1, "seconds": 9.0, "images": 4},
        {"kind": "stats", "memory": {"peak_mib": 576}},
        {"kind": "step", "step": 2, "seconds": 0.3, "images": 3},
        {"kind": "stats", "memory": {"peak_mib": 500}},
        {"kind": "step", "step": 3, "seconds": 0.2, "images": 1},
    ]
    assert read(events) == Rehearsed("cpu", "fp32", 2, 576 << 20, 0.25, 8.0)


def test_for_people() -> None:
    assert _rehearsed(TAKEN) == (
        "measured 576 MiB at the peak, 0.25 s a step, 8 images a second on cpu in fp32, 2 threads on the processor"
    )


def test_only_the_length_and_what_is_made_on_the_way_change(tmp_path: Path) -> None:
    profile = Profile.model_validate(
        {
            "model": {"base": "x"},
            "training": {"epochs": 9, "batch_size": 4},
            "schedule": {"rates": "1e-4:3, 1e-5"},
            "previews": {"prompts": ["a"], "every": 1},
            "saving": {"every_steps": 1},
            "validation": {"share": 0.5, "every_steps": 1},
        }
    )
    short = shortened(profile, tmp_path)
    assert (short.training.steps, short.training.epochs, short.training.batch_size) == (5, None, 4)
    assert (short.schedule.rates, short.previews.prompts, short.launch.runs) == ("", (), str(tmp_path))
    assert (short.saving.every_steps, short.validation.every_steps, short.validation.share) == (0, 0, 0.5)
    assert (short.method, short.dataset, short.optimizer) == (profile.method, profile.dataset, profile.optimizer)


@pytest.mark.parametrize("later", [False, True], ids=["while it starts", "in its steps"])
def test_an_interrupt_ends_the_trainer_before_its_folder_goes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, later: bool
) -> None:
    start, started, held = launch.start, list[RunFolder](), list[bool]()

    def press(_frozen: str, runs: Path, name: str, *, steps_total: int) -> RunFolder:
        started.append(start(played(100_000, 0.01), runs, name, steps_total=steps_total, module=MODULE))
        if later:
            in_step(started[0])
        os.kill(os.getpid(), signal.SIGINT)
        return started[0]

    class Watched(TemporaryDirectory[str]):
        def cleanup(self) -> None:
            held.append(lock.is_held(started[0]))
            super().cleanup()

    monkeypatch.setattr(launch, "start", press)
    monkeypatch.setattr(rehearsal, "TemporaryDirectory", Watched)
    assert main(["plan", workspace.profile(), "--measure"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    name = started[0].name
    assert err.endswith(f"ending {name}: nothing of it is kept\nsdtui: interrupted\n")
    assert "saves first" not in err
    assert "go on with it" not in err
    assert (held, started[0].path.parent.exists()) == ([False], False)
    assert workspace.infos() == []


def test_a_measurement_that_was_stopped_from_elsewhere_is_none_to_go_on_with(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start = launch.start

    def stopped(_frozen: str, runs: Path, name: str, *, steps_total: int) -> RunFolder:
        run = start(played(100_000, 0.01), runs, name, steps_total=steps_total, module=MODULE)
        control.send(run, "stop")
        return run

    monkeypatch.setattr(launch, "start", stopped)
    assert main(["plan", workspace.profile(), "--measure"]) == 130
    err = capsys.readouterr().err
    assert " stopped\n" in err
    assert "go on with it" not in err


def test_a_few_steps_of_the_real_trainer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_workplace(tmp_path)
    path = tmp_path / "tiny.toml"
    path.write_text(tomli_w.dumps({"schema": 1, **settings(tmp_path, {"training": {"steps": 400}})}))
    assert main(["plan", str(path), "--measure", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    measured = found["measured"]
    assert (measured["device"], measured["precision"], measured["threads"]) == ("cpu", "fp32", 1)
    assert measured["peak_bytes"] > 200 << 20
    # The plan's time follows from it.
    assert found["seconds"] == pytest.approx(found["epochs"] * found["samples"] / measured["images_per_second"])
    assert not (tmp_path / "runs").exists()
