"""What `sdtui caption` changes: add, remove, replace, sort, set; undo, redo, history."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sdtui.cli.caption_list import library_of
from sdtui.cli.caption_query import in_scope, index_of
from sdtui.cli.output import emit_json, plural
from sdtui.dataset import tags
from sdtui.dataset.bulk import Proposal, propose
from sdtui.dataset.edit import Journal
from sdtui.dataset.library import Library
from sdtui.dataset.names import printable
from sdtui.errors import UserError


def edit(args: argparse.Namespace) -> int:
    """Work the edit out, show it, and unless `--dry-run` make it as one operation that can be undone."""
    library = library_of(args)
    change, label = _change(args, library)
    positions = [_position(args, library)] if args.action == "set" else in_scope(args, library)
    proposal = propose(library, positions, change, label)
    operation = None
    if not args.dry_run:
        operation = _journal(args).apply(proposal.changes, label)
    if args.json:
        emit_json(_report(args, proposal, operation.number if operation else None))
    elif args.dry_run:
        _preview(proposal)
    for error in proposal.unreadable:
        print(f"sdtui: left out: {error}", file=sys.stderr)
    if not args.dry_run:
        done = f"{label}: {len(proposal.changes)} of {proposal.looked_at} captions changed"
        print(f"{done}. `sdtui caption undo` takes it back" if operation else done, file=sys.stderr)
    return 1 if proposal.unreadable else 0


def step(args: argparse.Namespace) -> int:
    """`undo` or `redo`; exit code 1 when there is nothing to do."""
    _existing(args)
    journal = _journal(args)
    operation = journal.undo() if args.action == "undo" else journal.redo()
    if args.json:
        files = [printable(change.path) for change in operation.changes] if operation else []
        emit_json({"action": args.action, "label": operation.label if operation else None, "files": files})
    if operation is None:
        print(f"sdtui: nothing to {args.action}", file=sys.stderr)
        return 1
    print(f"{args.action}: {operation.label} ({plural(len(operation.changes), 'file')})", file=sys.stderr)
    return 0


def history(args: argparse.Namespace) -> int:
    """The recorded edits, newest first; undone ones are marked."""
    _existing(args)
    items = _journal(args).history(args.limit)
    if args.json:
        emit_json({"edits": [item._asdict() for item in items]})
        return 0
    for item in items:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(item.time))
        undone = "" if item.applied else "\tundone"
        print(f"{item.number}\t{when}\t{plural(item.files, 'file')}\t{printable(item.label)}{undone}")
    return 0


def _change(args: argparse.Namespace, library: Library) -> tuple[Callable[[str], str], str]:
    """The edit to one caption's text, and what it is called."""
    if args.action == "add":
        tag = tags.checked(args.tag)
        return partial(tags.add, tag=tag, front=args.front), f"add {tag!r}"
    if args.action == "remove":
        tag = tags.checked(args.tag)
        return partial(tags.remove, tag=tag), f"remove {tag!r}"
    if args.action == "replace":
        old, new = tags.checked(args.old), tags.checked(args.new)
        return partial(tags.replace, old=old, new=new), f"replace {old!r} by {new!r}"
    if args.action == "sort":
        return partial(tags.sort, key=_order(args, library)), f"sort by {args.by}"
    return lambda _: args.text, f"set the caption of {printable(args.image)}"


def _order(args: argparse.Namespace, library: Library) -> Callable[[str], Any]:
    if args.by == "alphabet":
        return lambda tag: (tag.casefold(), tag)
    counts = index_of(library).tag_counts()
    return lambda tag: (-counts[tag], tag)


def _position(args: argparse.Namespace, library: Library) -> int:
    position = library.position(args.image)
    if position is None:
        raise UserError(
            "there is no such image in the dataset",
            where=printable(args.image),
            remedy="Give its path relative to DIR, as `sdtui caption ls` prints it",
        )
    return position


def _existing(args: argparse.Namespace) -> None:
    if not args.folder.is_dir():
        raise UserError("the folder does not exist", where=printable(args.folder), remedy="Check the path")


def _journal(args: argparse.Namespace) -> Journal:
    journal = Journal.open(args.folder)
    if journal.recovered is not None:
        label, written = journal.recovered.label, journal.recovered.written
        print(f"sdtui: finished an edit that had been cut short: {label} ({plural(written, 'file')})", file=sys.stderr)
        for path in journal.recovered.conflicts:
            print(
                f"sdtui: {printable(path)}: changed meanwhile, or behind a link out of the folder; left as it is",
                file=sys.stderr,
            )
    return journal


def _preview(proposal: Proposal) -> None:
    print(f"{proposal.label}: would change {len(proposal.changes)} of {proposal.looked_at} captions")
    for sample in proposal.samples:
        print(f"{printable(sample.path)}\n  - {printable(sample.before)}\n  + {printable(sample.after)}")
    if len(proposal.changes) > len(proposal.samples):
        print(f"… and {len(proposal.changes) - len(proposal.samples)} more")


def _report(args: argparse.Namespace, proposal: Proposal, number: int | None) -> dict[str, Any]:
    return {
        "action": args.action,
        "label": proposal.label,
        "dry_run": args.dry_run,
        "edit": number,
        "captions": proposal.looked_at,
        "changed": len(proposal.changes),
        "samples": [
            {"path": str(sample.path), "before": sample.before, "after": sample.after} for sample in proposal.samples
        ],
        "unreadable": [{"path": error.where, "message": error.message} for error in proposal.unreadable],
    }
