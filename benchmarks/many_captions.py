"""The captions screen with 100 000 images: key to caption and to picture, and the memory of the process.

The captions that are come to name their image, and every picture has another colour than the one before, so that the terminal's bytes tell
when the right one is there.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from PIL import Image

from benchmarks.result import Result
from benchmarks.terminal import Pty, sdtui

IMAGES = 100_000
KEYS = 300
SIZE = 1024
# Colours of the pictures, and their numbers among the 256.
COLOURS = {"red": 196, "lime": 46, "blue": 21, "yellow": 226, "magenta": 201, "cyan": 51}
TAGS = (
    "city",
    "stone wall",
    "archway",
    "tower",
    "cloudy sky",
    "canal",
    "bridge",
    "people",
    "ivy",
    "gate",
    "night",
    "rain",
)


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        make_dataset(Path(folder))
        with Pty(
            sdtui("captions", folder), env={"SDTUI_STATE": f"{folder}/.state", "SDTUI_DATA": f"{folder}/.data"}
        ) as screen:
            screen.seconds_until(b"000000")
            screen.settle(quiet=3.0, limit=120)
            times = [press(screen, index) for index in range(1, KEYS + 1)]
            memory = screen.rss_mib()
    captions, pictures = (sorted(seconds * 1000 for seconds in row) for row in zip(*times, strict=True))
    detail = f"median {{:.1f}} ms, {KEYS} keys, {IMAGES:,} captions, pictures of {SIZE}² pixels"
    return [
        Result("key to painted caption, p95", p95(captions), 30, "ms", detail.format(statistics.median(captions))),
        Result("key to picture, p95", p95(pictures), 150, "ms", detail.format(statistics.median(pictures))),
        Result("memory of the screen's process", memory, 200, "MiB", f"{IMAGES:,} captions loaded"),
    ]


def p95(values: list[float]) -> float:
    """What 95 of 100 stay below; `values` rise."""
    return values[int(0.95 * len(values))]


def press(screen: Pty, index: int) -> tuple[float, float]:
    """Go on to the image of this index: seconds to its caption, and to its picture."""
    colour = f"48;5;{list(COLOURS.values())[index % len(COLOURS)]}m".encode()
    begun = time.perf_counter()
    screen.type(b"j")
    caption = screen.seconds_until(f"n{index:06d}".encode(), since=begun)
    picture = screen.seconds_until(colour, since=begun)
    screen.settle(quiet=0.05, limit=1.0)
    time.sleep(0.01)
    return caption, picture


def make_dataset(folder: Path) -> None:
    """`IMAGES` pictures (hard links to a file of each colour) with a caption of six or seven tags each."""
    originals = []
    for colour in COLOURS:
        originals.append(folder / f".{colour}")
        Image.new("RGB", (SIZE, SIZE), colour).save(originals[-1], "PNG")
    for index in range(IMAGES):
        stem = folder / f"{index:06d}"
        os.link(originals[index % len(originals)], f"{stem}.png")
        tags = [TAGS[(index + offset * 5) % len(TAGS)] for offset in range(6)]
        # Only those that are come to: a hundred thousand different tags would be another dataset.
        tags += [f"n{index:06d}"] if index <= KEYS else []
        Path(f"{stem}.txt").write_text(", ".join(tags))
