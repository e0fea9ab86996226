"""One tag replaced in 50 000 captions of 15 to 45 tags, and that undone: seconds, with the journal and every sync.

All of it counts: reading the captions, working the edit out, looking whether they changed meanwhile, the journal's record,
the files. The disk has its say, so a bare loop that writes each file beside the old one and renames it, with no journal and no
sync, is measured as well; `SDTUI_BENCH_PLACE=/dev/shm` leaves the disk out.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.caption_index import make_dataset
from benchmarks.result import Result
from sdtui.dataset.bulk import Proposal, propose
from sdtui.dataset.edit import Journal
from sdtui.dataset.library import Library
from sdtui.dataset.operations import Context, Replace

FILES = 50_000
BAR = 5_000  # files a second
BARE = 2_000
Answer = TypeVar("Answer")


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("SDTUI_BENCH_PLACE")) as place:
        folder = Path(place)
        make_dataset(folder, FILES)
        for path in folder.rglob("*.txt"):
            path.write_text(f"long hair, {path.read_text()}")
        os.sync()
        _, bare, _ = timed(lambda: rewrite_bare(folder))
        library, journal = Library.scan(folder), Journal.open(folder)

        def edit() -> Proposal:
            wanted = Replace(old="long hair", new="very long hair")
            proposal = propose(library, range(FILES), wanted.rewrite(Context(dict, len)), wanted.label)
            journal.apply(proposal.changes, proposal.label)
            return proposal

        proposal, *edited = timed(edit)
        assert len(proposal.changes) == FILES
        _, *undone = timed(journal.undo)
    floor = f"a bare loop: {BARE / bare:,.0f} files/s"
    return [row("replace one tag in all of them", floor, *edited), row("undo that", floor, *undone)]


def rewrite_bare(folder: Path) -> None:
    """What any program that replaces files in one step has to do, one after the other."""
    for path in itertools.islice(folder.rglob("*.txt"), BARE):
        beside = f"{path}.tmp"
        with open(beside, "wb") as stream:
            stream.write(path.read_bytes())
        os.replace(beside, path)


def row(what: str, floor: str, seconds: float, processor: float) -> Result:
    detail = f"{FILES / seconds:,.0f} files/s, processor busy {processor:.1f} s; {floor}"
    return Result(f"captions: {what}", seconds, FILES / BAR, "s", detail)


def timed(work: Callable[[], Answer]) -> tuple[Answer, float, float]:
    begun, used = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - begun, time.process_time() - used
