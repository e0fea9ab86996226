"""`python -m sdtui.training RUN_DIR`: the trainer of one run, from taking its lock to the exit code.

A run in several processes has one such trainer on each machine, which starts the others: those are this program, too.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

from sdtui import heap
from sdtui.errors import SdtuiError
from sdtui.profile.load import load_frozen
from sdtui.runs.control import Inbox
from sdtui.runs.layout import RunFolder
from sdtui.runs.lock import hold
from sdtui.training import place as places
from sdtui.training.failures import Interrupted, explain, headline
from sdtui.training.place import Place
from sdtui.training.report import Aside, Report
from sdtui.training.siblings import Siblings, Starter
from sdtui.training.steering import Nobody, Steering

_ENDED = "the run has ended"


def main(arguments: list[str]) -> int:
    """Train the run in the folder `arguments[0]`; 0 when it finished or was stopped, 1 or 2 when it failed."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m sdtui.training RUN_DIR\n")
        return 2
    run = RunFolder(Path(arguments[0]).absolute())
    place = places.inherited()
    if place is not None:
        return _help(run, place)
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
    siblings = Siblings(run, partial(_give_up, report, steering))
    try:
        _set_threading()
        siblings.start(places.launched(load_frozen(run.profile_file).launch))
        # Imported now: from here on a failing import has an event log to be told in.
        with heap.importing():
            from sdtui.training.crew import Crew
            from sdtui.training.run import train

        state = train(run, report, steering, Crew(siblings.place, siblings))
        siblings.ending()
        report.end(state, steering.stopping)
    except Interrupted:
        siblings.ending()
        report.end("stopped", steering.stopping)
    except Exception as error:  # noqa: BLE001 - the last place that can tell the user
        cause = siblings.blame(error)
        siblings.ending()
        siblings.tell_far(explain(cause))
        return _tell(report, cause)
    finally:
        steering.refuse_waiting(_ENDED)
    return 0


def _help(run: RunFolder, place: Place) -> int:
    """A process that another one started: it takes its part of the steps, and tells its starter why if it cannot."""
    starter = Starter(place)
    try:
        with heap.importing():
            from sdtui.training.crew import Crew
            from sdtui.training.run import train

        train(run, Aside(run), Steering(Nobody(), lambda *_: None), Crew(place))
    except Exception as error:  # noqa: BLE001 - the last place that can tell the starter
        if not isinstance(error, SdtuiError):
            Aside(run).log_traceback(error)
        starter.tell(explain(error))
        return explain(error).exit_code
    return 0


def _set_threading() -> None:
    # Both are read when OpenMP is loaded. Threads that spin for long while waiting starve each other on shared cores; threads
    # that sleep at once are slow on free ones. About 20 microseconds of spinning loses little on either.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # Where this is true a loaded machine gets fewer threads than were asked for, and a resumed run other last bits.
    os.environ["OMP_DYNAMIC"] = "false"


def _tell(report: Report, error: Exception) -> int:
    """Tell of what ended the run, to the world; its exit code."""
    if not isinstance(error, SdtuiError):
        report.log_traceback(error)
    problem = explain(error)
    report.error(problem, getattr(error, "images", None))
    report.end("failed", headline(problem.message))
    return problem.exit_code


def _give_up(report: Report, steering: Steering, problem: SdtuiError) -> None:
    """End a run whose own thread waits for a process that is gone."""
    code = _tell(report, problem)
    steering.refuse_waiting(_ENDED)
    report.close()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
