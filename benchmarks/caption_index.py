"""The index of all captions and queries over it: 100 000 images with 15 to 45 tags each, or `SDTUI_BENCH_IMAGES`.

Bars grow with the number of images: `SDTUI_BENCH_IMAGES=1000000` shows that nothing takes more than its share. That many need
6 GB of `TMPDIR` and some minutes.

Each figure comes from a process of its own, so that what one opened does not help the next. The files are in the kernel's
cache (they have just been written); a first opening from a cold disk takes as long as the disk does.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.result import Result

IMAGES = int(os.environ.get("SDTUI_BENCH_IMAGES", "100000"))
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)
LINKS = 30_000  # file systems limit the links to one file
FOLDER_OF = 10_000
ROUNDS = 5
WORDS = (
    "red blue long short stone wooden old dark bright small large white black green striped torn wet",
    "hair dress wall tower sky bridge hat gate sleeve ribbon boat lamp tree window glove",
)
# (kind, bar in ms, queries)
QUERIES: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    (
        "boolean",
        20,
        (
            "tag:torn sleeve14 AND NOT (tag:black hat8 OR tag:white wall1) AND tags:20..30",
            "tags:<18 OR chars:>500 OR problem:twice",
            "NOT tag:stone wall1 AND NOT mark:1",
        ),
    ),
    ("wildcard", 60, ("tag:*hair*", "tag:st?ne* OR tag:*wall?", "name:*7?3*", "path:*12*9", "caption:long*1")),
    (
        "regex",
        600,
        (
            r"tag:/^s.*\d$/",
            r"caption:/stone\w* wall\d/",
            r"caption:/stone w.*l3\b/",
            r"caption:/(\w)\1\1/",
            r"caption:/t.{3,9}, w/",
        ),
    ),
    ("regex over all captions", 600, (r"caption:/(red|blue) (hair|hat)\d+, /",)),
)


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_dataset(folder, IMAGES)
        time.sleep(2.5)  # captions younger than that are read again at the next opening
        first, again, changed = child(folder), child(folder), child(folder, "change")
        asked = child(folder, "ask")
    share = IMAGES / 100_000
    detail = f"{IMAGES:,} captions, {first['tags']:,} different tags"
    results = [
        Result("open: full index ready", first["seconds"], 6 * share, "s", f"{worked(first)}, {detail}"),
        Result(
            "open again: full index ready",
            again["seconds"],
            1.5 * share,
            "s",
            f"{worked(again)}, listing and looking at every file included",
        ),
        Result(
            "open again, 100 captions changed since",
            changed["seconds"],
            1.5 * share,
            "s",
            f"{worked(changed)}, {changed['read']} read",
        ),
        Result(
            "memory with the index, before a screen", again["mib"], 200 * share, "MiB", f"{first['mib']:.0f} while made"
        ),
    ]
    look = asked.pop("look")
    results.append(
        Result(
            "look at the disk, nothing changed", look["ms"], 25, "ms", f"once a second; {look['worked']:.1f} ms worked"
        )
    )
    for kind, bar, _queries in QUERIES:
        slowest = max(asked[kind], key=lambda one: one["ms"])
        words = (
            f"slowest of {len(asked[kind])}, median of {ROUNDS}, {slowest['worked']:.0f} ms worked: {slowest['query']}"
        )
        results.append(Result(f"query, {kind}", slowest["ms"], bar * share, "ms", words))
    return results


def worked(figures: dict[str, Any]) -> str:
    """Time of one core, which says more than the clock where other programs run."""
    return f"{figures['processor']:.2f} s of processor"


def child(folder: Path, job: str = "open") -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.caption_index", job, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main(job: str, folder: Path) -> dict[str, Any]:
    """In the child: open the dataset, and what else the job is."""
    from sdtui.dataset.disk_watch import DiskWatch
    from sdtui.dataset.index import Index
    from sdtui.dataset.library import Library
    from sdtui.dataset.marks import Marks
    from sdtui.dataset.query import Searcher, parse

    if job == "change":
        for path in itertools.islice(folder.rglob("*.txt"), 100):
            path.write_text("changed")
    begun, used = time.perf_counter(), time.process_time()
    index = Index(Library.scan(folder))
    known = list(index.load())
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    index.keep()
    if job == "ask":
        searcher = Searcher(index, Marks(folder))
        searcher.warm()
        # A new one each time: after a look it rests.
        asked: dict[str, Any] = {"look": timed(lambda: DiskWatch(index).look())}
        for kind, _bar, queries in QUERIES:
            asked[kind] = [{"query": query, **timed(partial(searcher.find, parse(query)))} for query in queries]
        return asked
    return {
        "seconds": seconds,
        "processor": processor,
        "read": known[-1] - known[0],
        "tags": len(index.words),
        "mib": rss_mib(),
    }


def timed(work: Callable[[], object]) -> dict[str, float]:
    """The median of some rounds: ms, and ms that a processor worked, which says more where other programs run."""
    times = []
    for _ in range(ROUNDS):
        begun, used = time.perf_counter(), time.process_time()
        work()
        times.append(((time.perf_counter() - begun) * 1000, (time.process_time() - used) * 1000))
    ms, worked = sorted(times)[ROUNDS // 2]
    return {"ms": ms, "worked": worked}


def rss_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def make_dataset(folder: Path, images: int) -> None:
    """One-pixel pictures (hard links) with captions of 15 to 45 of 4 080 tags, few of them frequent, most rare."""
    source = random.Random(7)
    adjectives, nouns = (words.split() for words in WORDS)
    vocabulary = [f"{adjective} {noun}{number}" for adjective in adjectives for noun in nouns for number in range(16)]
    source.shuffle(vocabulary)
    weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(vocabulary))))
    pixel = folder
    for index in range(images):
        place = folder / f"{index // FOLDER_OF:03d}"
        if index % FOLDER_OF == 0:
            place.mkdir()
        if index % LINKS == 0:
            pixel = folder / f".pixel{index}"
            pixel.write_bytes(PNG)
        os.link(pixel, place / f"{index:07d}.png")
        tags = source.choices(vocabulary, cum_weights=weights, k=source.randint(15, 45))
        (place / f"{index:07d}.txt").write_text(", ".join(tags))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
