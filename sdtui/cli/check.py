"""`sdtui check`: every problem of a profile and of what it names, with its place and what to do about it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdtui.cli.output import emit_json, plural
from sdtui.profile.check import Report, check_file
from sdtui.profile.problem import ProfileError
from sdtui.profile.schema import Profile


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("profile", metavar="PROFILE", type=Path, help="a profile's TOML file")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help="check with a setting changed, e.g. --set training.steps=200 (may be given more than once)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the problems; 2 if one of them is an error."""
    from sdtui.dataset.findings import all_dataset_findings, dataset_findings
    from sdtui.models.preflight import JUDGES

    dataset = all_dataset_findings if args.json else dataset_findings
    report = check_file(args.profile, args.overrides, (*JUDGES, dataset))
    if args.json:
        emit_json({"path": str(args.profile), **as_json(report)})
    else:
        for problem in report.problems:
            print(problem)
        print(f"{args.profile}: {summary(report)}", file=sys.stderr)
    return 2 if report.errors else 0


def checked(path: Path, overrides: list[str]) -> Profile:
    """A profile without errors in itself, its base model and device, warnings told; the dataset is for the collector.

    Raises:
        ProfileError: the profile has errors; all are listed.
        UserError: the file cannot be read.
    """
    from sdtui.models.preflight import JUDGES

    report = check_file(path, overrides, JUDGES)
    for problem in report.warnings:
        print(problem, file=sys.stderr)
    if report.profile is None:
        raise ProfileError(path, report.problems)
    return report.profile


def as_json(report: Report) -> dict[str, object]:
    """The report for scripts: {"ok", "errors", "warnings", "problems": [...]}."""
    return {
        "ok": not report.errors,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "problems": [problem.as_json() for problem in report.problems],
    }


def summary(report: Report) -> str:
    """The report in a few words: "2 errors, 1 warning"; "no problems"."""
    counts = [(len(report.errors), "error"), (len(report.warnings), "warning")]
    return ", ".join(plural(count, noun) for count, noun in counts if count) or "no problems"
