from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdtui.runs import record
from sdtui.runs.layout import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, "lora")


def test_a_record_survives_the_disk(run: RunFolder) -> None:
    written = record.RunRecord(
        state="paused", host="node7", pid=42, step=10, steps_total=20, loss=0.25, versions={"torch": "2.13"}
    )
    record.write(run, written)
    assert record.read(run) == written


def test_update_changes_some_fields_and_keeps_what_others_noted(run: RunFolder) -> None:
    run.run_json.write_text(json.dumps({"schema": 1, "state": "running", "note": "best so far"}))
    assert record.update(run, step=5).state == "running"
    found = json.loads(run.run_json.read_text())
    assert (found["step"], found["note"]) == (5, "best so far")


def test_a_missing_record_is_named(run: RunFolder) -> None:
    with pytest.raises(record.UnreadableRecordError, match=r"run\.json is missing"):
        record.read(run)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("", "damaged"),
        ('{"schema": 1', "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        ('{"schema": "1"}', "no schema number"),
        ('{"schema": true}', "no schema number"),
        ('{"schema": 1, "state": "dreaming"}', "state is 'dreaming'"),
        ('{"schema": 1, "step": "ten"}', "step is 'ten'"),
    ],
)
def test_a_damaged_record_says_what_is_wrong(run: RunFolder, content: str, cause: str) -> None:
    run.run_json.write_text(content)
    with pytest.raises(record.UnreadableRecordError, match=cause):
        record.read(run)


def test_a_record_from_the_future_is_refused(run: RunFolder) -> None:
    run.run_json.write_text('{"schema": 2, "mood": "fine"}')
    with pytest.raises(record.NewerSchemaError, match=r"newer sdtui \(run folder version 2; this one knows 1\)"):
        record.read(run)
