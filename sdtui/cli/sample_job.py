"""`python -m sdtui.cli.sample_job DIR`: the process that draws what `sdtui sample --detach` was asked for."""

from __future__ import annotations

import signal
import sys

from sdtui.cli import main

if __name__ == "__main__":
    # As Ctrl-C: whole pictures stay, and the job ends as stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(["sample", *sys.argv[1:], "--json"]))
