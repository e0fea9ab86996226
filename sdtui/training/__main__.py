"""`python -m sdtui.training RUN_DIR`: the trainer of one run, from taking its lock to the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sdtui.errors import SdtuiError
from sdtui.runs.control import Inbox
from sdtui.runs.layout import RunFolder
from sdtui.runs.lock import hold
from sdtui.training.failures import Interrupted, explain
from sdtui.training.report import Report
from sdtui.training.steering import Steering


def main(arguments: list[str]) -> int:
    """Train the run in the folder `arguments[0]`; 0 when it finished or was stopped, 1 or 2 when it failed."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m sdtui.training RUN_DIR\n")
        return 2
    run = RunFolder(Path(arguments[0]).absolute())
    try:
        with hold(run):
            report = Report(run)
            try:
                return _train(run, report)
            finally:
                report.close()
    except (SdtuiError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code if isinstance(error, SdtuiError) else 1


def _train(run: RunFolder, report: Report) -> int:
    """The run itself; whatever ends it is told once, in the event log and in log.txt."""
    steering = Steering(Inbox(run), report.control)
    steering.listen()
    try:
        # Read when OpenMP is loaded. Threads that spin for long while waiting starve each other on shared cores; threads
        # that sleep at once are slow on free ones. About 20 microseconds of spinning loses little on either.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        # Imported now: from here on a failing import has an event log to be told in.
        from sdtui.training.run import train

        report.end(train(run, report, steering), steering.stopping)
    except Interrupted:
        report.end("stopped", steering.stopping)
    except Exception as error:  # noqa: BLE001 - the last place that can tell the user
        if not isinstance(error, SdtuiError):
            report.log_traceback(error)
        problem = explain(error)
        report.error(problem, getattr(error, "images", None))
        report.end("failed", problem.message)
        return problem.exit_code
    finally:
        steering.refuse_waiting("the run has ended")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
