"""`sdtui train`: check, freeze, start detached, and follow."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from sdtui.cli import INTERRUPTED
from sdtui.cli.output import emit_json
from sdtui.cli.progress import follow, interrupts
from sdtui.profile.load import freeze
from sdtui.profile.plan import Plan, make_plan
from sdtui.profile.schema import Profile
from sdtui.runs import launch, registry, sequence
from sdtui.runs.layout import RunFolder


@dataclass(frozen=True, slots=True)
class Job:
    """A profile that may be trained: all checks are behind it."""

    path: Path
    profile: Profile
    frozen: str
    plan: Plan
    dataset_digest: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("profiles", metavar="PROFILE", nargs="+", type=Path, help="profiles, trained one after another")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help="change a setting for this run, e.g. --set training.steps=200 (may be given more than once)",
    )  # fmt: skip
    parser.add_argument("--detach", action="store_true", help="print the runs' folders and return at once")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, and do nothing")
    parser.add_argument("--json", action="store_true", help="with --detach or --dry-run: print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Check every profile before any is started."""
    jobs = [_checked(path, args.overrides) for path in args.profiles]
    if args.dry_run:
        return _tell(jobs, as_json=args.json)
    with interrupts() as received:
        runs = _start(jobs)
        if args.detach:
            _announce(runs, as_json=args.json)
            return INTERRUPTED if received else 0
        return follow_and_report(runs, received)


def follow_and_report(runs: list[RunFolder], received: list[int]) -> int:
    """Follow to the end; the finished files' paths go to stdout. `received`: since before the runs were started."""
    from sdtui.runs.view import RunView

    code = follow(runs, sys.stderr, stop_on_interrupt=True, received=received)
    for folder in runs:
        view = RunView(folder)
        view.refresh()
        for saved in view.outputs:
            print(folder.path / saved.path)
    return code


def _checked(path: Path, overrides: list[str]) -> Job:
    from sdtui.cli.check import checked
    from sdtui.cli.plan import measure
    from sdtui.dataset.collect import collect
    from sdtui.dataset.findings import dataset_lines
    from sdtui.dataset.survey import survey
    from sdtui.models.recognise import plan_parts

    profile = checked(path, overrides)
    collection = collect(profile)
    collection.require(profile)
    # What is left is tolerated by the profile's own settings, and still worth a line each.
    for tolerated in dataset_lines(profile, collection):
        print(tolerated, file=sys.stderr)
    plan = make_plan(profile, survey(profile, collection), measure(profile), plan_parts(profile))
    return Job(path, profile, freeze(profile, path.parent), plan, collection.digest)


def _start(jobs: list[Job]) -> list[RunFolder]:
    """One job is started here; several by a queue, which must not depend on this terminal."""
    if len(jobs) == 1:
        run = _prepared(jobs[0])
        launch.begin(run)
        return [run]
    queue = sequence.new_queue(Path(jobs[0].profile.launch.runs))
    runs = [_prepared(job, str(queue.path)) for job in jobs]
    sequence.start(queue, runs)
    return runs


def _prepared(job: Job, queue: str = "") -> RunFolder:
    return launch.prepare(
        job.frozen, Path(job.profile.launch.runs), job.profile.name, steps_total=job.plan.steps,
        dataset_digest=job.dataset_digest, queue=queue,
    )  # fmt: skip


def _announce(runs: list[RunFolder], *, as_json: bool) -> None:
    if as_json:
        states = [registry.inspect(run).state for run in runs]
        told = [{"name": run.name, "path": run.path, "state": state} for run, state in zip(runs, states, strict=True)]
        emit_json({"runs": told})
        return
    for folder in runs:
        print(folder.path)
    print(f"watch it with: sdtui watch {runs[0].path}", file=sys.stderr)


def _tell(jobs: list[Job], *, as_json: bool) -> int:
    from sdtui.cli import plan

    if as_json:
        plans = [{"path": job.path, "name": job.profile.name, **plan.as_json(job.plan)} for job in jobs]
        emit_json({"plans": plans})
        return 0
    for job in jobs:
        print("\n".join([f"{job.path}: nothing is wrong; nothing was done", *plan.describe(job.profile, job.plan)]))
    return 0
