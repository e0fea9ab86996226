"""A crash leaves a file to send and one line to read, never a page of local variables on the user's screen."""

from __future__ import annotations

import platform
import time
import traceback
from importlib.metadata import version
from pathlib import Path

from sdtui import __version__, paths
from sdtui.errors import SdtuiError
from sdtui.files import write_atomic


def write_crash(error: BaseException, screen: str = "") -> Path | None:
    """Write what happened to the state folder; the file's path, or None where even that cannot be written."""
    folder = paths.state_dir() / "crashes"
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    facts = [
        f"sdtui {__version__}, textual {version('textual')}, Python {platform.python_version()}, {platform.platform()}",
        f"screen: {screen or 'none'}",
    ]
    # Without local variables: they may hold captions, paths and tokens.
    text = "\n".join([*facts, "", *traceback.format_exception(error)])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except (OSError, SdtuiError):
        return None
    return path


def crash_line(error: BaseException, path: Path | None) -> str:
    """The one line left on the terminal."""
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    told = f"details in {path}" if path else "the details could not be written to the state folder"
    return f"sdtui stopped because of a fault of its own: {what}; {told}. Runs go on."
