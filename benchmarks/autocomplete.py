"""What typing a letter of a tag costs with a list of 140 782 tags: the time of one search, of opening the list, and its memory.

The list is made by a script in the shape of danbooru's (names of one to four words, a third with other names, most of them
rare). The floor is what no search can do without: the names that begin with the text, by `bisect` in a sorted list; and one
look at every name for the text inside it, as other programs do.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from pathlib import Path
from typing import Any

from benchmarks.result import Result

ROWS = 140_782
ROUNDS = 15
# What people type, letter by letter, with a slip in some.
TYPED = (
    "long hair",
    "blue eyes",
    "1girl",
    "eyes blu",
    "stnading",
    "wooden tower",
    "hatsune",
    "xq",
    "brideg",
    "(bronze)",
)


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_list(folder / "tags.csv")
        environment = {**os.environ, "SDTUI_CACHE": str(folder / "cache")}
        made, figures = child(folder, environment), child(folder, environment)
    slowest = figures["slowest"]
    floors = f"bisect {figures['bisect']:.2f} ms, a look at every name {figures['all']:.1f} ms"
    return [
        Result("tags: one letter typed, slowest of all", slowest["ms"], 5, "ms", f"{slowest['typed']!r}; 95 of 100 in {figures['p95']:.1f} ms; {floors}"),
        Result("tags: open the list again", figures["open"], 50, "ms", f"{ROWS:,} tags; first time {made['open'] / 1000:.1f} s"),
        Result("tags: memory of the open list", figures["mib"], 24, "MiB", "of the process, after all searches"),
    ]  # fmt: skip


def child(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.autocomplete", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main(folder: Path) -> dict[str, Any]:
    """In the child: open the list and search it."""
    from benchmarks.caption_index import rss_mib
    from sdtui.dataset import vocabulary_file

    before, begun = rss_mib(), time.perf_counter()
    vocabulary = vocabulary_file.load([folder / "tags.csv"])
    opened = time.perf_counter() - begun
    texts = sorted({word[:cut] for word in TYPED for cut in range(1, len(word) + 1)})
    times = {text: fastest(lambda text=text: vocabulary.find(text, 8)) for text in texts}
    mib = rss_mib() - before
    names = [line.split(",", 1)[0].replace("_", " ") for line in (folder / "tags.csv").read_text().splitlines()]
    ordered = sorted(names)
    slowest = max(times, key=lambda text: times[text])
    return {
        "open": opened * 1000,
        "slowest": {"typed": slowest, "ms": times[slowest]},
        "p95": sorted(times.values())[len(times) * 95 // 100],
        "bisect": fastest(lambda: ordered[bisect_left(ordered, "long") :][:8]),
        "all": fastest(lambda: [name for name in names if "wooden" in name]),
        "mib": mib,
    }


def fastest(work: Any) -> float:
    """Milliseconds; the fastest of some rounds, as other programs run beside."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times) * 1000


def make_list(path: Path) -> None:
    """Rows as tagcomplete keeps them, the most used first."""
    source = random.Random(11)
    plain = _words(
        "long short very blue red green black white hair eyes dress hat gloves standing sitting looking at viewer smile open "
        "mouth closed wooden stone bridge tower night sky cloudy rain street city garden holding sword book between behind "
        "school uniform shirt skirt sleeves wide striped ribbon bow ahoge twintails braid ponytail hatsune miku saber fate"
    )
    syllables = [head + tail for head in _words("b ch d f g h j k l m n r s sh t v w y z") for tail in "aeiou"]
    words = plain + ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(30_000)]
    weights = [1 / (rank + 3) ** 0.7 for rank in range(len(words))]
    names: dict[str, None] = dict.fromkeys(("1girl", "solo", "long_hair", "blue_eyes"))
    while len(names) < ROWS:
        many = iter(source.choices(words, weights, k=3 * ROWS))
        for word in many:
            name = "_".join([word, *(next(many, "x") for _ in range(source.choice((0, 0, 1, 1, 2))))])
            names[f"{name}_({next(many, 'x')})" if source.random() < 0.15 else name] = None
            if len(names) == ROWS:
                break
    lines = []
    for rank, name in enumerate(names):
        aliases = [f"{source.choice(words)}_{source.choice(words)}" for _ in range(source.choice((0, 0, 0, 0, 1, 2)))]
        told = '"' + ",".join(aliases) + '"' if aliases else ""
        lines.append(f"{name},{source.choice((0, 1, 1, 3, 4, 4))},{6_000_000 // (rank + 1)},{told}\n")
    path.write_text("".join(lines))


def _words(text: str) -> list[str]:
    return text.split()


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
