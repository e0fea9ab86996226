"""`sdtui caption import` and `export`: captions from the files of other programs, and for them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from sdtui.cli.caption_edit import make, open_journal
from sdtui.cli.caption_list import library_of
from sdtui.cli.caption_query import in_scope
from sdtui.cli.output import emit_json, plural
from sdtui.dataset import exchange
from sdtui.dataset.bulk import propose_each
from sdtui.dataset.caption import NAMINGS, label
from sdtui.dataset.exchange import Existing, Export, Found
from sdtui.dataset.library import Library
from sdtui.dataset.metadata import Kind, Metadata
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.files import make_folder, write_atomic

_SHOWN = 5
_KINDS: tuple[Kind, ...] = get_args(Kind)
# What each format is called: `txt`, `img.png.txt`, `kohya-json` …
_FORMATS = {label(naming).removeprefix("."): naming for naming in NAMINGS}
# Where a file of captions goes unless it is said.
_FILES: dict[Kind, str] = {
    "kohya-json": "metadata.json",
    "kohya-jsonl": "kohya.jsonl",
    "metadata-jsonl": "metadata.jsonl",
}


def add_import(parser: argparse.ArgumentParser) -> None:
    """Declare what `import` takes besides what every edit does."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="kohya's metadata JSON, JSON lines with file_name or image_path, or a folder of caption files",
    )
    _existing_option(parser, ("stop", "keep", "replace", "add"), "add: put the tags it lacks behind it")
    _column_option(parser, "what holds the captions (default: caption with tags after it, or text)")


def add_export(parser: argparse.ArgumentParser) -> None:
    """Declare what `export` takes besides what every edit does."""
    parser.add_argument("--to", required=True, choices=(*_FORMATS, *_KINDS), help="the format")
    parser.add_argument("--out", metavar="PATH", type=Path, help="another file, or for caption files a folder")
    parser.add_argument("--move", action="store_true", help="for caption files: the ones copied from go")
    parser.add_argument("--full-paths", action="store_true", help="for kohya's files: name images by their whole path")
    _existing_option(parser, ("stop", "keep", "replace"), "what else such a file says stays in any case")
    _column_option(parser, "what is to hold the captions (default: caption, or text)")


def take_over(args: argparse.Namespace) -> int:
    """`import`: one edit of all captions that the files name."""
    library = library_of(args)
    journal = open_journal(args)
    found = _found(args, library)
    texts = {at: text for at in in_scope(args, library) if (text := found.texts.get(at)) is not None}
    differing = exchange.differing(library, texts)
    if differing and args.existing == "stop" and not args.dry_run:
        raise exchange.refusal((library[at].relative for at in differing), "keep, replace or add")
    proposal = propose_each(
        library,
        texts,
        lambda position, text: exchange.taken_over(text, texts[position], args.existing),
        f"import {', '.join(printable(file.name) for file in args.files)}",
        count_tags=args.dry_run or args.json,
    )
    _tell_found(found, len(differing), args.existing)
    shown: dict[str, Any] = {"named": len(found.texts), "unknown": found.strangers, "without_caption": found.silent}
    return make(args, journal, proposal, {**shown, "differing": len(differing)})


def give(args: argparse.Namespace) -> int:
    """`export`: the captions as other files, or all in one."""
    library = library_of(args)
    positions = in_scope(args, library)
    if args.to in _FORMATS:
        if args.column or args.full_paths:
            raise UserError("--column and --full-paths are for files of captions", remedy="Leave them out")
        return _as_files(args, library, positions)
    if args.move:
        raise UserError("--move is for caption files", remedy="Leave it out: delete them when you need them no more")
    return _as_one_file(args, library, positions)


def _found(args: argparse.Namespace, library: Library) -> Found:
    folders = [file for file in args.files if file.is_dir()]
    found = exchange.find_texts(
        library, [Metadata.read(file, args.column) for file in args.files if file not in folders]
    )
    for folder in folders:
        exchange.find_in_folder(library, folder, found)
    return found


