"""What other programs do to a dataset while it is on the screen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from sdtui.tui.screens import captions
from tests.tui.captions.desk import SIZE, app_on, dataset, ready, screen_of
from tests.tui.stage import says, told, until


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return dataset(tmp_path / "images", {"bridge": b"city\n", "canal": b"city, boat\n", "tower": None})


def replaced(path: Path, raw: bytes) -> None:
    path.with_suffix(".new").write_bytes(raw)
    os.replace(path.with_suffix(".new"), path)


async def test_captions_that_are_not_on_the_screen(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "LOOK_SECONDS", 0.05)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await until(pilot, lambda: says(app, "3 images · 1 untagged"))
        replaced(images / "canal.txt", b"harbour\n")
        replaced(images / "tower.txt", b"harbour\n")
        await until(pilot, lambda: told(app, "changed on disk: read again"))
        await until(pilot, lambda: says(app, "3 images · 0 untagged"))
        model = screen_of(app).model
        assert model is not None
        await until(pilot, lambda: model.known.index.tag_counts() == {"city": 1, "harbour": 2})


async def test_an_edit_by_command(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "LOOK_SECONDS", 0.05)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        command = [sys.executable, "-m", "sdtui", "caption", "add", str(images), "night"]
        await asyncio.to_thread(subprocess.run, command, check=True, stderr=subprocess.DEVNULL)
        model = screen_of(app).model
        assert model is not None
        await until(pilot, lambda: model.known.index.tag_counts()["night"] == 3)


async def test_images_that_come(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "LOOK_SECONDS", 0.05)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        Image.new("RGB", (48, 32)).save(images / "water.png")
        await until(pilot, lambda: told(app, "images came or went in the folder; f5 reads it again"))
        await pilot.press("f5")
        await until(pilot, lambda: says(app, "4 images"))


async def test_what_we_write_ourselves_is_no_news(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "LOOK_SECONDS", 0.05)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        model = screen_of(app).model
        assert model is not None
        model.writer.edit_many_slowly(range(3), lambda text: f"{text}, night", "night")
        assert not model.writer.look_at_disk_slowly().captions


async def test_the_endings_in_use_are_said(images: Path) -> None:
    (images / "tower.png.caption").write_text("city")
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await until(pilot, lambda: says(app, ".txt + img.png.caption · 3 images · 0 untagged"))
