"""`sdtui sample` started from the screen: in a process of its own that the screen only follows. Called in threads."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sdtui.errors import UserError
from sdtui.files import make_folder
from sdtui.runs.sample_task import SampleTask


def start(task: SampleTask, home: Path) -> Path:
    """Begin to draw into a new folder in `home`, and return it.

    Raises:
        UserError: the command refuses it, with what it said.
        SdtuiError: `home` cannot be written.
    """
    make_folder(home)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = itertools.chain([stamp], (f"{stamp}-{number}" for number in itertools.count(2)))
    folder = next(place for name in names if not (place := home / name).exists())
    _sdtui([*task_arguments(task, folder)], home)
    return folder


def task_arguments(task: SampleTask, folder: Path) -> list[str]:
    """What comes after `sdtui sample`."""
    return ["--detach", "--json", f"--output={folder}", *task.arguments()]


def go_on(folder: Path) -> None:
    """Begin to draw what is missing in a folder.

    Raises:
        UserError: the command refuses it, with what it said.
    """
    _sdtui([str(folder), "--detach", "--json"], folder.parent)


def _sdtui(arguments: Sequence[str], home: Path) -> None:
    """From the folder of pictures: in the user's a `random.py` might be imported in place of the real one."""
    command = [sys.executable, "-m", "sdtui", "sample", *arguments]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=home)
    if ended.returncode:
        raise UserError((ended.stderr.strip() or "it did not start").removeprefix("sdtui: "))
