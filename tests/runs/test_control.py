from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError
from sdtui.runs import control
from sdtui.runs.layout import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, "lora")


def test_commands_arrive_once_and_in_order(run: RunFolder) -> None:
    ids = [
        control.send(run, "pause"),
        control.send(run, "set", key="previews.every", value=50),
        control.send(run, "stop"),
    ]
    inbox = control.Inbox(run)
    taken = inbox.take()
    assert [(command.id, command.name, command.args) for command in taken] == [
        (ids[0], "pause", {}),
        (ids[1], "set", {"key": "previews.every", "value": 50}),
        (ids[2], "stop", {}),
    ]
    assert inbox.take() == []
    assert list(run.control_dir.iterdir()) == []


def test_the_file_is_what_the_protocol_says(run: RunFolder) -> None:
    identity = control.send(run, "stop")
    found = json.loads((run.control_dir / f"{identity}.json").read_text())
    assert (found["schema"], found["id"], found["command"], found["args"]) == (1, identity, "stop", {})


def test_a_file_that_is_being_written_is_left_alone(run: RunFolder) -> None:
    (run.control_dir / ".1.json.abc.tmp").write_text('{"comm')
    (run.control_dir / ".2.json").write_text("{}")
    assert control.Inbox(run).take() == []


@pytest.mark.parametrize("content", ["", "[]", '{"args": {}}', '{"command": "stop", "args": 5}', "\udcff", "[" * 10**5])
def test_a_damaged_command_arrives_without_a_name_so_that_it_is_answered(run: RunFolder, content: str) -> None:
    (run.control_dir / "7.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert control.Inbox(run).take() == [control.Command("7", "")]


def test_clear_drops_what_a_dead_process_left(run: RunFolder) -> None:
    control.send(run, "stop")
    control.Inbox(run).clear()
    assert control.Inbox(run).take() == []


def test_what_is_no_command_does_not_disturb(run: RunFolder) -> None:
    (run.control_dir / "folder.json").mkdir()
    identity = control.send(run, "save")
    inbox = control.Inbox(run)
    assert inbox.take() == [control.Command(identity, "save", {})]
    inbox.clear()


def test_an_inbox_without_its_folder_is_empty(tmp_path: Path) -> None:
    assert control.Inbox(RunFolder(tmp_path / "gone")).take() == []


def test_a_command_that_cannot_be_left_is_an_error(run: RunFolder) -> None:
    run.control_dir.rmdir()
    run.control_dir.write_text("in the way")
    with pytest.raises(SdtuiError):
        control.send(run, "stop")
