"""`sdtui diff`: which settings two runs do not share, and what came of it."""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
from itertools import takewhile
from typing import Any

from sdtui.cli.progress import printable
from sdtui.cli.runs_dirs import add_run, add_runs_dir, find_run
from sdtui.errors import UserError
from sdtui.runs.layout import RunFolder
from sdtui.runs.series import SMOOTHING
from sdtui.runs.view import RunView

# Fewer characters of a value tell nothing, however narrow the terminal.
_LEAST = 16
_ABSENT = "(not set)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run(parser, "first")
    add_run(parser, "second")
    add_runs_dir(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare the frozen profiles, then steps and losses."""
    runs = [find_run(args, "first"), find_run(args, "second")]
    settings = differences(*(flatten(_profile(folder)) for folder in runs))
    outcomes = [_outcome(folder) for folder in runs]
    if args.json:
        from sdtui.cli.output import emit_json

        pairs = {key: list(pair) for key, pair in settings.items()}
        emit_json({"runs": [run.name for run in runs], "settings": pairs, "outcomes": outcomes})
        return 0
    rows = [("", runs[0].name, runs[1].name)]
    rows += [(key, _shown(one), _shown(other)) for key, (one, other) in settings.items()]
    told = [key for key in outcomes[0] if any(outcome[key] is not None for outcome in outcomes)]
    rows += [(key, _shown(outcomes[0][key]), _shown(outcomes[1][key])) for key in told]
    print(_table(rows, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))
    return 0


def flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys; the n-th table of a list has the key `name[n]`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for number, item in enumerate(value):
                flat |= flatten(item, f"{prefix}{key}[{number}].")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The keys whose values differ, in the order of the profile; None for a key that only one has."""
    keys = dict.fromkeys([*one, *other])
    return {key: (one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)}


def _profile(run: RunFolder) -> dict[str, Any]:
    try:
        return tomllib.loads(run.profile_file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"its profile cannot be read: {error}", where=str(run.profile_file)) from error


def _outcome(run: RunFolder) -> dict[str, Any]:
    view = RunView(run)
    view.refresh()
    curve = view.ema(SMOOTHING)
    return {
        "state": view.state,
        "steps": view.step,
        f"loss (smoothed {SMOOTHING})": round(curve[-1], 6) if curve else None,
        "validation loss": round(view.measurements[-1].loss, 6) if view.measurements else None,
        "seconds per step": _median(list(view.series.seconds)),
    }


def _median(values: list[float]) -> float | None:
    return round(sorted(values)[len(values) // 2], 4) if values else None


def _shown(value: Any) -> str:
    return _ABSENT if value is None else printable(str(value))


def _table(rows: list[tuple[str, str, str]], columns: int | None) -> str:
    """Three aligned columns; on a terminal of so many columns, values are cut so that where they differ still shows."""
    key_width = max(len(key) for key, _, _ in rows)
    if columns is not None:
        room = max(_LEAST, (columns - key_width - 4) // 2)
        rows = [(key, *_cut(one, other, room)) for key, one, other in rows]
    one_width = max(len(one) for _, one, _ in rows)
    return "\n".join(f"{key:<{key_width}}  {one:<{one_width}}  {other}".rstrip() for key, one, other in rows)


def _cut(one: str, other: str, room: int) -> tuple[str, str]:
    """Both in at most `room` characters, from a little before the first that differs."""
    if max(len(one), len(other)) <= room:
        return one, other
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    start = max(0, same - room // 4)
    return _window(one, start, room), _window(other, start, room)


def _window(text: str, start: int, room: int) -> str:
    if len(text) <= room:
        return text
    shown = f"…{text[start + 1 :]}" if start else text
    return shown if len(shown) <= room else f"{shown[: room - 1]}…"
