"""What is said of the machine without PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sdtui.profile.machine import free_bytes, has_gpu, memory_bytes, processor_flags, trains_on_processor
from sdtui.profile.schema import Profile


@pytest.mark.parametrize(("node", "found"), [("nvidia0", True), ("kfd", True), ("nvidiactl", False)])
def test_a_gpu_has_a_node(tmp_path: Path, node: str, found: bool) -> None:
    (tmp_path / node).touch()
    assert has_gpu(tmp_path) is found


@pytest.mark.skipif(sys.platform == "darwin", reason="every Mac has a GPU")
@pytest.mark.parametrize(
    ("device", "processor"), [("auto", (True, False)), ("cpu", (True, True)), ("cuda", (False, False))]
)
def test_where_a_profile_trains(tmp_path: Path, device: str, processor: tuple[bool, bool]) -> None:
    profile = Profile.model_validate({"model": {"base": "x"}, "training": {"steps": 1, "device": device}})
    before = trains_on_processor(profile, tmp_path)
    (tmp_path / "nvidia0").touch()
    assert (before, trains_on_processor(profile, tmp_path)) == processor


def test_there_is_memory() -> None:
    assert memory_bytes() > 1 << 28


def test_what_the_processor_can_do_is_read_from_linux(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nflags\t\t: fpu sse2 amx_bf16\n\nprocessor\t: 1\nflags\t\t: fpu\n")
    assert processor_flags(file) == {"fpu", "sse2", "amx_bf16"}
    assert processor_flags(tmp_path / "none") == frozenset()


def test_free_memory_is_what_linux_says_is_available(tmp_path: Path) -> None:
    information = tmp_path / "meminfo"
    information.write_text("MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:  4000 kB\nHugePages_Total:  0\n")
    assert free_bytes(information, tmp_path / "none") == 4000 * 1024
    assert free_bytes(tmp_path / "none", tmp_path / "none") == memory_bytes()


@pytest.mark.parametrize(
    ("limit", "free"), [("max", 4000 * 1024), ("3000000", 1_000_000), ("90000000", 4000 * 1024), ("5", 0)]
)
def test_a_container_has_what_its_group_leaves(tmp_path: Path, limit: str, free: int) -> None:
    information = tmp_path / "meminfo"
    information.write_text("MemAvailable:  4000 kB\n")
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    # What is only cached can be taken.
    (tmp_path / "memory.stat").write_text("anon 1500000\nfile 900000\nkernel 400000\nshmem 100000\n")
    assert free_bytes(information, tmp_path) == free
