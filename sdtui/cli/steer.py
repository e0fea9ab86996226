"""`sdtui stop|pause|unpause|save|preview|set RUN`: a command to a living run, and its answer."""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from typing import Any

from sdtui.cli.runs_dirs import add_run, add_runs_dir, find_run
from sdtui.errors import SdtuiError, UserError
from sdtui.runs import control, record, registry
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.runs.watch import Watch

SETTABLE = ("previews.every", "learning_rate_factor")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; `set` takes one more."""
    add_run(parser)
    if parser.get_default("verb") == "set":
        parser.add_argument("assignment", metavar="KEY=VALUE", help=f"one of: {', '.join(SETTABLE)}")
    add_runs_dir(parser)
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=60.0, help="how long to wait for the answer (default: 60)"
    )


def run(args: argparse.Namespace) -> int:
    """Send it and wait for the run's answer."""
    arguments = _assignment(args.assignment) if args.verb == "set" else {}
    folder = find_run(args)
    status, message = steer(folder, args.verb, arguments, timeout=args.timeout)
    print(f"{folder.name}: {args.verb} {status}" + (f": {message}" if message else ""), file=sys.stderr)
    return 0 if status == "done" else 1


def steer(run: RunFolder, command: str, arguments: dict[str, Any], *, timeout: float) -> tuple[str, str]:
    """Send a command and return the run's answer: ("done" or "refused", what it says).

    Raises:
        UserError: the run is not alive; the message says what it is.
        SdtuiError: no answer came in time.
    """
    _require_steerable(run)
    view = RunView(run)
    view.refresh()
    with Watch([run.events_file, run.run_json]) as watch:
        identity = control.send(run, command, **arguments)
        deadline = time.monotonic() + timeout
        while identity not in view.answers:
            if view.over:
                raise SdtuiError(f"the run ended ({view.state}) before it answered", where=run.name)
            if time.monotonic() > deadline:
                raise SdtuiError(
                    f"no answer within {timeout:g} seconds; the command waits in control/ and is obeyed after the"
                    " current step, preview or save",
                    where=run.name,
                    remedy=f"Watch it: sdtui watch {run.name}",
                )
            watch.wait(min(1.0, timeout))
            view.refresh()
    return view.answers[identity]


def _require_steerable(run: RunFolder) -> None:
    info = registry.inspect(run)
    if info.steerable:
        return
    if info.state in record.ENDED:
        again = f"Go on with it: sdtui resume {run.name}" if info.resumable else ""
        raise UserError(f"already {info.state} at step {info.step}", where=run.name, remedy=again)
    if info.resumable:
        raise UserError(
            f"cannot be steered: {info.reason}", where=run.name, remedy=f"Go on with it: sdtui resume {run.name}"
        )
    raise UserError(f"cannot be steered: {info.reason or f'the run is {info.state}'}", where=run.name)


def _assignment(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    key = key.strip()
    if key not in SETTABLE or not equals:
        raise UserError(f"{text!r} cannot be set on a living run", remedy=f"KEY=VALUE with KEY {' or '.join(SETTABLE)}")
    try:
        return {"key": key, "value": tomllib.loads(f"value = {value}")["value"]}
    except tomllib.TOMLDecodeError:
        raise UserError(f"{value!r} is not a number", where=key) from None
