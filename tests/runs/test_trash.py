from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.runs import lock, record, registry, trash
from sdtui.runs.layout import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "runs", "lora")
    record.write(made, record.RunRecord(state="finished"))
    (made.output_dir / "lora.safetensors").write_bytes(b"weights")
    return made


def test_a_deleted_run_can_be_brought_back_whole(run: RunFolder) -> None:
    runs = run.path.parent
    trashed = trash.trash(run)
    assert registry.list_runs(runs) == []
    assert trash.list_trash(runs) == [trashed]
    assert trash.restore(trashed) == run
    assert (run.output_dir / "lora.safetensors").read_bytes() == b"weights"
    assert trash.list_trash(runs) == []


def test_a_live_run_is_not_deleted(run: RunFolder) -> None:
    record.update(run, state="running")
    with lock.hold(run), pytest.raises(UserError, match="this run is running and cannot be deleted"):
        trash.trash(run)
    assert run.path.exists()


def test_a_damaged_run_may_be_deleted(run: RunFolder) -> None:
    run.run_json.write_text("{")
    trash.trash(run)
    assert not run.path.exists()


def test_restore_never_overwrites_and_knows_what_is_gone(run: RunFolder) -> None:
    trashed = trash.trash(run)
    run.path.mkdir()
    with pytest.raises(UserError, match="a run of this name exists again"):
        trash.restore(trashed)
    run.path.rmdir()
    assert trash.empty_trash(run.path.parent) == 1
    with pytest.raises(UserError, match="no longer in the trash"):
        trash.restore(trashed)


def test_a_move_that_fails_is_one_message(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(SdtuiError, match="Permission denied"):
        trash.trash(run)
    assert run.path.exists()
