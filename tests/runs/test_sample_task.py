"""What was asked of `sdtui sample`, in a folder: written, read again, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.errors import UserError
from sdtui.runs.sample_task import SampleTask, is_sample_folder, read_task, write_task

TASK = SampleTask(
    "/runs/lora", ("a cat --d 4", "-- a dog"), ("/ink.safetensors:0.5",), ("/loras",), ("/words",), "fog", 64, None, 12,
    3.5, "euler", 0, 2, 2, "strength=0-1 [5]", "", "/vae", "cpu", "bf16",
)  # fmt: skip


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert not is_sample_folder(tmp_path)
    write_task(tmp_path, TASK)
    assert is_sample_folder(tmp_path)
    assert read_task(tmp_path) == TASK


def test_the_command_line_says_all_of_it() -> None:
    assert TASK.arguments() == [
        "--lora", "/ink.safetensors:0.5", "--loras", "/loras", "--embeddings", "/words", "--negative=fog", "--width=64",
        "--steps=12", "--cfg=3.5", "--sampler=euler", "--seed=0", "--count=2", "--clip-skip=2", "--x=strength=0-1 [5]",
        "--vae=/vae", "--device=cpu", "--precision=bf16", "--", "/runs/lora", "a cat --d 4", "-- a dog",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "was written by a newer sdtui"),
        ({"prompts": "a cat"}, "is damaged: prompts is 'a cat'"),
        ({"steps": None}, "is damaged: steps is None"),
        ({"steps": True}, "is damaged: steps is True"),
        ({"source": ""}, "is damaged: it names no model"),
    ],
    ids=["newer", "prompts", "no steps", "yes steps", "no source"],
)
def test_what_is_no_task_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    write_task(tmp_path, TASK)
    told = json.loads((tmp_path / "task.json").read_text())
    (tmp_path / "task.json").write_text(json.dumps(told | change))
    with pytest.raises(UserError, match=message):
        read_task(tmp_path)


def test_a_file_that_is_no_json_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        read_task(tmp_path)
