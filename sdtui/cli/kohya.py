"""`sdtui import kohya` and `sdtui export kohya`: files of sd-scripts and kohya_ss to profiles, and back."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from sdtui.cli.output import emit_json, plural
from sdtui.errors import UserError
from sdtui.files import make_folder, write_atomic
from sdtui.profile.kohya.draft import Draft
from sdtui.profile.kohya.giving import Files, config_text, dataset_text, give
from sdtui.profile.kohya.source import read_source, require_readable
from sdtui.profile.kohya.taking import take
from sdtui.profile.kohya.text import by_reason, profile_text
from sdtui.profile.load import load_profile

_OF_XL = {
    "train_network.py": "sdxl_train_network.py",
    "train_db.py": "sdxl_train.py",
    "train_textual_inversion.py": "sdxl_train_textual_inversion.py",
}
"""The scripts for Stable Diffusion XL that read the same options."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `export`."""
    parser.add_argument("program", choices=["kohya"], help="whose files: kohya (sd-scripts and kohya_ss)")
    parser.add_argument("profile", metavar="PROFILE", type=Path, help="a profile's TOML file")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=Path("kohya"), help="where to write (default: kohya)"
    )
    _add_common(parser)


def configure_import(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `import kohya`."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="sd-scripts' config TOML, a dataset TOML, or kohya_ss's JSON"
    )
    parser.add_argument(
        "--dataset", metavar="FILE", type=Path, help="the dataset TOML, in place of the one that FILE names"
    )
    parser.add_argument("-o", "--output", metavar="PROFILE.toml", type=Path, help="where to write it (default: stdout)")
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Convert; what does not go is told on stderr.

    Raises:
        UserError: a file is in the way, or is none that can be converted.
    """
    return _import(args) if args.verb == "import" else _export(args)


def _import(args: argparse.Namespace) -> int:
    output: Path | None = args.output
    if output is not None:
        _refuse([output], force=args.force)
    source = read_source(args.file, args.dataset)
    base = str(source.value("pretrained_model_name_or_path") or "")
    source = replace(source, base_is_xl=_is_xl(base, source.path.parent))
    draft = take(source, (output or Path("profile.toml")).absolute().parent)
    text = profile_text(draft)
    if draft.source.unreadable:
        # All that is wrong at once, before nothing is written.
        _warn(draft)
        require_readable(draft.source)
    if output is not None:
        write_atomic(output, text)
    elif not args.json:
        print(text, end="")
    if args.json:
        emit_json({"path": str(output) if output else None, "profile": text, **_as_json(draft)})
    else:
        _tell(draft, output)
    return 0


def _is_xl(base: str, folder: Path) -> bool | None:
    """Whether a base model, named in a file that lies in `folder`, is of Stable Diffusion XL; None where it is not here."""
    from sdtui.models.hub import located
    from sdtui.models.recognise import recognise

    place = os.path.join(folder, os.path.expanduser(base))
    try:
        return recognise(Path(place) if base and os.path.exists(place) else located(base)).family.name == "sdxl"
    except UserError:
        return None


def _as_json(draft: Draft) -> dict[str, Any]:
    """What became of each option: `mapped`, `not_applicable`, `unknown`, and `warnings`."""
    return {
        "mapped": [one._asdict() for one in _shown(draft.mapped)],
        "not_applicable": [{"kohya": one.kohya, "value": one.written, "reason": one.reason} for one in draft.left],
        "unknown": [{"kohya": name, "nearest": nearest or None} for name, nearest in draft.source.unknown],
        "warnings": draft.warnings,
    }


def _shown(mapped: list[Any]) -> list[Any]:
    return sorted(mapped, key=lambda one: str(one.kohya))


def _tell(draft: Draft, output: Path | None) -> None:
    """A summary: how many options, which of them do not apply and why, what behaves differently."""
    mapped = len({one.kohya for one in draft.mapped})
    print(
        f"{plural(mapped, 'option')} mapped, {len(draft.left)} not applicable, {len(draft.source.unknown)} unknown",
        file=sys.stderr,
    )
    for line in by_reason([one for one in draft.left if not one.quiet]):
        print(f"  not applicable: {line}", file=sys.stderr)
    quiet = [one.kohya for one in draft.left if one.quiet]
    if quiet:
        print(
            f"  not needed here: {plural(len(set(quiet)), 'option')}, named at the end of the profile", file=sys.stderr
        )
    for name, nearest in draft.source.unknown:
        print(f"  unknown: {name}" + (f"; did you mean {nearest}?" if nearest else ""), file=sys.stderr)
    _warn(draft)
    if output is not None:
        print(f"wrote {output}: next, `sdtui check {output}`", file=sys.stderr)


def _warn(draft: Draft) -> None:
    for warning in draft.warnings:
        print(f"  warning: {warning}", file=sys.stderr)


def _export(args: argparse.Namespace) -> int:
    folder: Path = args.output
    # What is exported may be meant for another machine, which has the model and the images.
    profile = load_profile(args.profile, places=False)
    xl = _is_xl(profile.model.base, args.profile.parent)
    files = give(profile, folder.absolute(), xl=bool(xl))
    texts = _texts(files)
    _refuse([folder / name for name in texts], force=args.force)
    make_folder(folder)
    for name, text in texts.items():
        write_atomic(folder / name, text)
    if args.json:
        lacking = [{"key": lack.key, "value": lack.value, "reason": lack.reason} for lack in files.lacking]
        emit_json({"path": str(folder), "files": list(texts), "lacking": lacking})
        return 0
    for lack in files.lacking:
        print(f"  {lack.key} = {lack.value}: {lack.reason}", file=sys.stderr)
    config = folder / "config.toml"
    print(
        f"wrote {', '.join(texts)} in {folder}; {plural(len(files.lacking), 'setting')} not the same", file=sys.stderr
    )
    of_xl = _OF_XL.get(files.script, files.script)
    maybe = xl is None and of_xl != files.script
    print(
        f"next, in {folder}: accelerate launch …/sd-scripts/{of_xl if xl else files.script} --config_file {config.name}"
        + (f" (Stable Diffusion XL: {of_xl})" if maybe else ""),
        file=sys.stderr,
    )
    return 0


def _texts(files: Files) -> dict[str, str]:
    """The files by name."""
    texts = {"config.toml": config_text(files)}
    if files.datasets:
        texts["dataset.toml"] = dataset_text(files)
    if files.prompts:
        texts["sample_prompts.txt"] = "\n".join(files.prompts) + "\n"
    return texts


def _refuse(paths: list[Path], *, force: bool) -> None:
    """Raises UserError where a file would be replaced without being told to."""
    there = next((path for path in paths if path.exists()), None)
    if there is not None and not force:
        raise UserError("the file exists", where=str(there), remedy="Name another, or give --force to replace it")
