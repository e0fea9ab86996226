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
    "demo": Command("sdtui.cli.demo", "the main job on the embedded starter, in a new workspace", "sdtui demo"),
    "app": Command("sdtui.cli.app", "open the full-screen app on a workspace", "sdtui ~/work"),
    "captions": Command("sdtui.cli.captions", "review and edit captions on the screen", "sdtui captions ~/sets/city"),
    "new": Command("sdtui.cli.new", "write a commented profile to start from", "sdtui new lora -o my.toml"),
    "import": Command(
        "sdtui.cli.imports",
        "make a profile of kohya's settings; take over other taggers' scores",
        "sdtui import kohya lora_config.toml -o lora.toml",
    ),
    "export": Command(
        "sdtui.cli.kohya", "write a profile as files for kohya's sd-scripts", "sdtui export kohya lora.toml -o kohya"
    ),
    "check": Command("sdtui.cli.check", "find every problem of a profile, with its line", "sdtui check my.toml"),
    "plan": Command("sdtui.cli.plan", "tell what training a profile would do", "sdtui plan my.toml --json"),
    "train": Command(
        "sdtui.cli.train", "train profiles, one after another", "sdtui train lora.toml --set training.steps=200"
    ),
    "resume": Command("sdtui.cli.resume", "go on with a run from its last complete checkpoint", "sdtui resume last"),
    "runs": Command("sdtui.cli.runs", "list the runs and their state", "sdtui runs --json"),
    "watch": Command("sdtui.cli.watch", "follow a run that goes on by itself", "sdtui watch last"),
    "stop": Command("sdtui.cli.steer", "save and end a run", "sdtui stop last"),
    "pause": Command("sdtui.cli.steer", "pause a run after its current step", "sdtui pause last"),
    "unpause": Command("sdtui.cli.steer", "let a paused run go on", "sdtui unpause last"),
    "save": Command("sdtui.cli.steer", "save a checkpoint now", "sdtui save last"),
    "preview": Command("sdtui.cli.steer", "make the preview images now", "sdtui preview last"),
    "set": Command("sdtui.cli.steer", "change a setting of a living run", "sdtui set last learning_rate_factor=0.5"),
    "caption": Command(
        "sdtui.cli.caption", "list, search, edit and undo captions", "sdtui caption add ~/sets/city night --dry-run"
    ),
    "tag": Command(
        "sdtui.cli.tag",
        "score images with a tagger, once",
        "sdtui tag ~/sets/city --tagger SmilingWolf/wd-vit-tagger-v3",
    ),
    "tags": Command(
        "sdtui.cli.tags",
        "decide tags from stored scores: look, apply, count",
        "sdtui tags apply ~/sets/city --threshold 0.5 --dry-run",
    ),
    "sample": Command(
        "sdtui.cli.sample",
        "draw pictures from a run, or from a model with adapters",
        'sdtui sample last "a red cat, city" --x "strength=0-1 [5]" --y seed=1-3',
    ),
    "diff": Command("sdtui.cli.diff", "compare two runs' settings and losses", "sdtui diff lora-20260101 last"),
    "schema": Command("sdtui.cli.schema", "print every setting a profile can have", "sdtui schema --markdown"),
    "info": Command(
        "sdtui.cli.info", "tell versions, devices, terminal abilities and every path in use", "sdtui info --json"
    ),
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
    return module.run(_parse(parser, arguments))


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Options may stand between words ("MODEL --lora FILE PROMPT"); argparse has that only for verbs without actions."""
    try:
        return parser.parse_intermixed_args(arguments)
    except TypeError:
        return parser.parse_args(arguments)


def overview() -> str:
    """The text of `sdtui --help`."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {verb:<{width}}{command.summary}" for verb, command in COMMANDS.items() if verb != "app"]
    return "\n".join(
        [
            "usage: sdtui [DIR]            open the app on a workspace (default: here)",
            "       sdtui COMMAND ...      do one thing from the shell",
            "       sdtui --version",
            "",
            "options of the app:",
            "  --ascii       draw with ASCII characters only",
            "  --theme NAME  sdtui, sdtui-light, or the name of one of Textual's themes",
            "",
            "commands:",
            *lines,
            "",
            "`sdtui COMMAND --help` (or `sdtui help COMMAND`) tells more, with an example.",
            "Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted.",
        ]
    )


def unknown(word: str) -> str:
    """What to say about a word that is neither a command nor a folder."""
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"Did you mean `sdtui {near[0]}`?" if near else "See `sdtui --help`"
    return f"{word!r} is neither a command nor a folder. {hint}"
