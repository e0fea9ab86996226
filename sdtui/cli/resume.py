"""`sdtui resume`: go on with an ended run from its last complete checkpoint, and follow."""

from __future__ import annotations

import argparse
import sys

from sdtui.cli import INTERRUPTED
from sdtui.cli.progress import interrupts
from sdtui.cli.runs_dirs import add_run, add_runs_dir, find_run
from sdtui.cli.train import follow_and_report
from sdtui.runs import launch


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run(parser)
    add_runs_dir(parser)
    parser.add_argument("--detach", action="store_true", help="print the run's folder and return at once")


def run(args: argparse.Namespace) -> int:
    """Start its trainer again."""
    folder = find_run(args)
    with interrupts() as received:
        launch.resume(folder)
        saved = folder.complete_checkpoints()
        start = f"step {saved[-1][0]}" if saved else "the beginning, for want of a complete checkpoint"
        print(f"{folder.name} goes on from {start}", file=sys.stderr)
        if args.detach:
            print(folder.path)
            return INTERRUPTED if received else 0
        return follow_and_report([folder], received)
