"""`sdtui import`: what other programs made, each kind in a module of its own."""

from __future__ import annotations

import argparse

from sdtui.cli import import_scores, kohya


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what can be imported."""
    kinds = parser.add_subparsers(dest="program", required=True, metavar="WHAT")
    profile = kinds.add_parser(
        "kohya",
        help="settings of sd-scripts or kohya_ss, as a profile",
        description="Make a profile.",
        allow_abbrev=False,
    )
    kohya.configure_import(profile)
    profile.set_defaults(do=kohya.run)
    scores = kinds.add_parser(
        "scores", help="tags and scores of other taggers", description="Store scores.", allow_abbrev=False
    )
    import_scores.configure(scores)
    scores.set_defaults(do=import_scores.run)


def run(args: argparse.Namespace) -> int:
    """Import; return the exit code."""
    code: int = args.do(args)
    return code
