"""`--on-conflict`: whose version a caption gets that another program changed since the edit was worked out or made."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from sdtui.dataset.conflict import Choice, Conflict, ConflictError
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError

_CHOICES: tuple[Choice, ...] = get_args(Choice)
_WORDS = {"mine": "overwritten", "theirs": "left as it is", "merge": "merged"}


def add_option(parser: argparse.ArgumentParser) -> None:
    """Declare it."""
    parser.add_argument(
        "--on-conflict",
        dest="on_conflict",
        action="append",
        default=[],
        metavar="WHOSE[=FILE]",
        help="of captions that another program changed meanwhile: mine (overwrite), theirs (leave), merge (tag by tag), "
        "stop (the default: nothing is written); =FILE: for that caption file alone; repeatable",
    )


@contextlib.contextmanager
def choice_offered() -> Iterator[None]:
    """A conflict that nobody decided on ends the command, and the option that decides is named."""
    try:
        yield
    except ConflictError as error:
        raise SdtuiError(
            error.message,
            remedy="Nothing was overwritten. Look at the files and say whose version they get: --on-conflict mine, theirs or "
            "merge, or merge=FILE for one; what cannot be merged needs one of the others",
        ) from error


class Choices:
    """What was chosen, and for which files it was asked.

    Attributes:
        taken: the files that were in conflict, each with whose version it got.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        """Raises UserError for a choice that there is not."""
        self.taken: list[tuple[Path, Choice]] = []
        self._folder = Path(args.folder)
        self._for_all: Choice | None = None
        self._for_one: dict[str, Choice | None] = {}
        for word in args.on_conflict:
            self._take(word)

    def __call__(self, conflict: Conflict) -> Choice | None:
        """As `dataset.conflict.Choose`."""
        choice = self._for_one.get(os.path.abspath(conflict.path), self._for_all)
        if choice is not None:
            self.taken.append((conflict.path, choice))
        return choice

    def tell(self) -> None:
        """Say on stderr what became of each."""
        for path, choice in self.taken:
            print(f"sdtui: {printable(path)}: changed by another program meanwhile; {_WORDS[choice]}", file=sys.stderr)

    def report(self) -> list[dict[str, Any]]:
        """The same for a JSON answer."""
        return [{"path": printable(path), "choice": choice} for path, choice in self.taken]

    def _take(self, word: str) -> None:
        whose, equals, file = word.partition("=")
        if whose not in {*_CHOICES, "stop"}:
            raise UserError(
                f"--on-conflict {whose!r} is not possible",
                remedy=f"Give {', '.join(_CHOICES)} or stop, or one for a file",
            )
        choice = next((each for each in _CHOICES if each == whose), None)
        if not equals:
            self._for_all = choice
            return
        # As it is written, or as a path in the dataset.
        for path in (Path(file), self._folder / file):
            self._for_one[os.path.abspath(path)] = choice
