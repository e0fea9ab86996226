"""`sdtui tag`: score or describe the images of a folder, in a process of its own that goes on where it was stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from sdtui.cli import INTERRUPTED
from sdtui.cli.output import emit_json, plural
from sdtui.cli.progress import follow, interrupts
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.runs import launch, registry
from sdtui.runs.events import EventReader
from sdtui.runs.layout import RunFolder
from sdtui.tagging.describers.base import Asked
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
        "hub; TorchDeepDanbooru's .pt file; a DeepDanbooru project exported to ONNX; a model of transformers that puts images "
        "into words (BLIP and its like), from a folder or the hub; an OpenAI-compatible address, http://…/v1",
    )
    parser.add_argument("--device", choices=get_args(Device), default="auto", help="default: a GPU where there is one")
    parser.add_argument(
        "--batch-size", type=int, default=0, metavar="N", help="images at once (default: by the device)"
    )
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of the processor (default: all)")
    parser.add_argument(
        "--terms", action="append", default=[], metavar="FILE", type=Path,
        help="with a CLIP model: a list of terms to choose from, one a line; repeatable; name.top3.txt: only the best 3",
    )  # fmt: skip
    words = parser.add_argument_group("of models that put images into words")
    words.add_argument(
        "--prompt", default="", metavar="TEXT", help="how a description begins, or what a server is told"
    )
    words.add_argument(
        "--max-tokens", type=int, default=Asked.max_tokens, metavar="N", help="of an answer (default: 75)"
    )
    words.add_argument("--model", default="", metavar="NAME", help="which of the address's models")
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
    task = Task(
        str(folder), checked(args.tagger), args.device, args.batch_size, args.threads, args.again, args.flat,
        args.prompt, args.max_tokens, args.model, tuple(str(path.absolute()) for path in args.terms),
    )  # fmt: skip
    if args.dry_run:
        return _tell_plan(args, task, library)
    place = job_folder(task)
    with interrupts() as received:
        job = launch.start_job(place, KIND, _MODULE, before=lambda: write_task(place, task))
        if args.detach:
            _said(args, {"job": str(place)}, f"{place}\nfollow it: sdtui watch {place}")
            return INTERRUPTED if received else 0
        code = follow([job], sys.stderr, stop_on_interrupt=True, received=received)
    found = _outcome(job)
    if code == INTERRUPTED or registry.inspect(job).state == "killed":
        print("the same command goes on where it stopped", file=sys.stderr)
    if found and (code in {0, INTERRUPTED} or found["scored"]):
        _said(args, {"job": str(place), **found}, _words(found))
    return code


def _tell_plan(args: argparse.Namespace, task: Task, library: Library) -> int:
    """What would be done; the model is opened, so that what is wrong with it is known."""
    from sdtui.tagging.outputs import open_output
    from sdtui.tagging.scored_images import digests_of

    output = open_output(task.tagger, library.folder, task.where, task.asked)
    done = () if task.again else output.done()
    missing = sum(digest not in done for digest in digests_of(library))
    facts = {"tagger": output.id, "device": output.device, "to_score": missing, "images": len(library)}
    return _said(args, facts, f"{output.id} on {output.device}: {missing} of {plural(len(library), 'image')} to do")


def _outcome(job: RunFolder) -> dict[str, Any]:
    """The last `tagged` event of a job, without what all events have."""
    told = [event for event in EventReader(job.events_file).poll() if event["kind"] == "tagged"]
    return {name: value for name, value in told[-1].items() if name not in {"t", "kind"}} if told else {}


def _words(found: dict[str, Any]) -> str:
    parts = [f"{plural(found['scored'], 'image')} done", f"{found['skipped']} before"]
    if found["unreadable"]:
        parts.append(f"{found['unreadable']} cannot be read")
    if found["refused"]:
        parts.append(f"{found['refused']} refused")
    speed = f"; {found['images_per_second']:.1f} images/s" if found["scored"] else ""
    return f"{found['tagger']} on {found['device']}: {', '.join(parts)}{speed}"


def _said(args: argparse.Namespace, facts: dict[str, Any], words: str) -> int:
    if args.json:
        emit_json(facts)
    else:
        print(words)
    return 0
