"""`sdtui [DIR]`: the full-screen app on a workspace."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from sdtui.errors import UserError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "dir", nargs="?", default=".", metavar="DIR", help="the workspace (default: the current folder)"
    )
    add_screen_options(parser)


def add_screen_options(parser: argparse.ArgumentParser) -> None:
    """What every command that opens the app takes."""
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--theme", default="", help="sdtui, sdtui-light, or the name of one of Textual's themes")


def run(args: argparse.Namespace) -> int:
    """Open the app; returns when it is closed."""
    return open_app(Path(args.dir), ascii_only=args.ascii, theme=args.theme)


def open_app(
    workspace: Path,
    *,
    start: str = "",
    target: Path | None = None,
    ascii_only: bool = False,
    theme: str = "",
    read_only: bool = False,
) -> int:
    """Run the app on `workspace` and return its exit code.

    Args:
        workspace: the folder with profiles and runs.
        start: the screen to begin with (`home`, `captions`, `monitor`, `profile`); empty: where it was left.
        target: what that screen shows: a profile, a folder of images or a run.
        ascii_only: as `--ascii`, beside the user's setting and a terminal that is not UTF-8.
        theme: instead of the user's theme.
        read_only: let no caption be changed.

    Raises:
        UserError: not a terminal, not a folder, or settings that cannot be used.
    """
    if not workspace.is_dir():
        raise UserError("not a folder", where=str(workspace))
    _prepare_environment()
    from dataclasses import replace

    from sdtui.tui.terminal import is_terminal

    if not is_terminal():
        raise UserError(
            "the app needs a terminal for input and output",
            remedy="Over ssh use `ssh -t`; in scripts use the commands in `sdtui --help`",
        )
    from sdtui.tui.app import SdtuiApp
    from sdtui.tui.literal import terminal_is_utf8
    from sdtui.tui.settings import read_settings

    settings = read_settings()
    settings = replace(
        settings,
        ascii=ascii_only or settings.ascii or not terminal_is_utf8(),
        theme=theme or settings.theme,
    )
    app = SdtuiApp(workspace.resolve(), start=start, target=target, settings=settings, read_only=read_only)
    # Textual swallows the failure of a crashed app unless its return code is passed on.
    app.run()
    return app.return_code or 0


def _prepare_environment() -> None:
    """What must be set before Textual is imported: nothing moves (a page of animated scrolling is 261 kB over SSH)."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    # The interpreter's default of 5 ms lets a busy worker hold a key press back; 1 ms keeps typing smooth.
    sys.setswitchinterval(0.001)
