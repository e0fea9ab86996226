"""Run every benchmark (or those named), print the machine and one row a figure; exit 1 when a bar is missed."""

from __future__ import annotations

import importlib
import sys

from benchmarks.result import machine

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
    "training_start",
    "caching",
    "many_images",
    "memory_estimate",
    "training_precision",
)


def main(names: list[str]) -> int:
    print(machine())
    missed = 0
    for name in names or BENCHMARKS:
        for result in importlib.import_module(f"benchmarks.{name}").measure():
            print(result.line(), flush=True)
            missed += not result.passed
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
