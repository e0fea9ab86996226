"""The `sdtui` command: finds the verb, imports only what that verb runs, and turns every failure into one message."""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn

from sdtui import __version__
from sdtui.errors import SdtuiError

INTERRUPTED = 130
USAGE = 2

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def entry() -> NoReturn:
    """Console-script entry point; exits with the command's code."""
    sys.exit(main(sys.argv[1:]))


def main(argv: list[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    try:
        try:
            return _dispatch(argv)
        finally:
            # Now, not when the interpreter ends and nobody can tell what went wrong.
            _flush()
    except SdtuiError as error:
        _complain(f"sdtui: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _complain("sdtui: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) went away; keep the interpreter from complaining about it at exit.
        _drop_output()
        return 0
    except OSError as error:
        # Files name themselves in their errors; what names none and is full is where the output goes.
        if error.filename is not None or error.errno not in _FULL:
            raise
        _complain(f"sdtui: the output cannot be written: {error.strerror}")
        _drop_output()
        return 1


def _flush() -> None:
    # None where the caller closed it.
    if sys.stdout is not None:
        sys.stdout.flush()


def _drop_output() -> None:
    """Let what is still waiting go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(argv: list[str]) -> int:
    from sdtui.cli import table

    if argv and argv[0] in {"-V", "--version"}:
        print(f"sdtui {__version__}")
        return 0
    if len(argv) > 1 and argv[0] == "help":
        return _explain(argv[1])
    if argv and argv[0] in {"-h", "--help", "help"}:
        print(table.overview())
        return 0
    if argv and argv[0] in table.COMMANDS:
        return table.run(argv[0], argv[1:])
    if not argv or argv[0].startswith("-") or os.path.isdir(argv[0]):
        return table.run("app", argv)
    _complain(f"sdtui: {table.unknown(argv[0])}")
    return USAGE


def _explain(word: str) -> int:
    """`sdtui help VERB` is `sdtui VERB --help`."""
    from sdtui.cli import table

    if word in table.COMMANDS:
        return table.run(word, ["--help"])
    _complain(f"sdtui: {table.unknown(word)}")
    return USAGE


def _complain(message: str) -> None:
    print(message, file=sys.stderr)
