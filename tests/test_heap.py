from __future__ import annotations

import gc
import subprocess
import sys
import textwrap

import pytest

from sdtui import heap

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


AGAIN = textwrap.dedent("""
    import resource
    from sdtui import heap

    def faults():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(50):
            kept = [b"x" * (3 << 20) for _ in range(4)]
            del kept
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    faults()
    before = faults()
    heap.keep_large()
    faults()
    print(before > 50_000, faults() < 5_000)
""")


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's rule")
def test_blocks_of_some_mib_are_kept_for_the_next_ones() -> None:
    done = subprocess.run([sys.executable, "-c", AGAIN], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "True True\n"


PASSED_BY = textwrap.dedent("""
    import gc, weakref
    from sdtui import heap

    class Node:
        pass

    def circle():
        node = Node()
        node.itself = node
        return weakref.ref(node)

    with heap.importing():
        was_enabled, made = gc.isenabled(), circle()
    later = circle()
    gc.collect()
    print(was_enabled, gc.isenabled(), made() is not None, later() is None)
""")


def test_what_is_imported_is_passed_by_and_what_comes_later_is_not() -> None:
    done = subprocess.run([sys.executable, "-c", PASSED_BY], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "False True True True\n"


def test_garbage_is_looked_for_again_after_an_import_that_failed_and_not_where_it_was_not_before() -> None:
    def fail() -> None:
        with heap.importing():
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert gc.isenabled()
    gc.disable()
    try:
        with heap.importing():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
