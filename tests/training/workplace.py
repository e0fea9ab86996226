"""A tiny model, a few images and a profile in a run folder: what the tests of whole runs start from."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import tomli_w
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sdtui.profile.load import freeze
from sdtui.profile.schema import Profile
from sdtui.runs import record
from sdtui.runs.events import Event, EventReader
from sdtui.runs.layout import RunFolder
from sdtui.training.__main__ import main
from tests.support.tiny import shallow_pipeline

COLOURS = ("red", "green", "blue", "gold", "purple", "teal", "olive", "navy")


def make_images(folder: Path, sizes: list[tuple[int, int]]) -> Path:
    """One image with a gradient and a caption for each size; none is a copy of one in a folder of another name."""
    folder.mkdir(parents=True, exist_ok=True)
    title = PngInfo()
    title.add_text("Title", folder.name)
    for number, (width, height) in enumerate(sizes):
        colour = COLOURS[number % len(COLOURS)]
        image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
        image.paste(colour, (width // 4, height // 4, width // 2, height // 2))
        image.save(folder / f"{number:02d}.png", pnginfo=title)
        (folder / f"{number:02d}.txt").write_text(f"a {colour} square, number {number}\n")
    return folder


def settings(folder: Path, changes: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """Profile data for the model and images in `folder`, with sections changed."""
    data: dict[str, Any] = {
        "name": "tiny",
        "model": {"base": str(folder / "model")},
        "method": {"rank": 2, "alpha": 2.0},
        # Buckets of 96 × 96, 128 × 64 and 64 × 128.
        "dataset": {
            "resolution": 96,
            "bucket_step": 32,
            "bucket_min": 64,
            "bucket_max": 128,
            "folders": [{"path": str(folder / "images")}],
        },
        "training": {"steps": 4, "batch_size": 2, "device": "cpu", "threads": 1, "seed": 3},
        "optimizer": {"learning_rate": 1e-3},
        "previews": {"at_start": False},
        "saving": {"min_free_mib": 0, "precision": "fp32"},
    }
    for section, values in (changes or {}).items():
        data[section] = {**data.get(section, {}), **values}
    return data


def make_workplace(folder: Path, sizes: list[tuple[int, int]] | None = None) -> Path:
    """`model/` and `images/` in `folder`: five squares and one wide image unless told otherwise.

    Beside them `kept/`, two squares and a wide one of an old house, and `masks/` for the first three images, white on
    the left.
    """
    shallow_pipeline(folder / "model")
    make_images(folder / "images", sizes or [(64, 64)] * 5 + [(128, 64)])
    for caption in make_images(folder / "kept", [(64, 64)] * 2 + [(128, 64)]).glob("*.txt"):
        caption.write_text("an old house\n")
    (folder / "masks").mkdir()
    for number in range(3):
        mask = Image.new("L", (64, 64))
        mask.paste(255, (0, 0, 32, 64))
        mask.save(folder / "masks" / f"{number:02d}.png")
    return folder


def make_run(folder: Path, changes: Mapping[str, Mapping[str, Any]] | None = None) -> RunFolder:
    """A run folder with the frozen profile, ready to be trained."""
    run = RunFolder.create(folder / "runs", "tiny")
    profile = Profile.model_validate(settings(folder, changes))
    run.profile_file.write_text(freeze(profile, folder))
    record.write(run, record.RunRecord(state="starting"))
    return run


def rewrite(run: RunFolder, text: Mapping[str, Any]) -> None:
    """Replace the run's profile by other data, checked or not."""
    run.profile_file.write_text(tomli_w.dumps(dict(text)))


def start(run: RunFolder) -> ForkServerProcess:
    """The trainer of `run` as a process of its own, forked from a server that has the libraries loaded."""
    process = SERVER.Process(target=_train, args=(str(run.path), dict(os.environ)))
    process.start()
    return process


def _train(run: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    with (Path(run) / "log.txt").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.exit(main([run]))


SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.training.server"])


def events(run: RunFolder, kind: str = "") -> list[Event]:
    """The run's events, all or of one kind."""
    return [event for event in EventReader(run.events_file).poll() if kind in {"", event["kind"]}]


def wait_for(condition: Callable[[], object], what: str, process: ForkServerProcess | None = None) -> None:
    """Wait until `condition` holds; fails when the process ends first or it takes more than two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        assert process is None or process.is_alive(), f"the trainer ended with {process.exitcode} before {what}"
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        time.sleep(0.01)
