from __future__ import annotations

import re
from pathlib import Path

import pytest

from sdtui.cli import app, demo, main
from sdtui.runs import launch, registry
from sdtui.starter import demo as starter
from tests.cli.conftest import Workspace, interrupted_while_starting


@pytest.fixture(autouse=True)
def model(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake trainer needs no weights."""
    monkeypatch.setattr(starter, "MODEL", workspace.folder / "model")
    short = re.sub(r"(?m)^steps = \d+", "steps = 3", starter._template().read_text())
    (workspace.folder / "template").write_text(short)
    monkeypatch.setattr(starter, "_template", lambda: workspace.folder / "template")


def test_headless_runs_to_the_end_and_says_where_everything_is(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = Path("/r/step-000000/00.png"), Path("/r/step-000003/00.png")
    monkeypatch.setattr(starter, "compare", lambda _run, _workspace: starter.Comparison([before], [after], 0, 1))
    assert main(["demo", "--headless", "--dir", "try"]) == 0
    out, err = capsys.readouterr()
    made = workspace.folder / "try"
    (run,) = (made / "runs").iterdir()
    assert err.startswith(f"workspace: {made}\n")
    assert f"{run.name} finished: 3 steps" in err
    assert f"adapter          {run}/output/fake.safetensors" in out
    assert "before           /r/step-000000" in out
    assert f"side by side     {made}/before-after.png" in out
    assert "linocut style    0 of 1 previews before, 1 of 1 after" in out
    assert f"next: sdtui {made}" in out


def test_an_interrupt_between_start_and_following_stops_the_run(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    template = workspace.folder / "template"
    template.write_text(re.sub(r"(?m)^steps = \d+", "steps = 100000", template.read_text()))
    interrupted_while_starting(monkeypatch, "begin")
    assert main(["demo", "--headless", "--dir", "try"]) == 130
    (info,) = registry.list_runs(workspace.folder / "try" / "runs")
    assert (info.state, info.held) == ("stopped", False)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"go on with it: sdtui resume {info.run.name}" in err


def test_a_second_demo_goes_on_in_the_same_workspace(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "compare", lambda _run, _workspace: None)
    assert main(["demo", "--headless"]) == 0
    assert main(["demo", "--headless"]) == 0
    assert len(list((workspace.folder / "sdtui-demo" / "runs").iterdir())) == 2


def test_on_a_terminal_the_app_opens_on_the_run(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path, str, Path]] = []

    def open_app(folder: Path, *, start: str, target: Path) -> int:
        opened.append((folder, start, target))
        return 0

    monkeypatch.setattr(demo, "_on_terminal", lambda: True)
    monkeypatch.setattr(app, "open_app", open_app)
    monkeypatch.setattr(launch, "begin", lambda _run: None)
    assert main(["demo"]) == 0
    folder = workspace.folder / "sdtui-demo"
    (run,) = (folder / "runs").iterdir()
    assert opened == [(folder, "monitor", run)]


def test_a_folder_with_something_else_is_wrong_input(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--dir", str(workspace.folder / "images")]) == 2
    assert "the demo overwrites nothing" in capsys.readouterr().err
