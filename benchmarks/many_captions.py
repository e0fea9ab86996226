"""The captions screen with 100 000 images: key to first byte, and the memory of the process."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.result import Result
from benchmarks.terminal import Pty, sdtui

IMAGES = 100_000
KEYS = 300
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)
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
            latencies = sorted(press(screen, key) for key in [b"j"] * KEYS)
            memory = screen.rss_mib()
    p95 = latencies[int(0.95 * len(latencies))] * 1000
    detail = f"median {statistics.median(latencies) * 1000:.1f} ms, {KEYS} keys, {IMAGES:,} captions"
    return [
        Result("key to first byte, captions screen, p95", p95, 30, "ms", detail),
        Result("memory of the screen's process", memory, 150, "MiB", f"{IMAGES:,} captions loaded"),
    ]


def press(screen: Pty, key: bytes) -> float:
    latency = screen.latency(key)
    screen.settle(quiet=0.05, limit=1.0)
    time.sleep(0.01)
    return latency


def make_dataset(folder: Path) -> None:
    """`IMAGES` one-pixel pictures (hard links to one file) with a caption of six tags each."""
    original = folder / ".pixel"
    original.write_bytes(PNG)
    for index in range(IMAGES):
        stem = folder / f"{index:06d}"
        if index % 30_000 == 0:  # file systems limit the links to one file
            original = folder / f".pixel{index}"
            original.write_bytes(PNG)
        os.link(original, f"{stem}.png")
        Path(f"{stem}.txt").write_text(", ".join(TAGS[(index + offset * 5) % len(TAGS)] for offset in range(6)))
