"""`sdtui watch`: follow a run that goes on by itself."""

from __future__ import annotations

import argparse
import sys

from sdtui.cli.progress import follow
from sdtui.cli.runs_dirs import add_run, add_runs_dir, find_run


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run(parser)
    add_runs_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Follow until the run ends; Ctrl-C ends only the watching."""
    return follow([find_run(args)], sys.stdout, stop_on_interrupt=False)
