"""What was asked for, found again: for a picture in its folder and its file, for the form in the app's state."""

from __future__ import annotations

import json
from pathlib import Path

from sdtui.errors import UserError
from sdtui.runs.parameters import parse_parameters, read_parameters
from sdtui.runs.sample_task import TASK, SampleTask, read_task, task_of_json
from sdtui.tui.samples import form


def task_of(picture: Path, now: SampleTask) -> SampleTask | None:
    """The task that draws a picture again; None where its file does not say. Slow: it reads files.

    A picture of ours is told by what lies beside it, exactly; one from elsewhere by its own text.
    """
    try:
        facts = json.loads(picture.with_suffix(".json").read_bytes())
        if isinstance(facts, dict) and (picture.parent / TASK).is_file():
            return form.as_drawn(read_task(picture.parent), facts)
    except (OSError, ValueError, UserError):
        pass  # its own text says it, too
    text = read_parameters(picture)
    return form.taken_over(now, parse_parameters(text)) if text else None


def recalled(values: object) -> SampleTask:
    """From the state, as far as it is one."""
    try:
        return task_of_json(values, "the state") if isinstance(values, dict) else SampleTask("")
    except UserError:
        return SampleTask("")
