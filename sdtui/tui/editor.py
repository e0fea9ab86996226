"""$EDITOR on a file: the app gives the terminal away and waits, blocked, until the editor is done.

Waiting asynchronously inside `suspend()` deadlocks Textual 8.2 as soon as any timer is live; a blocking wait stops the
event loop and with it every timer, which is exactly what is wanted while another program owns the terminal.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdtui.errors import UserError

if TYPE_CHECKING:
    from textual.app import App

# Editors that take `+LINE` before the file.
_TAKES_LINE = frozenset({"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "kak", "micro", "joe", "ne", "mg"})


def editor_command(path: Path, line: int | None = None) -> list[str]:
    """The user's editor ($VISUAL, $EDITOR, else nano or vi) on `path`, at `line` where the editor is known to take one.

    Raises:
        UserError: no editor is set or it is not installed.
    """
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(wanted)
    except ValueError as error:
        raise UserError(f"cannot be understood: {wanted}", where="$EDITOR", remedy="Close its quotes") from error
    if not words:
        words = [next((name for name in ("nano", "vi") if shutil.which(name)), "")]
    if not words[0] or not shutil.which(words[0]):
        found = f"the editor {words[0]!r} is not installed" if words[0] else "no editor is set"
        raise UserError(found, where="$EDITOR", remedy="Set it, for example: export EDITOR=nano")
    at = [f"+{line}"] if line and Path(words[0]).name in _TAKES_LINE else []
    return [*words, *at, str(path)]


def edit_file(app: App[Any], path: Path, line: int | None = None) -> None:
    """Open `path` in the user's editor and return when it closes.

    Raises:
        UserError: no editor, or it ended with an error.
    """
    command = editor_command(path, line)
    try:
        with nullcontext() if app.is_headless else app.suspend():
            code = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise UserError(f"cannot be started: {error.strerror}", where=command[0]) from error
    if code:
        raise UserError(f"the editor ended with exit code {code}", where=shlex.join(command))
