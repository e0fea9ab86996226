"""What is said of the machine without PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sdtui.profile.machine import has_gpu, memory_bytes, processor_flags, trains_on_processor
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
