"""Run every benchmark (or those named), print the machine and one row a figure; exit 1 when a bar is missed, 2 when one cannot run.

Named only, as they take longer or need what not every machine has: full_size (minutes, 7 GB of disk), training_step_sd15 (ten minutes, 20 GB of memory)
and gpu_throughput (CUDA; its option is `--peak-tflops N`).
"""

from __future__ import annotations

import importlib
import itertools
import sys

from benchmarks.result import machine
from sdtui.errors import SdtuiError

BENCHMARKS = (
    "first_frame",
    "bytes_on_the_wire",
    "many_captions",
    "caption_index",
    "caption_edit",
    "autocomplete",
    "tag_scores",
    "tagging_speed",
    "open_run",
    "training_step",
    "first_step",
    "training_start",
    "caching",
    "many_images",
    "memory_estimate",
    "training_precision",
    "settings_cost",
)


def main(words: list[str]) -> int:
    names = list(itertools.takewhile(lambda word: not word.startswith("--"), words))
    options = words[len(names) :]
    print(machine())
    missed = 0
    for name in names or BENCHMARKS:
        measure = importlib.import_module(f"benchmarks.{name}").measure
        try:
            results = measure(options) if options else measure()
        except SdtuiError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_code
        for result in results:
            print(result.line(), flush=True)
            missed += not result.passed
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
