"""`sdtui demo`: the main job on the embedded starter, from a new workspace to a finished adapter and a measured change."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdtui.runs.layout import RunFolder


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--headless", action="store_true", help="print progress, also on a terminal")
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="the workspace to make or go on with (default: ./sdtui-demo)"
    )


def run(args: argparse.Namespace) -> int:
    """Make the workspace, start the run, show it, and say what came out."""
    from sdtui.starter.demo import make_workspace

    workspace = make_workspace(args.dir)
    print(f"workspace: {workspace}", file=sys.stderr)
    if args.headless or not _on_terminal():
        return _headless(workspace)
    started = _start(workspace)
    from sdtui.cli.app import open_app

    code = open_app(workspace, start="monitor", target=started.path)
    _report_if_over(started, workspace)
    return code


def _start(workspace: Path) -> RunFolder:
    from sdtui.dataset.collect import collect
    from sdtui.dataset.survey import survey
    from sdtui.profile.load import freeze, load_profile
    from sdtui.profile.plan import make_plan
    from sdtui.runs import launch
    from sdtui.starter.demo import PROFILE

    profile = load_profile(workspace / PROFILE)
    collection = collect(profile)
    collection.require(profile)
    plan = make_plan(profile, survey(profile, collection))
    prepared = launch.prepare(
        freeze(profile, workspace), Path(profile.launch.runs), profile.name,
        steps_total=plan.steps, dataset_digest=collection.digest,
    )  # fmt: skip
    launch.begin(prepared)
    return prepared


def _headless(workspace: Path) -> int:
    from sdtui.cli.progress import follow, interrupts

    with interrupts() as received:
        started = _start(workspace)
        code = follow([started], sys.stderr, stop_on_interrupt=True, received=received)
    if code == 0:
        _report(started, workspace)
    return code


def _report_if_over(started: RunFolder, workspace: Path) -> None:
    from sdtui.runs.view import RunView

    view = RunView(started)
    view.refresh()
    if view.state == "finished":
        _report(started, workspace)
    elif not view.over:
        print(f"the run goes on; look again with: sdtui {workspace}", file=sys.stderr)


def _report(started: RunFolder, workspace: Path) -> None:
    from sdtui.starter.demo import COMPARISON, NEW_STYLE, compare

    print("finished:")
    for adapter in sorted(started.output_dir.glob("*.safetensors")):
        print(f"  adapter          {adapter}")
    found = compare(started.path, workspace)
    if found:
        print(f"  before           {found.before[0].parent}")
        print(f"  after            {found.after[0].parent}")
        print(f"  side by side     {workspace / COMPARISON}  (above: before)")
        count = len(found.after)
        print(
            f"  {NEW_STYLE} style    {found.styled_before} of {count} previews before, {found.styled_after} of {count} after"
            " (same prompts and seeds, judged by a small classifier)"
        )
    print(f"next: sdtui {workspace}  (Monitor shows the run; edit demo.toml or images/ and train again)")


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
