"""`sdtui new`: a commented profile to start from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdtui.errors import UserError
from sdtui.files import write_atomic
from sdtui.profile.templates import KINDS, new_profile


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("kind", metavar="KIND", help=f"what to train: {', '.join(KINDS)}")
    parser.add_argument("-o", "--output", metavar="PROFILE.toml", type=Path, help="where to write it (default: stdout)")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(args: argparse.Namespace) -> int:
    """Write the profile, never over another one unless told to."""
    text = new_profile(args.kind)
    if args.output is None:
        print(text, end="")
        return 0
    if args.output.exists() and not args.force:
        raise UserError("the file exists", where=str(args.output), remedy="Name another, or give --force to replace it")
    write_atomic(args.output, text)
    print(f"wrote {args.output}: fill in the two paths, then `sdtui check {args.output}`", file=sys.stderr)
    return 0
