"""The tagger as a process of its own: followed to its end, stopped, and failing in words."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.runs.figures import Progress
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.starter.demo import IMAGES
from sdtui.tagging.scores import scores_of
from sdtui.tui.captions.tagging_job import TaggingJob, _words_of, usable


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in ("fox.png", "key.png"):
        shutil.copy(IMAGES / name, tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"junk")
    return tmp_path


def test_images_are_scored_and_those_that_were_are_passed_over(images: Path) -> None:
    job = TaggingJob(images, "starter")
    assert job.words == "starting starter"
    assert job.follow_slowly(lambda: True) == "2 images scored, 1 cannot be read"
    assert len(scores_of(images).table()) == 2
    again = TaggingJob(images, "starter")
    assert again.follow_slowly(lambda: True) == "0 images scored, 2 before, 1 cannot be read"


def test_how_far_it_is_how_fast_and_what_holds_it_up() -> None:
    progress = Progress("tagging", 1200, 3000, "images")
    assert _words_of(progress) == "scoring 1 200 of 3 000"
    assert _words_of(replace(progress, per_second=7.53)) == "scoring 1 200 of 3 000, 7.5/s"
    held_up = replace(progress, per_second=7.53, note="429 Too Many Requests: again in 4 s")
    assert _words_of(held_up) == "scoring 1 200 of 3 000, 429 Too Many Requests: again in 4 s"


def test_nobody_listening_leaves_it_alone(images: Path) -> None:
    assert TaggingJob(images, "starter").follow_slowly(lambda: False) == ""
    view = RunView(RunFolder(images / ".sdtui" / "jobs" / "tag-starter"))
    while not view.over:
        time.sleep(0.02)
        view.refresh()
    view.close()
    assert len(scores_of(images).table()) == 2


def test_it_is_stopped_once_it_has_begun(images: Path) -> None:
    job = TaggingJob(images, "starter")
    job.stop()
    assert job.words == "stopping the tagger"
    # So small a job may have ended by the time it looks for commands.
    assert job.follow_slowly(lambda: True).split(",")[0] in {"0 images scored", "2 images scored"}


def test_a_tagger_that_is_none_is_told(images: Path) -> None:
    with pytest.raises(UserError, match="there is no tagger no such thing"):
        TaggingJob(images, "no such thing").follow_slowly(lambda: True)


def test_taggers_that_were_used_here_come_first(images: Path) -> None:
    assert usable(images) == ["starter"]
    for number, (name, task) in enumerate({"a": {"tagger": "/models/wd"}, "b": {"tagger": "me/wd"}, "c": {}}.items()):
        path = images / ".sdtui" / "jobs" / f"tag-{name}" / "task.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(task))
        os.utime(path, (number, number))
    assert usable(images) == ["me/wd", "/models/wd", "starter"]
