"""`sdtui captions DIR`: the review screen on one folder of images."""

from __future__ import annotations

import argparse
from pathlib import Path

from sdtui.cli.app import add_screen_options, open_app
from sdtui.errors import UserError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("dir", metavar="DIR", help="the folder of images and caption files")
    parser.add_argument("--read-only", action="store_true", help="look only: no caption can be changed")
    add_screen_options(parser)


def run(args: argparse.Namespace) -> int:
    """Open the app on the captions screen; returns when it is closed."""
    folder = Path(args.dir)
    if not folder.is_dir():
        raise UserError("not a folder", where=str(folder))
    return open_app(
        Path.cwd(),
        start="captions",
        target=folder.resolve(),
        ascii_only=args.ascii,
        theme=args.theme,
        read_only=args.read_only,
    )
