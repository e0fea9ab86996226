"""`sdtui caption`: the captions screen's work from the shell: list, find, mark, count, edit, undo."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from sdtui.cli import caption_edit, caption_list, caption_query
from sdtui.cli.caption_arguments import add_parameters
from sdtui.cli.caption_conflict import add_option
from sdtui.cli.caption_exchange import add_export, add_import, give, take_over
from sdtui.dataset.caption import AUTO
from sdtui.dataset.library import Library
from sdtui.dataset.operations import EDITS

_SET = 'sdtui caption set ~/cats more/07.png "cat, window"'
_IMPORT = "sdtui caption import ~/cats meta_cap.json --existing keep"
_EXPORT = "sdtui caption export ~/cats --to metadata-jsonl"
_RESTORE = 'sdtui caption restore ~/cats --where "folder:more"'

# The captions screen's schemes of colours that mark anything.
SCHEMES = ("problems", "kinds", "frequency", "relations", "tokens", "spelling", "trigger", "origin")

_OVERVIEW = """\
look        ls · find · stats · problems · complete · queries
choose      mark · rate
tags        add · remove · replace · regex · dedupe · trim · trigger
order       front · sort
spelling    spaces · underscores · escape · unescape · case · prefix · suffix
one image   set
exchange    import · export
take back   undo · redo · history · restore

Edits take --where QUERY or --mark N for some of the images, --dry-run to look before, and undo takes each of them back.
Help and an example for each: sdtui caption ACTION --help"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "sdtui caption ACTION DIR …"
    parser.epilog = f"{_OVERVIEW}\n\n{parser.epilog}"
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help=argparse.SUPPRESS)
    ls = _action(actions, "ls", "list images and captions", caption_list.ls)
    ls.add_argument("--untagged", action="store_true", help="only images without a caption, or with an empty one")
    find = _action(actions, "find", "list images that a query finds", caption_list.find, scoped=False)
    _query_options(find)
    find.add_argument("--count", action="store_true", help="print only how many")
    stats = _action(actions, "stats", "count the tags", caption_list.stats)
    stats.add_argument("--top", type=int, default=0, metavar="N", help="only the first N tags (0: all)")
    stats.add_argument("--sort", choices=("count", "name", "length"), default="count", help="order (default: count)")
    _words(actions)
    _marking(actions)
    for edit in EDITS.values():
        add_parameters(_edit(actions, edit.verb, edit.summary, edit.example), edit)
    write = _edit(actions, "set", "write the caption of one image", _SET, scoped=False)
    write.add_argument("image", metavar="IMAGE", help="path of the image, relative to DIR")
    write.add_argument("text", metavar="TEXT")
    _edit(actions, "restore", "put back the captions as they were before the first recorded edit", _RESTORE)
    add_import(_edit(actions, "import", "take captions over from files of other programs", _IMPORT, act=take_over))
    export = _action(actions, "export", "write the captions as other programs read them", give)
    export.add_argument("--dry-run", action="store_true", help="tell what would be written, and write nothing")
    export.epilog = f"example: {_EXPORT}"
    add_export(export)
    for name, summary in (("undo", "take back the last edit"), ("redo", "make the edit that was undone last again")):
        add_option(_action(actions, name, summary, caption_edit.step, scoped=False))
    history = _action(actions, "history", "list the recorded edits, newest first", caption_edit.history, scoped=False)
    history.add_argument("--limit", type=int, default=20, metavar="N", help="how many (default: 20)")


def _words(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    problems = _action(actions, "problems", "list tags that the captions screen's colours mark", _lazily("problems"))
    problems.add_argument("--by", choices=SCHEMES, default=SCHEMES[0], help=f"what is told (default: {SCHEMES[0]})")
    problems.add_argument(
        "--trigger",
        action="append",
        default=[],
        metavar="WORD",
        help="a word that calls what is trained, for --by trigger",
    )
    complete = _action(
        actions, "complete", "list the tags that are offered for a beginning", _lazily("complete"), scoped=False
    )
    complete.add_argument("typed", metavar="BEGINNING", help="as far as a tag is typed")
    complete.add_argument("--limit", type=int, default=8, metavar="N", help="at most so many (default: 8)")
    scan_options(complete)


def _lazily(name: str) -> Callable[[argparse.Namespace], int]:
    """An action whose module loads more than the other actions want."""

    def act(args: argparse.Namespace) -> int:
        from sdtui.cli import caption_words

        found: Callable[[argparse.Namespace], int] = getattr(caption_words, name)
        return found(args)

    return act


def _marking(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    mark = _action(actions, "mark", "mark images that a query finds", _on_library(caption_query.mark), scoped=False)
    _query_options(mark)
    mark.add_argument("number", metavar="N", type=int, help="which of the nine marks; 1 is the captions screen's")
    mark.add_argument("--off", action="store_true", help="take the mark off them")
    rate = _action(
        actions, "rate", "give stars to images that a query finds", _on_library(caption_query.rate), scoped=False
    )
    _query_options(rate)
    rate.add_argument("stars", metavar="STARS", type=int, help="0 to 5")
    queries = _action(
        actions, "queries", "list, save, rename or forget queries by name", caption_query.queries, scoped=False
    )
    which = queries.add_mutually_exclusive_group()
    which.add_argument("--save", nargs=2, metavar=("NAME", "QUERY"), help="use it as @NAME wherever a query is wanted")
    which.add_argument("--rename", nargs=2, metavar=("NAME", "NEW"), help="give it another name")
    which.add_argument("--forget", metavar="NAME")


def _on_library(act: Callable[[argparse.Namespace, Library], int]) -> Callable[[argparse.Namespace], int]:
    """An action on the images of DIR, which are listed first."""
    return lambda args: act(args, caption_list.library_of(args))


def run(args: argparse.Namespace) -> int:
    """Do the action; return the exit code."""
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _edit(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    example: str,
    *,
    scoped: bool = True,
    act: Callable[[argparse.Namespace], int] = caption_edit.edit,
) -> argparse.ArgumentParser:
    parser = _action(actions, name, summary, act, scoped=scoped)
    if not scoped:
        scan_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    add_option(parser)
    parser.epilog = f"example: {example}"
    return parser


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    act: Callable[[argparse.Namespace], int],
    *,
    scoped: bool = True,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of images")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    if scoped:
        scan_options(parser)
        parser.add_argument("--where", metavar="QUERY", default="", help="only images that this query finds")
        parser.add_argument("--mark", metavar="N", dest="marked", type=int, help="only images with this mark, 1 to 9")
    parser.set_defaults(act=act)
    return parser


def _query_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query", metavar="QUERY", help='such as "night", "tag:cat AND NOT tags:<5"; see docs/captions.md'
    )
    scan_options(parser)


def scan_options(parser: argparse.ArgumentParser) -> None:
    """Which images and captions of DIR are looked at."""
    parser.add_argument("--flat", action="store_true", help="leave out the folders inside DIR")
    parser.add_argument(
        "--extension",
        default=AUTO,
        metavar="EXT",
        help="ending of the caption files (default: the one most images have)",
    )
