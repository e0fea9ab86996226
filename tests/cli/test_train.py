from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from sdtui.cli import main
from sdtui.runs import lock, registry
from tests.cli.conftest import Workspace, interrupted_while_starting, parsed
from tests.runs.helpers import ended, in_step, until

REPO = Path(__file__).parents[2]


def test_train_follows_to_the_end_and_prints_what_came_out(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", workspace.profile(), "--set", "training.steps=4"]) == 0
    (info,) = workspace.infos()
    out, err = capsys.readouterr()
    assert out == f"{info.run.path}/output/fake.safetensors\n"
    assert re.fullmatch(r"lora-\d{8}-\d{6}", info.run.name)
    assert f"{info.run.name} finished: 4 steps" in err
    assert "wrote output/fake.safetensors" in err
    assert (info.state, info.steps_total) == ("finished", 4)


def test_detach_returns_the_folder_at_once(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", workspace.profile(steps=100_000), "--detach"]) == 0
    (info,) = workspace.infos()
    assert capsys.readouterr().out == f"{info.run.path}\n"
    assert info.live


def test_several_profiles_are_queued_and_told_as_json(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", workspace.profile("a"), workspace.profile("b"), "--detach", "--json"]) == 0
    told = parsed(capsys.readouterr().out)["runs"]
    assert [run["name"].split("-")[0] for run in told] == ["a", "b"]
    assert told[1]["state"] == "queued"
    until(lambda: [info.state for info in workspace.infos()] == ["finished"] * 2, "both runs to finish")


def test_several_profiles_are_followed_one_after_another(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", workspace.profile("a"), workspace.profile("b")]) == 0
    assert [Path(line).parts[-3][0] for line in capsys.readouterr().out.splitlines()] == ["a", "b"]


def test_dry_run_changes_nothing(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(workspace.folder.rglob("*"))
    profile = workspace.profile()
    assert main(["train", profile, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("lora.toml: nothing is wrong; nothing was done\n")
    assert "3 = " in out
    assert main(["train", profile, "--dry-run", "--json"]) == 0
    (plan,) = parsed(capsys.readouterr().out)["plans"]
    assert (plan["name"], plan["steps"], plan["images"]) == ("lora", 3, 1)
    assert sorted(workspace.folder.rglob("*")) == sorted([*before, workspace.folder / profile])


def test_nothing_starts_when_one_of_the_profiles_is_wrong(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = workspace.profile("wrong", more="[method]\nrnak = 4\n")
    assert main(["train", workspace.profile(), wrong]) == 2
    assert "rnak" in capsys.readouterr().err
    assert workspace.infos() == []


def test_a_dataset_that_cannot_be_trained_is_refused(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.folder / "images" / "red.txt").unlink()
    assert main(["train", workspace.profile()]) == 2
    assert "no caption file" in capsys.readouterr().err
    assert workspace.infos() == []


def test_what_the_profile_tolerates_is_still_said(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.folder / "images" / "red.txt").unlink()
    assert main(["train", workspace.profile(), "--set", 'captions.on_missing="empty"']) == 0
    assert capsys.readouterr().err.count("no caption file") == 1


class Follower:
    """`sdtui train` in another process; what it says goes into a file."""

    def __init__(self, workspace: Workspace, command_line: list[str]) -> None:
        self._told = workspace.folder / "told.txt"
        with self._told.open("w") as told:
            self.process = subprocess.Popen(
                [*command_line, "train", workspace.profile(steps=100_000)], cwd=workspace.folder,
                stdout=subprocess.DEVNULL, stderr=told, env={**os.environ, "PYTHONPATH": str(REPO)},
            )  # fmt: skip
        until(lambda: [info.step > 0 for info in workspace.infos()] == [True], "the first step")
        self.run = workspace.infos()[0].run
        # It tells of the run for the first time once it listens to signals.
        until(lambda: self.run.name in self._told.read_text(), "the run to be followed")

    def ended(self) -> tuple[int, str]:
        """The exit code and what it said."""
        return self.process.wait(timeout=120), self._told.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_run_and_waits_until_it_has_saved(
    workspace: Workspace, command_line: list[str], number: signal.Signals
) -> None:
    follower = Follower(workspace, command_line)
    follower.process.send_signal(number)
    code, told = follower.ended()
    assert code == 130
    assert "stopping: the run saves first" in told
    assert registry.inspect(follower.run).state == "stopped"
    assert not lock.is_held(follower.run)


def test_hangup_ends_only_the_following(workspace: Workspace, command_line: list[str]) -> None:
    follower = Follower(workspace, command_line)
    follower.process.send_signal(signal.SIGHUP)
    follower.ended()
    in_step(follower.run, registry.inspect(follower.run).step + 5)
    assert registry.inspect(follower.run).state == "running"


def test_a_killed_trainer_is_a_failure(workspace: Workspace, command_line: list[str]) -> None:
    follower = Follower(workspace, command_line)
    os.kill(in_step(follower.run), signal.SIGKILL)
    code, told = follower.ended()
    assert code == 1
    assert "killed: its process ended without saying why" in told
    assert ended(follower.run).state == "killed"


def test_an_interrupt_between_start_and_following_stops_the_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted_while_starting(monkeypatch, "begin")
    assert main(["train", workspace.profile(steps=100_000)]) == 130
    (info,) = workspace.infos()
    assert info.state == "stopped"
    assert f"go on with it: sdtui resume {info.run.name}" in capsys.readouterr().err


def test_a_detached_run_is_told_though_the_command_was_interrupted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted_while_starting(monkeypatch, "begin")
    assert main(["train", workspace.profile(steps=100_000), "--detach"]) == 130
    (info,) = workspace.infos()
    assert info.live
    out, err = capsys.readouterr()
    assert out == f"{info.run.path}\n"
    assert err.endswith(f"watch it with: sdtui watch {info.run.path}\n")