def _tell_found(found: Found, differing: int, existing: Existing) -> None:
    if found.strangers:
        names = ", ".join(map(printable, found.strangers[:_SHOWN])) + (", …" if found.strangers[_SHOWN:] else "")
        print(f"sdtui: {plural(len(found.strangers), 'name')} that no one image has: {names}", file=sys.stderr)
    if found.silent:
        print(f"sdtui: {plural(found.silent, 'image')} named without a caption", file=sys.stderr)
    become = {"keep": "left as it is", "replace": "replaced", "add": "given the tags it lacks"}
    if differing:
        what = become.get(existing, "choose with --existing keep, replace or add")
        print(f"sdtui: {plural(differing, 'image')} with another caption: {what}", file=sys.stderr)


def _as_files(args: argparse.Namespace, library: Library, positions: Sequence[int]) -> int:
    existing: Existing = "keep" if args.dry_run and args.existing == "stop" else args.existing
    export = exchange.as_files(library, positions, _FORMATS[args.to], args.out, existing)
    done = None
    if args.out is None:
        changes = exchange.changes_of(library, export, move=args.move)
        done = None if args.dry_run else open_journal(args).apply(changes, f"export to {args.to}")
    elif not args.dry_run:
        _write(export)
    if args.json:
        emit_json(
            _report(args, len(export.copies), len(export.same), list(map(printable, export.kept)), export.without)
        )
    verb = "would be written" if args.dry_run else "written"
    print(f"{plural(len(export.copies), 'caption file')} {verb}{_rest(export)}", file=sys.stderr)
    if done is not None:
        left = "" if args.move else f", beside the ones that are read now ({library.describe_captions()})"
        print(f"They lie in the dataset{left}. `sdtui caption undo` takes it back", file=sys.stderr)
    return 0


def _write(export: Export) -> None:
    for _, raw, target in export.copies:
        make_folder(target.parent)
        write_atomic(target, raw, sync=False)


def _as_one_file(args: argparse.Namespace, library: Library, positions: Sequence[int]) -> int:
    path = args.out or args.folder / _FILES[args.to]
    metadata = Metadata.read(path, args.column) if path.exists() else Metadata(path, args.to, args.column)
    if metadata.kind != args.to:
        raise UserError(
            f"this is a file of kind {metadata.kind}", where=printable(path), remedy="Name another with --out"
        )
    before = metadata.to_bytes() if metadata.rows else b""
    existing: Existing = "keep" if args.dry_run and args.existing == "stop" else args.existing
    put, kept, unreadable = exchange.put_all(library, positions, metadata, existing, start=_start(args, library, path))
    after = metadata.to_bytes()
    if not args.dry_run and (after != before or not path.exists()):
        write_atomic(path, after)
    without = sum(not library.has_caption(at) for at in positions)
    if args.json:
        emit_json({**_report(args, put, 0, list(map(printable, kept)), without), "file": printable(path)})
    for error in unreadable:
        print(f"sdtui: left out: {error}", file=sys.stderr)
    verb = "would be in" if args.dry_run else "are in"
    rest = _rest(Export(kept=list(map(Path, kept)), without=without))
    print(f"{plural(put, 'caption')} {verb} {printable(path)}{rest}", file=sys.stderr)
    return 1 if unreadable else 0


def _start(args: argparse.Namespace, library: Library, path: Path) -> Path | None:
    """Where names of images start: kohya's from the folder it is given, Hugging Face's from the file's own."""
    if args.full_paths:
        return None
    folder, home = Path(os.path.abspath(library.folder)), Path(os.path.abspath(path)).parent
    return home if args.to == "metadata-jsonl" and folder.is_relative_to(home) else folder


def _report(args: argparse.Namespace, written: int, same: int, kept: list[str], without: int) -> dict[str, Any]:
    return {
        "action": "export",
        "to": args.to,
        "dry_run": args.dry_run,
        "written": written,
        "same": same,
        "kept": kept,
        "without_caption": without,
    }


def _rest(export: Export) -> str:
    told = [f"; {len(export.same)} the same already"] if export.same else []
    told += [f"; {len(export.kept)} that say something else stay"] if export.kept else []
    told += [f"; {plural(export.without, 'image')} without a caption"] if export.without else []
    return "".join(told)


def _existing_option(parser: argparse.ArgumentParser, choices: tuple[Existing, ...], more: str) -> None:
    parser.add_argument(
        "--existing",
        choices=choices,
        default="stop",
        help=f"what becomes of other captions that are there (default: stop, and write nothing); {more}",
    )


def _column_option(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("--column", metavar="NAME", help=words)
