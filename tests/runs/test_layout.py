from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import SdtuiError
from sdtui.runs.layout import RunFolder

NOON = 1_767_268_800.0


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_every_path_is_where_the_protocol_says() -> None:
    run = RunFolder(Path("/w/runs/lora-1"))
    assert run.name == "lora-1"
    assert [
        str(path.relative_to(run.path))
        for path in (
            run.profile_file, run.run_json, run.lock_file, run.events_file, run.control_dir, run.log_file,
            run.preview_dir(200), run.checkpoint_dir(500), run.output_dir,
        )
    ] == [
        "profile.toml", "run.json", "lock", "events.jsonl", "control", "log.txt",
        "previews/step-000200", "checkpoints/step-000500", "output",
    ]  # fmt: skip


def test_create_names_the_folder_by_profile_and_local_time(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "runs", "lora", now=NOON)
    assert run.path == tmp_path / "runs" / "lora-20260101-120000"
    assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "control", "output", "previews"]


def test_runs_of_one_second_get_different_folders(tmp_path: Path) -> None:
    names = [RunFolder.create(tmp_path, "lora", now=NOON).name for _ in range(3)]
    assert names == ["lora-20260101-120000", "lora-20260101-120000-2", "lora-20260101-120000-3"]


def test_create_says_why_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(SdtuiError) as caught:
        RunFolder.create(tmp_path / "runs", "lora")
    assert caught.value.where == str(tmp_path / "runs")


def test_only_checkpoints_with_their_marker_count(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "lora")
    for step, complete in ((1_000_000, True), (500, True), (1000, False)):
        run.checkpoint_dir(step).mkdir()
        if complete:
            (run.checkpoint_dir(step) / "complete").touch()
    assert [step for step, _ in run.complete_checkpoints()] == [500, 1_000_000]
