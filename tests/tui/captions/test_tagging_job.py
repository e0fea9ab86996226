"""The tagger as a process of its own: followed to its end, stopped, and failing in words."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.runs import record
from sdtui.runs.events import EventReader
from sdtui.runs.figures import Progress
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.starter.demo import IMAGES
from sdtui.tagging.scores import scores_of
from sdtui.tui.captions.tagging_job import TaggingJob, _listed, _parts, _words_of, usable


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in ("fox.png", "key.png"):
        shutil.copy(IMAGES / name, tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"junk")
    return tmp_path


def test_images_are_scored_and_those_that_were_are_passed_over(images: Path) -> None:
    job = TaggingJob(images, "starter")
    assert job.words == "starting starter"
    assert job.follow_slowly(lambda: True) == "2 images scored, 1 cannot be read\nbad.png"
    assert len(scores_of(images).table()) == 2
    again = TaggingJob(images, "starter")
    assert again.follow_slowly(lambda: True) == "0 images scored, 2 before, 1 cannot be read\nbad.png"


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


def test_a_tagger_that_failed_comes_last_with_its_options(images: Path) -> None:
    place = images / ".sdtui" / "jobs" / "tag-localhost"
    place.mkdir(parents=True)
    task = {"tagger": "http://localhost/v1", "model": "a b", "prompt": "", "terms": ["x.txt", "y.txt"]}
    (place / "task.json").write_text(json.dumps(task))
    record.write(RunFolder(place), record.RunRecord(kind="tagging", state="finished"))
    word = "http://localhost/v1 --model 'a b' --terms x.txt --terms y.txt"
    assert usable(images) == [word, "starter"]
    record.write(RunFolder(place), record.RunRecord(kind="tagging", state="failed", reason="no answer"))
    assert usable(images) == ["starter", word]
    assert _parts(word) == ("http://localhost/v1", ["--model", "a b", "--terms", "x.txt", "--terms", "y.txt"])
    assert _parts("/my models/wd v3 --prompt 'a") == ("/my models/wd v3", ["--prompt", "'a"])


def test_options_behind_the_tagger_reach_the_command(images: Path) -> None:
    assert TaggingJob(images, "starter --threads 1").follow_slowly(lambda: True).startswith("2 images scored")
    with pytest.raises(UserError, match="unrecognized arguments: --nonsense") as raised:
        TaggingJob(images, "starter --nonsense").follow_slowly(lambda: True)
    assert "usage" not in str(raised.value)
    with pytest.raises(UserError, match="these options start no job: --dry-run"):
        TaggingJob(images, "starter --dry-run").follow_slowly(lambda: True)


def test_a_job_that_fails_says_why_and_what_to_do(images: Path) -> None:
    (images / "wd").mkdir()
    (images / "wd" / "model.onnx").touch()
    with pytest.raises(SdtuiError, match=r"wd: there is no selected_tags\.csv in it\. model\.onnx and selected_tags"):
        TaggingJob(images, str(images / "wd")).follow_slowly(lambda: True)


def test_a_few_of_the_images_left_out_are_named() -> None:
    assert _listed([]) == []
    assert _listed([f"/x/{name}.png" for name in "abcdefg"]) == ["a.png, b.png, c.png, d.png, e.png and 2 more"]


class Answering(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that says the same of every image, and is busy the first time."""

    busy = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(429 if Answering.busy else 200)
        self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(json.dumps({"choices": [{"message": {"content": "a thing"}}]}).encode())
        Answering.busy = False

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_that_is_busy_is_waited_for_and_what_it_said_is_told(images: Path) -> None:
    Answering.busy = True
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        job = TaggingJob(images, f"http://127.0.0.1:{server.server_port}/v1 --model m")
        said = job.follow_slowly(lambda: True)
        server.shutdown()
    assert job.described
    assert said.startswith("2 images described, 1 cannot be read\nbad.png\n`sdtui tags apply DIR --description m-")
    (place,) = (images / ".sdtui" / "jobs").iterdir()
    notes = [event["note"] for event in EventReader(place / "events.jsonl").poll() if "note" in event]
    assert notes[0] == "429 Too Many Requests: again in 1 s"
