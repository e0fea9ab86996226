"""Pictures drawn as a job: the same as the sampler's, kept when they are there, stopped between steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from sdtui.models.family import Model, Reading, load_model
from sdtui.models.sampling import sample
from sdtui.runs import control
from sdtui.runs.events import EventReader
from sdtui.runs.job import Job
from sdtui.runs.layout import RunFolder
from sdtui.tools.axes import Checkpoints, parse_axis
from sdtui.tools.drawing import Drawing, Drawn, Grid, grids
from sdtui.tools.picture import Picture
from tests.support.tiny import shallow_pipeline


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = shallow_pipeline(tmp_path_factory.mktemp("base"))
    return load_model(folder, None, torch.device("cpu"), torch.float32)


def picture(**values: Any) -> Picture:
    text = "a (red:1.3) cat"
    return replace(Picture(text, text, "blue", 64, 64, 2, 5.0, 7, "euler"), **values)


def draw(model: Model, folder: Path, wanted: Sequence[Grid], *, sheets: bool = False, **heard: Any) -> bool:
    """Draw it as the command does; False when it was stopped."""
    with Job(folder, "sample") as job:
        Drawing(model, job, **heard).draw(wanted, sheets=sheets)
    return not job.stopped


def pixels(file: Path) -> bytes:
    with Image.open(file) as image:
        return image.tobytes()


def test_pictures_say_how_they_were_made(model: Model, tmp_path: Path) -> None:
    drawn: list[Drawn] = []
    steps: list[tuple[int, ...]] = []
    wanted = grids([picture(), picture(seed=8)], None, None)
    assert draw(model, tmp_path, wanted, on_picture=drawn.append, on_step=lambda *at: steps.append(at))
    assert [one.file.name for one in drawn] == ["00001-7.png", "00002-8.png"]
    assert steps == [(0, 2, 1, 2), (0, 2, 2, 2), (1, 2, 1, 2), (1, 2, 2, 2)]
    mine = sample(
        model, "a (red:1.3) cat", "blue", width=64, height=64, steps=2, guidance=5, seed=7, sampler="euler",
        reading=Reading(weighted=True),
    )  # fmt: skip
    assert pixels(drawn[0].file) == mine.tobytes()
    with Image.open(drawn[0].file) as image:
        told: Any = image.info
    assert told["parameters"].splitlines()[:2] == ["a (red:1.3) cat", "Negative prompt: blue"]
    assert told["seed"] == "7"
    beside = json.loads((tmp_path / "00001-7.json").read_text())
    assert (beside["guidance"], beside["model"], beside["adapters"]) == (5.0, model.name, [])


def test_events_tell_of_each_picture(model: Model, tmp_path: Path) -> None:
    draw(model, tmp_path, grids([picture()], None, None))
    events = [
        event for event in EventReader(tmp_path / "events.jsonl").poll() if event["kind"] in {"sample", "progress"}
    ]
    told = {key: events[1][key] for key in ("index", "path", "prompt", "seed", "kept")}
    assert told == {"index": 1, "path": "00001-7.png", "prompt": "a (red:1.3) cat", "seed": 7, "kept": False}
    assert [(event["done"], event["total"], event["unit"]) for event in (events[0], events[2])] == [
        (0, 1, "images"),
        (1, 1, "images"),
    ]


def test_what_is_there_is_kept_and_what_differs_drawn_again(model: Model, tmp_path: Path) -> None:
    wanted = grids([picture(), picture(seed=8)], None, None)
    draw(model, tmp_path, wanted)
    first = (tmp_path / "00001-7.png").stat().st_mtime_ns
    (tmp_path / "00002-8.png").unlink()
    drawn: list[Drawn] = []
    draw(model, tmp_path, wanted, on_picture=drawn.append)
    assert [one.kept for one in drawn] == [True, False]
    assert (tmp_path / "00001-7.png").stat().st_mtime_ns == first
    drawn.clear()
    draw(model, tmp_path, grids([picture(guidance=6.0)], None, None), on_picture=drawn.append)
    assert [one.kept for one in drawn] == [False]


def test_a_stop_ends_it_between_steps_and_leaves_whole_pictures(model: Model, tmp_path: Path) -> None:
    def stop(made: Drawn) -> None:
        if not drawn:
            control.send(RunFolder(tmp_path), "stop")
        drawn.append(made)

    drawn: list[Drawn] = []
    many = [picture(seed=seed, steps=40) for seed in range(12)]
    assert not draw(model, tmp_path, grids(many, None, None), sheets=True, on_picture=stop)
    files = sorted(file.name for file in tmp_path.glob("*.png"))
    assert 1 <= len(files) < 12
    assert files == [one.file.name for one in drawn]


def test_a_sheet_has_every_picture_in_its_place(model: Model, tmp_path: Path) -> None:
    across, down = (parse_axis(text, Checkpoints()) for text in ("seed=1,2,3", "cfg=1,5"))
    draw(model, tmp_path, grids([picture()], across, down), sheets=True)
    with Image.open(tmp_path / "grid-01.png") as sheet:
        left, top = sheet.width - 3 * 72, sheet.height - 2 * 72
        for number, file in enumerate(sorted(tmp_path.glob("0*.png"))):
            place = (left + number % 3 * 72, top + number // 3 * 72)
            assert sheet.crop((*place, place[0] + 64, place[1] + 64)).tobytes() == pixels(file)
