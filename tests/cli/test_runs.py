from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui.cli import main, progress
from sdtui.runs import record
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from tests.cli.conftest import parsed


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    played: list[tuple[record.State, float | None]] = [("finished", 0.125), ("running", None)]
    for number, (state, measured) in enumerate(played):
        run = RunFolder(tmp_path / "runs" / f"lora-{number}")
        run.path.mkdir(parents=True)
        record.write(
            run,
            record.RunRecord(
                state=state, created=86_400.0 * number, step=5, steps_total=10, loss=0.25, validation_loss=measured
            ),
        )
        run.profile_file.write_text(f"[method]\nrank = {16 * (number + 1)}\n[[dataset.folders]]\npath = '/a'\n")
        with EventWriter(run.events_file) as events:
            events.write("step", step=5, loss=0.5 / (number + 1), seconds=0.25)
    broken = tmp_path / "runs" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    return tmp_path / "runs"


def test_a_line_per_run_newest_first(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("broken  unreadable")
    assert lines[0].endswith("run.json is damaged")
    assert lines[1].startswith("lora-1  killed      5/10 steps")
    assert lines[2].startswith("lora-0  finished    5/10 steps")
    assert lines[2].endswith("loss 0.5000 (smoothed)")


def test_json_for_scripts(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--json"]) == 0
    found = parsed(capsys.readouterr().out)
    assert found["folder"] == str(runs)
    finished = found["runs"][2]
    assert [run["validation_loss"] for run in found["runs"]] == [None, None, 0.125]
    assert {key: finished[key] for key in ("name", "state", "step", "steps_total", "loss", "host", "eta_seconds", "created")} == {
        "name": "lora-0", "state": "finished", "step": 5, "steps_total": 10, "loss": 0.5, "host": None,
        "eta_seconds": None, "created": 0.0,
    }  # fmt: skip


def test_the_loss_is_the_smoothed_one_that_watching_shows(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder(runs / "lora-0")
    with EventWriter(run.events_file) as events:
        for step in range(6, 2006):
            events.write("step", step=step, loss=(step * 7919 % 1000) / 1000, lr={"unet": 1e-4}, seconds=0.25)
        events.write("resumed", step=2001)
        events.write("step", step=2002, loss=9.0, seconds=0.25)
    view = RunView(run)
    view.refresh()
    shown = progress.status(view).split("  ")
    assert [part for part in shown if part.startswith("loss")] == ["loss 0.6594"]
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.splitlines()[2].endswith("loss 0.6594 (smoothed)")


def test_no_runs_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"no runs in {tmp_path}/runs\n")


def test_runs_are_found_from_inside_their_folder_and_from_profiles(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (runs.parent / "profiles").mkdir()
    for folder in (runs, runs.parent / "profiles"):
        monkeypatch.chdir(folder)
        assert main(["runs"]) == 0
        assert "lora-0" in capsys.readouterr().out
    monkeypatch.chdir("/")
    assert main(["runs", "--runs", str(runs)]) == 0
    assert "lora-0" in capsys.readouterr().out


def test_diff_shows_only_what_differs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "lora-0", "lora-1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "                      lora-0    lora-1",
        "method.rank           16        32",
        "state                 finished  killed",
        "steps                 5         5",
        "loss (smoothed 0.98)  0.5       0.25",
        "seconds per step      0.25      0.25",
    ]


def test_diff_tells_the_loss_of_held_out_images_where_a_run_has_one(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EventWriter(runs / "lora-1" / "events.jsonl") as events:
        events.write("validation", step=0, loss=0.75)
        events.write("validation", step=5, loss=0.125)
    assert main(["diff", "lora-0", "lora-1"]) == 0
    assert "validation loss       (not set)  0.125" in capsys.readouterr().out.splitlines()


def test_diff_as_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "lora-1" / "profile.toml").write_text("[[dataset.folders]]\npath = '/b'\n")
    assert main(["diff", "lora-0", "lora-1", "--json"]) == 0
    assert parsed(capsys.readouterr().out)["settings"] == {
        "method.rank": [16, None],
        "dataset.folders[0].path": ["/a", "/b"],
    }


def test_diff_of_a_run_without_profile_is_one_message(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "lora-0", "broken"]) == 2
    assert "its profile cannot be read" in capsys.readouterr().err


def test_diff_is_cut_to_a_terminals_width_where_the_values_differ(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    beginning = "a very long prompt about a castle, " * 10
    for number, animal in enumerate(("an owl in the tower, at night", "a fox")):
        prompts = f"[previews]\nprompts = ['{beginning}{animal}']\n"
        (runs / f"lora-{number}" / "profile.toml").write_text(prompts)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))
    assert main(["diff", "lora-0", "lora-1"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) > 600
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["diff", "lora-0", "lora-1"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    assert shown[1].split("  ")[-2:] == ["…tle, an owl in the tower, …", "…tle, a fox']"]
