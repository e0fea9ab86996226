"""What there is to draw with: runs by what they made, base models, files in folders, folders of pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui.runs import record
from sdtui.runs.layout import ADAPTER, RunFolder
from sdtui.tui.samples import offered


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A workspace with a profile, runs of three kinds and a run that has made nothing."""
    (tmp_path / "base").mkdir()
    (tmp_path / "city.toml").write_text('[model]\nbase = "base"\n[method]\nkind = "lora"\n')
    for number, (kind, file) in enumerate(
        [("lora", "city.safetensors"), ("full", "whole.safetensors"), ("textual_inversion", "zzz.pt"), ("lora", "")]
    ):
        run = RunFolder(tmp_path / "runs" / f"run{number}-20260101-120000")
        run.make_folders()
        run.profile_file.write_text(f'[method]\nkind = "{kind}"\n')
        record.write(run, record.RunRecord(state="finished", created=100.0 - number))
        if file:
            (run.output_dir / file).touch()
    return tmp_path


def test_runs_with_a_result_come_first_then_models(work: Path) -> None:
    (work / "models").mkdir()
    (work / "models" / "mine.safetensors").touch()
    found = [(Path(each.value).name, each.words.split()[0]) for each in offered.sources(work)]
    assert found == [
        ("run0-20260101-120000", "run"),
        ("run1-20260101-120000", "run"),
        ("run2-20260101-120000", "run"),
        ("base", "model"),
        ("mine.safetensors", "model"),
        ("starter", "model"),
    ]


def test_what_runs_made_is_offered_for_what_it_is(work: Path) -> None:
    checkpoint = RunFolder(work / "runs" / "run0-20260101-120000").checkpoint_dir(1200)
    checkpoint.mkdir()
    (checkpoint / ADAPTER).touch()
    (checkpoint / "complete").touch()
    for place in ("loras/deep", "embeddings"):
        (work / place).mkdir(parents=True)
    (work / "loras" / "deep" / "ink.safetensors").touch()
    (work / "embeddings" / "face.webp").touch()
    (work / "embeddings" / "notes.txt").touch()
    assert [(each.name, each.words) for each in offered.additions(work)] == [
        ("loras", "adapter    city   of run0-20260101-120000"),
        ("loras", "adapter    step 1 200   of run0-20260101-120000"),
        ("words", "embedding  zzz   of run2-20260101-120000"),
        ("loras", "adapter    ink"),
        ("words", "embedding  face"),
    ]


def test_folders_of_pictures_newest_first(tmp_path: Path) -> None:
    assert offered.sample_folders(tmp_path) == []
    for number, name in enumerate(("a", "b", ".hidden")):
        place = tmp_path / "samples" / name
        place.mkdir(parents=True)
        for at in range(number + 1):
            (place / f"0000{at + 1}-5.png").touch()
        (place / "grid-01.png").touch()
        os.utime(place, (1_700_000_000 + number, 1_700_000_000 + number))
    found = offered.sample_folders(tmp_path)
    assert [(path.name, words.split("   ")[:2]) for path, words in found] == [
        ("b", ["b", "2 pictures"]),
        ("a", ["a", "1 picture"]),
    ]
