"""`python -m sdtui.tagging JOB_DIR`: the process of one tagging job."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from sdtui.errors import SdtuiError
from sdtui.tagging.job import run


def main(arguments: list[str]) -> int:
    """Do the job in the folder `arguments[0]`; 0 when it ended or was stopped, 1 or 2 when it failed."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m sdtui.tagging JOB_DIR\n")
        return 2
    # As Ctrl-C: what is scored is stored, and the job ends as stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(Path(arguments[0]).absolute())
    except KeyboardInterrupt:
        return 0
    except SdtuiError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
