from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

FREED = textwrap.dedent("""
    from pathlib import Path
    from sdtui import heap

    def kib():
        return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)

    texts = [bytes(700) for _ in range(100_000)]
    kept = texts[::1000]  # spread over all of it, so that its end alone is not enough
    pin = bytes(700)
    del texts
    before = kib()
    heap.give_back()
    print(before - kib() > 30_000)
""")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_memory_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "True\n"
