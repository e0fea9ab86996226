"""Which run a command means: the RUN argument and the folders that runs are looked for in."""

from __future__ import annotations

import argparse
from pathlib import Path

from sdtui.runs import registry
from sdtui.runs.layout import RunFolder


def add_run(parser: argparse.ArgumentParser, name: str = "run") -> None:
    """Declare a positional RUN."""
    parser.add_argument(
        name, metavar="RUN", help="a run's folder, its name or the beginning of it, or `last` for the newest"
    )


def add_runs_dir(parser: argparse.ArgumentParser) -> None:
    """Declare `--runs`."""
    parser.add_argument("--runs", metavar="DIR", type=Path, help="folder of the runs (default: runs in the workspace)")


def runs_dir(args: argparse.Namespace) -> Path:
    """The runs folder: `--runs`, else `runs` here, else here if the runs lie in this very folder."""
    if args.runs is not None:
        return Path(args.runs)
    here = Path.cwd()
    if here.name == "profiles" and not (here / "runs").is_dir():
        return here.parent / "runs"
    return here / "runs" if (here / "runs").is_dir() or here.name != "runs" else here


def find_run(args: argparse.Namespace, name: str = "run") -> RunFolder:
    """The run an argument means.

    Raises:
        UserError: none, or more than one.
    """
    return registry.find(getattr(args, name), [runs_dir(args)])
