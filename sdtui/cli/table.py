"""The table of commands: verb → the module that has `configure(parser)` and `run(args)`, and one line of help."""

from __future__ import annotations

import argparse
import difflib
import importlib
from typing import NamedTuple, Protocol, cast


class Command(NamedTuple):
    """One verb: the module that runs it, what it does in a line, and an example for `--help`."""

    module: str
    summary: str
    example: str


class CommandModule(Protocol):
    """What a command's module offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; return the exit code."""


COMMANDS: dict[str, Command] = {
    "app": Command("sdtui.cli.app", "open the full-screen app on a workspace", "sdtui ~/work"),
}


def run(verb: str, arguments: list[str]) -> int:
    """Import the verb's module, parse `arguments` and run it."""
    command = COMMANDS[verb]
    module = cast("CommandModule", importlib.import_module(command.module))
    parser = argparse.ArgumentParser(
        prog=f"sdtui {verb}" if verb != "app" else "sdtui",
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        epilog=f"example:\n  {command.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # One module may serve several verbs (stop, pause, save …): it reads which from here.
    parser.set_defaults(verb=verb)
    module.configure(parser)
    return module.run(parser.parse_args(arguments))


def overview() -> str:
    """The text of `sdtui --help`."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {verb:<{width}}{command.summary}" for verb, command in COMMANDS.items() if verb != "app"]
    return "\n".join(
        [
            "usage: sdtui [DIR]            open the app on a workspace (default: here)",
            "       sdtui COMMAND ...      do one thing from the shell",
            "",
            "commands:",
            *lines,
            "",
            "`sdtui COMMAND --help` tells more, with an example. Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted.",
        ]
    )


def unknown(word: str) -> str:
    """What to say about a word that is neither a command nor a folder."""
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"Did you mean `sdtui {near[0]}`?" if near else "See `sdtui --help`"
    return f"{word!r} is neither a command nor a folder. {hint}"
