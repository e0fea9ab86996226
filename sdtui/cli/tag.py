"""`sdtui tag`: score the images of a folder with a tagger, in a process of its own that goes on where it was stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from sdtui.cli import INTERRUPTED
from sdtui.cli.output import emit_json, plural
from sdtui.cli.progress import follow
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.runs import launch
from sdtui.runs.events import EventReader
from sdtui.runs.layout import RunFolder
from sdtui.tagging.job import KIND, Task, job_folder, write_task
from sdtui.tagging.taggers import checked
from sdtui.tagging.taggers.base import Device

_MODULE = "sdtui.tagging"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of images")
    parser.add_argument(
        "--tagger",
        required=True,
        metavar="NAME",
        help="starter; a folder with model.onnx and selected_tags.csv, or the id of such a repository on the Hugging Face "
        "hub; TorchDeepDanbooru's .pt file; a DeepDanbooru project exported to ONNX",
    )
    parser.add_argument("--device", choices=get_args(Device), default="auto", help="default: a GPU where there is one")
    parser.add_argument(
        "--batch-size", type=int, default=0, metavar="N", help="images at once (default: by the device)"
    )
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of the processor (default: all)")
    parser.add_argument("--again", action="store_true", help="also images that this tagger has scored")
    parser.add_argument("--flat", action="store_true", help="leave out the folders inside DIR")
    parser.add_argument("--detach", action="store_true", help="start it and return at once; `sdtui watch` follows it")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be scored, and score nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Score, and follow it to its end; Ctrl-C stores what is done and stops."""
    library = Library.scan(args.folder, recursive=not args.flat)
    if not library:
        raise UserError(f"no images here: {library.why_empty()}", where=printable(args.folder))
    folder = args.folder.absolute()
    task = Task(str(folder), checked(args.tagger), args.device, args.batch_size, args.threads, args.again, args.flat)
    if args.dry_run:
        return _tell_plan(args, task, library)
    place = job_folder(task)
    job = launch.start_job(place, KIND, _MODULE, before=lambda: write_task(place, task))
    if args.detach:
        return _said(args, {"job": str(place)}, f"{place}\nfollow it: sdtui watch {place}")
    code = follow([job], sys.stderr, stop_on_interrupt=True)
    found = _outcome(job)
    if code == INTERRUPTED:
        print("the same command goes on where it stopped", file=sys.stderr)
    if found:
        _said(args, {"job": str(place), **found}, _words(found))
    return code


def _tell_plan(args: argparse.Namespace, task: Task, library: Library) -> int:
    """What would be scored; the tagger is opened, so that what is wrong with it is known."""
    from sdtui.tagging.scored_images import digests_of
    from sdtui.tagging.scores import Scores
    from sdtui.tagging.taggers import open_tagger
    from sdtui.tagging.taggers.base import Where

    tagger = open_tagger(task.tagger, Where(task.device, task.threads))
    table = Scores.of(library.folder, tagger.facts).table()
    rows = table.rows_of(digests_of(library))
    missing = len(library) if task.again else int((rows < 0).sum())
    facts = {"tagger": tagger.facts.name, "device": tagger.device, "tags": len(tagger.facts.tags), "to_score": missing}
    words = f"{facts['tagger']} on {tagger.device}: {plural(missing, 'image')} of {len(library)} to score, {facts['tags']} tags"
    return _said(args, {**facts, "images": len(library), "preprocessing": tagger.facts.preprocessing}, words)


def _outcome(job: RunFolder) -> dict[str, Any]:
    """The last `tagged` event of a job, without what all events have."""
    told = [event for event in EventReader(job.events_file).poll() if event["kind"] == "tagged"]
    return {name: value for name, value in told[-1].items() if name not in {"t", "kind"}} if told else {}


def _words(found: dict[str, Any]) -> str:
    parts = [f"{plural(found['scored'], 'image')} scored", f"{found['skipped']} had scores"]
    if found["unreadable"]:
        parts.append(f"{found['unreadable']} cannot be read")
    return f"{found['tagger']} on {found['device']}: {', '.join(parts)}; {found['images_per_second']:.1f} images/s"


def _said(args: argparse.Namespace, facts: dict[str, Any], words: str) -> int:
    if args.json:
        emit_json(facts)
    else:
        print(words)
    return 0
