from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import main
from sdtui.runs import control, record, registry
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import RunFolder
from sdtui.starter.demo import IMAGES
from sdtui.tagging.scores import scores_of
from tests.cli.conftest import interrupted_job
from tests.runs.helpers import ended


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("fox.png", "key.png"):
        shutil.copy(IMAGES / name, tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"junk")
    return tmp_path


def tag(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    assert main(["tag", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_images_are_scored_in_another_process_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tag(capsys, folder, "--tagger", "starter", "--dry-run")
    assert (plan["images"], plan["to_score"], plan["device"]) == (3, 3, "cpu")
    assert not (folder / ".sdtui").exists()
    first = tag(capsys, folder, "--tagger", "starter", "--device", "cpu", "--threads", "1")
    assert (first["scored"], first["skipped"], first["unreadable"]) == (2, 0, 1)
    assert len(scores_of(folder, "starter").table()) == 2
    second = tag(capsys, folder, "--tagger", "starter", "--device", "cpu", "--threads", "1")
    assert (second["scored"], second["skipped"], second["unreadable"]) == (0, 2, 1)
    assert tag(capsys, folder, "--tagger", "starter", "--dry-run", "--again")["to_score"] == 3


def test_a_tagger_that_is_none_is_said_with_its_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tag", str(folder), "--tagger", "nonsense"]) == 2
    assert "there is no tagger nonsense" in capsys.readouterr().err


def test_a_folder_without_images_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tag", str(tmp_path), "--tagger", "starter"]) == 2
    assert "no images here" in capsys.readouterr().err


def test_a_failure_is_told_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wd").mkdir()
    (folder / "wd" / "model.onnx").touch()
    assert main(["tag", str(folder), "--tagger", str(folder / "wd")]) == 2
    told = capsys.readouterr()
    assert told.err.count("there is no selected_tags.csv in it") == 1
    assert told.out == ""


def test_a_job_that_was_killed_says_how_it_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(place: Path, kind: str, *_: object, **__: object) -> RunFolder:
        place.mkdir(parents=True)
        run = RunFolder(place)
        record.write(run, record.RunRecord(kind=kind, state="running"))
        with EventWriter(run.events_file) as events:
            events.write("run", schema=1, run=kind, steps_total=0)
        return run

    monkeypatch.setattr("sdtui.runs.launch.start_job", killed)
    assert main(["tag", str(folder), "--tagger", "starter"]) == 1
    told = capsys.readouterr().err
    assert "tag-starter killed" in told
    assert told.endswith("the same command goes on where it stopped\n")


def test_an_interrupt_between_start_and_following_stops_the_job(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = interrupted_job(monkeypatch)
    assert main(["tag", str(folder), "--tagger", "starter"]) == 130
    info = registry.inspect(started[0])
    assert (info.state, info.held) == ("stopped", False)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith("the same command goes on where it stopped\n")


def test_a_detached_job_is_told_though_the_command_was_interrupted(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = interrupted_job(monkeypatch)
    assert main(["tag", str(folder), "--tagger", "starter", "--detach"]) == 130
    (job,) = started
    assert capsys.readouterr().out == f"{job.path}\nfollow it: sdtui watch {job.path}\n"
    assert registry.inspect(job).live
    control.send(job, "stop")
    assert ended(job).state == "stopped"
