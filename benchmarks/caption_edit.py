"""One tag replaced in 50 000 captions of 15 to 45 tags, and that undone: seconds, with the journal and every sync.

All of it counts: reading the captions, working the edit out, looking whether they changed meanwhile, the journal's record,
the files. The disk has its say: the share of time that the processor was busy tells how much of it was waiting, and
`SDTUI_BENCH_PLACE=/dev/shm` leaves the disk out.
"""

from __future__ import annotations

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
Answer = TypeVar("Answer")


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("SDTUI_BENCH_PLACE")) as place:
        folder = Path(place)
        make_dataset(folder, FILES)
        for path in folder.rglob("*.txt"):
            path.write_text(f"long hair, {path.read_text()}")
        os.sync()
        library, journal = Library.scan(folder), Journal.open(folder)

        def edit() -> Proposal:
            wanted = Replace(old="long hair", new="very long hair")
            proposal = propose(library, range(FILES), wanted.rewrite(Context(dict, len)), wanted.label)
            journal.apply(proposal.changes, proposal.label)
            return proposal

        proposal, *edited = timed(edit)
        assert len(proposal.changes) == FILES
        _, *undone = timed(journal.undo)
    return [row("replace one tag in all of them", *edited), row("undo that", *undone)]


def row(what: str, seconds: float, processor: float) -> Result:
    detail = f"{FILES / seconds:,.0f} files/s, processor busy {processor:.1f} s, {FILES:,} files"
    return Result(f"captions: {what}", seconds, FILES / BAR, "s", detail)


def timed(work: Callable[[], Answer]) -> tuple[Answer, float, float]:
    begun, used = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - begun, time.process_time() - used
