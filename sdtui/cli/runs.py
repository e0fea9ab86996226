"""`sdtui runs`: the runs of the workspace and their true state."""

from __future__ import annotations

import argparse
import sys
import time

from sdtui.cli.progress import duration, one_line, printable
from sdtui.cli.runs_dirs import add_runs_dir, runs_dir
from sdtui.runs.registry import RunInfo, list_runs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_runs_dir(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print a line per run, newest first."""
    folder = runs_dir(args)
    infos = list_runs(folder)
    if args.json:
        from sdtui.cli.output import emit_json

        emit_json({"folder": str(folder.resolve()), "runs": [as_json(info) for info in infos]})
        return 0
    if not infos:
        print(f"no runs in {folder}", file=sys.stderr)
    width = max((len(info.run.name) for info in infos), default=0)
    for info in infos:
        print(f"{printable(info.run.name):<{width}}  {info.state:<10}  {_progress(info):<15}  {_tail(info)}".rstrip())
    return 0


def as_json(info: RunInfo) -> dict[str, object]:
    """A run as scripts see it: times in unix seconds, null for what is unknown."""
    return {
        "name": info.run.name,
        "path": str(info.run.path.resolve()),
        "state": info.state,
        "reason": info.reason,
        "host": info.host or None,
        "step": info.step,
        "steps_total": info.steps_total,
        "loss": info.loss,
        "validation_loss": info.record.validation_loss if info.record else None,
        "eta_seconds": info.eta_seconds if info.live else None,
        "created": info.created,
        "changed": info.changed,
    }


def _progress(info: RunInfo) -> str:
    return f"{info.step}/{info.steps_total} steps" if info.steps_total else ""


def _tail(info: RunInfo) -> str:
    parts = [time.strftime("%Y-%m-%d %H:%M", time.localtime(info.created))]
    if info.loss is not None:
        parts.append(f"loss {info.loss:.4f} (smoothed)")
    if info.live and info.eta_seconds is not None:
        parts.append(f"ETA {duration(info.eta_seconds)}")
    if info.host:
        parts.append(f"on host {info.host}")
    if info.reason and info.state != "finished":
        parts.append(info.reason)
    return one_line("  ".join(parts))
