"""`sdtui caption`: the captions screen's work from the shell: list, find, mark, count, edit, undo."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from sdtui.cli import caption_edit, caption_list, caption_query
from sdtui.dataset.caption import AUTO
from sdtui.dataset.library import Library

_EDITS: tuple[tuple[str, str], ...] = (
    ("add", "add a tag to every caption that lacks it"),
    ("remove", "take a tag out of every caption"),
    ("replace", "turn one tag into another"),
    ("sort", "put each caption's tags into another order"),
    ("set", "write the caption of one image"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    ls = _action(actions, "ls", "list images and captions", caption_list.ls)
    ls.add_argument("--untagged", action="store_true", help="only images without a caption, or with an empty one")
    find = _action(actions, "find", "list images that a query finds", caption_list.find, scoped=False)
    _query_options(find)
    find.add_argument("--count", action="store_true", help="print only how many")
    stats = _action(actions, "stats", "count the tags", caption_list.stats)
    stats.add_argument("--top", type=int, default=0, metavar="N", help="only the N most frequent tags (0: all)")
    _marking(actions)
    edits = {name: _edit(actions, name, summary) for name, summary in _EDITS}
    edits["add"].add_argument("tag", metavar="TAG")
    edits["add"].add_argument("--front", action="store_true", help="before the other tags instead of after them")
    edits["remove"].add_argument("tag", metavar="TAG")
    edits["replace"].add_argument("old", metavar="OLD")
    edits["replace"].add_argument("new", metavar="NEW")
    edits["sort"].add_argument(
        "--by",
        choices=("alphabet", "frequency"),
        default="alphabet",
        help="frequency: the dataset's commonest tag first",
    )
    edits["set"].add_argument("image", metavar="IMAGE", help="path of the image, relative to DIR")
    edits["set"].add_argument("text", metavar="TEXT")
    for name, summary in (("undo", "take back the last edit"), ("redo", "make the edit that was undone last again")):
        _action(actions, name, summary, caption_edit.step, scoped=False)
    history = _action(actions, "history", "list the recorded edits, newest first", caption_edit.history, scoped=False)
    history.add_argument("--limit", type=int, default=20, metavar="N", help="how many (default: 20)")


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
    queries = _action(actions, "queries", "list, save or forget queries by name", caption_query.queries, scoped=False)
    which = queries.add_mutually_exclusive_group()
    which.add_argument("--save", nargs=2, metavar=("NAME", "QUERY"), help="use it as @NAME wherever a query is wanted")
    which.add_argument("--forget", metavar="NAME")


def _on_library(act: Callable[[argparse.Namespace, Library], int]) -> Callable[[argparse.Namespace], int]:
    """An action on the images of DIR, which are listed first."""
    return lambda args: act(args, caption_list.library_of(args))


def run(args: argparse.Namespace) -> int:
    """Do the action; return the exit code."""
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _edit(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    parser = _action(actions, name, summary, caption_edit.edit, scoped=name != "set")
    if name == "set":
        _scan_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
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
        _scan_options(parser)
        parser.add_argument("--where", metavar="QUERY", default="", help="only images that this query finds")
    parser.set_defaults(act=act)
    return parser


def _query_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query", metavar="QUERY", help='such as "night", "tag:cat AND NOT tags:<5"; see docs/captions.md'
    )
    _scan_options(parser)


def _scan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--flat", action="store_true", help="leave out the folders inside DIR")
    parser.add_argument(
        "--extension",
        default=AUTO,
        metavar="EXT",
        help="ending of the caption files (default: the one most images have)",
    )
