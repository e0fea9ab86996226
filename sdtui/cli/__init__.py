"""The `sdtui` command: finds the verb, imports only what that verb runs, and turns every failure into one message."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from sdtui import __version__
from sdtui.errors import SdtuiError

INTERRUPTED = 130
USAGE = 2


def entry() -> NoReturn:
    """Console-script entry point; exits with the command's code."""
    sys.exit(main(sys.argv[1:]))


def main(argv: list[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    try:
        return _dispatch(argv)
    except SdtuiError as error:
        _complain(f"sdtui: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _complain("sdtui: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) went away; keep the interpreter from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(argv: list[str]) -> int:
    from sdtui.cli import table

    if argv and argv[0] in {"-V", "--version"}:
        print(f"sdtui {__version__}")
        return 0
    if argv and argv[0] in {"-h", "--help", "help"}:
        print(table.overview())
        return 0
    if argv and argv[0] in table.COMMANDS:
        return table.run(argv[0], argv[1:])
    if not argv or argv[0].startswith("-") or os.path.isdir(argv[0]):
        return table.run("app", argv)
    _complain(f"sdtui: {table.unknown(argv[0])}")
    return USAGE


def _complain(message: str) -> None:
    print(message, file=sys.stderr)
