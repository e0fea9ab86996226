"""What `sdtui caption` changes: every edit of `dataset.operations`, set, restore; undo, redo, history."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

from sdtui.cli.caption_arguments import edit_of, insist_least
from sdtui.cli.caption_conflict import Choices, choice_offered
from sdtui.cli.caption_list import library_of, tell_cut_short
from sdtui.cli.caption_query import in_scope, index_of, position_of
from sdtui.cli.output import emit_json, plural
from sdtui.dataset.bulk import Proposal, propose, propose_originals
from sdtui.dataset.edit import Journal, Operation, Recovered, Unfinished
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.dataset.operations import Context, each_line
from sdtui.errors import UserError
from sdtui.models import tokens

# Tags whose number changes that a preview lists.
_TAGS = 10


def edit(args: argparse.Namespace) -> int:
    """Work the edit out, and make it as one operation that can be undone."""
    library = library_of(args)
    journal = open_journal(args)
    return make(args, journal, _proposal(args, library, journal), {})


def make(args: argparse.Namespace, journal: Journal, proposal: Proposal, more: Mapping[str, Any]) -> int:
    """Show what is proposed, and unless `--dry-run` make it; `more` goes into the JSON answer."""
    choices = Choices(args)
    with choice_offered():
        operation = None if args.dry_run else journal.apply(proposal.changes, proposal.label, choices)
    if args.json:
        emit_json({**_report(args, proposal, operation), "conflicts": choices.report(), **more})
    elif args.dry_run:
        _preview(proposal)
    choices.tell()
    for error in proposal.unreadable:
        print(f"sdtui: left out: {error}", file=sys.stderr)
    if not args.dry_run:
        written = len(operation.changes) if operation else 0
        done = f"{proposal.label}: {written} of {proposal.looked_at} captions changed"
        print(f"{done}. `sdtui caption undo` takes it back" if operation else done, file=sys.stderr)
    return 1 if proposal.unreadable else 0


def step(args: argparse.Namespace) -> int:
    """`undo` or `redo`; exit code 1 when there is nothing to do. What was cut short is settled first, and alone."""
    _existing(args)
    choices = Choices(args)
    cut_short = Journal.unfinished(args.folder)
    if cut_short is not None:
        return _settle(args, cut_short)
    journal = open_journal(args)
    with choice_offered():
        operation = journal.undo(choices) if args.action == "undo" else journal.redo(choices)
    if args.json:
        files = [printable(change.path) for change in operation.changes] if operation else []
        label = operation.label if operation else None
        emit_json({"action": args.action, "label": label, "files": files, "conflicts": choices.report()})
    choices.tell()
    if operation is None:
        print(f"sdtui: nothing to {args.action}", file=sys.stderr)
        return 1
    print(f"{args.action}: {operation.label} ({plural(len(operation.changes), 'file')})", file=sys.stderr)
    return 0


def _settle(args: argparse.Namespace, cut_short: Unfinished) -> int:
    """Bring what a killed process left half done to the side that is asked for: an edit by `undo` back, an undo to its end."""
    finish = (args.action == "undo") == (cut_short.verb == "undo")
    done = Journal.recover(args.folder, finish=finish)
    written = done.written if done else 0
    if args.json:
        state = {"verb": cut_short.verb, "files": cut_short.files, "finished": finish, "written": written}
        emit_json({"action": args.action, "label": cut_short.label, "files": [], "conflicts": [], "cut_short": state})
    what = "finished" if finish else "taken back"
    print(
        f"{args.action}: {cut_short.label}: the {cut_short.verb} had been cut short and is {what} "
        f"({plural(written, 'file')} written)",
        file=sys.stderr,
    )
    _tell_left(done)
    return 0


def history(args: argparse.Namespace) -> int:
    """The recorded edits, newest first; undone ones are marked."""
    _existing(args)
    insist_least(args, "limit", 1)
    tell_cut_short(args.folder)
    items = Journal.look(args.folder).history(args.limit)
    if args.json:
        emit_json({"edits": [item._asdict() for item in items]})
        return 0
    for item in items:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(item.time))
        undone = "" if item.applied else "\tundone"
        print(f"{item.number}\t{when}\t{plural(item.files, 'file')}\t{printable(item.label)}{undone}")
    return 0


def _proposal(args: argparse.Namespace, library: Library, journal: Journal) -> Proposal:
    """What the edit would do; tags are counted only where that is shown."""
    count = args.dry_run or args.json
    if args.action == "set":
        label = f"set the caption of {printable(args.image)}"
        return propose(library, [position_of(library, args.image)], lambda _: args.text, label, count_tags=count)
    if args.action == "restore":
        originals = journal.originals()
        return propose_originals(library, in_scope(args, library), originals, "restore the originals", count_tags=count)
    wanted = edit_of(args)
    context = Context(lambda: index_of(library).tag_counts(), tokens.count)
    rewrite = wanted.rewrite(context)
    if args.lines:
        rewrite = each_line(rewrite)
    return propose(library, in_scope(args, library), rewrite, wanted.label, count_tags=count)


def _existing(args: argparse.Namespace) -> None:
    if not args.folder.is_dir():
        raise UserError("the folder does not exist", where=printable(args.folder), remedy="Check the path")


def open_journal(args: argparse.Namespace) -> Journal:
    """The journal of DIR; says what had to be finished first, or with `--dry-run` what is to be."""
    if getattr(args, "dry_run", False):
        tell_cut_short(args.folder)
        return Journal.look(args.folder)
    journal = Journal.open(args.folder)
    if journal.recovered is not None:
        label, written = journal.recovered.label, journal.recovered.written
        print(f"sdtui: finished an edit that had been cut short: {label} ({plural(written, 'file')})", file=sys.stderr)
        _tell_left(journal.recovered)
    return journal


def _tell_left(recovered: Recovered | None) -> None:
    for path in recovered.conflicts if recovered else ():
        print(
            f"sdtui: {printable(path)}: changed meanwhile, or behind a link out of the folder; left as it is",
            file=sys.stderr,
        )


def _preview(proposal: Proposal) -> None:
    print(f"{proposal.label}: would change {len(proposal.changes)} of {proposal.looked_at} captions")
    for sample in proposal.samples:
        print(f"{printable(sample.path)}\n  - {printable(sample.before)}\n  + {printable(sample.after)}")
    if len(proposal.changes) > len(proposal.samples):
        print(f"… and {len(proposal.changes) - len(proposal.samples)} more")
    if proposal.tags:
        print("captions with the tag:")
    for tag, before, after in proposal.tags[:_TAGS]:
        print(f"  {before} → {after}\t{printable(tag)}")
    if len(proposal.tags) > _TAGS:
        print(f"  … and {plural(len(proposal.tags) - _TAGS, 'more tag')}")


def _report(args: argparse.Namespace, proposal: Proposal, operation: Operation | None) -> dict[str, Any]:
    return {
        "action": args.action,
        "label": proposal.label,
        "dry_run": args.dry_run,
        "edit": operation.number if operation else None,
        "captions": proposal.looked_at,
        "changed": len(operation.changes) if operation else len(proposal.changes) if args.dry_run else 0,
        "samples": [
            {"path": str(sample.path), "before": sample.before, "after": sample.after} for sample in proposal.samples
        ],
        "tags": [tag._asdict() for tag in proposal.tags],
        "unreadable": [{"path": error.where, "message": error.message} for error in proposal.unreadable],
    }
