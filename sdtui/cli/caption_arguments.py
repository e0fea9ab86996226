"""The arguments of `sdtui caption`'s edits, made from the parameters that each edit declares, and what a number must be."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sdtui.dataset.operations import EDITS, Edit, Parameter
from sdtui.errors import UserError


def add_parameters(parser: argparse.ArgumentParser, edit: type[Edit]) -> None:
    """Declare an edit's parameters: those that must be given as words, the others as options."""
    for parameter in edit.parameters():
        if parameter.required:
            _word(parser, parameter)
        else:
            _option(parser, parameter)
    parser.add_argument(
        "--each-line", dest="lines", action="store_true", help="every line of a file is a caption of its own"
    )


def edit_of(args: argparse.Namespace) -> Edit:
    """The edit that the arguments describe."""
    kind = EDITS[args.action]
    values = {parameter.name: getattr(args, parameter.name) for parameter in kind.parameters()}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def insist_least(args: argparse.Namespace, name: str, least: int) -> None:
    """Refuse a number below `least` of the option `--name`, before anything is read; raises UserError."""
    if (number := getattr(args, name)) < least:
        raise UserError(f"--{name} is {number}", remedy=f"Give {least} or more")


def _word(parser: argparse.ArgumentParser, parameter: Parameter) -> None:
    # A tag may begin with a dash only after --, as everywhere.
    more: dict[str, Any] = {"nargs": "+"} if parameter.kind == "texts" else {}
    if parameter.choices:
        more["choices"] = parameter.choices
    parser.add_argument(
        parameter.name, metavar=None if parameter.choices else parameter.metavar, help=parameter.help, **more
    )


def _option(parser: argparse.ArgumentParser, parameter: Parameter) -> None:
    flag = f"--{parameter.name.replace('_', '-')}"
    if parameter.kind == "switch":
        parser.add_argument(flag, action="store_true", help=parameter.help)
        return
    kinds: dict[str, dict[str, Any]] = {
        "number": {"type": int, "metavar": parameter.metavar},
        "file": {"type": Path, "metavar": parameter.metavar},
        "texts": {"action": "append", "metavar": parameter.metavar},
        "choice": {"choices": parameter.choices},
        "text": {"metavar": parameter.metavar},
    }
    default = list(parameter.default) if parameter.kind == "texts" else parameter.default
    parser.add_argument(flag, default=default, help=parameter.help, **kinds[parameter.kind])
