"""What the device is set to before anything is computed on it, in which precision and with how many threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.errors import UserError
from sdtui.profile.schema import Profile
from sdtui.training import device
from sdtui.training.__main__ import main
from sdtui.training.device import open_device, usable_threads
from tests.training.workplace import events, make_run, start


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def profile(**training: Any) -> Profile:
    return Profile.model_validate({"model": {"base": "/no/such/model"}, "training": {"steps": 1, **training}})


def test_attention_on_a_gpu_is_deterministic_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch picks the deterministic backward pass of flash attention only when it must, not when it may warn."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    try:
        device._make_deterministic()
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(mode=False)


@pytest.mark.parametrize(("flags", "precision"), [({"avx512_bf16"}, "bf16"), ({"avx512f"}, "fp32")])
def test_auto_is_settled_once_for_all_that_follows(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], precision: str
) -> None:
    monkeypatch.setattr(device, "processor_flags", lambda: frozenset(flags))
    opened = open_device(profile(device="cpu"))
    assert opened.profile.training.precision == precision
    assert opened.accelerator.mixed_precision == ("no" if precision == "fp32" else precision)


def test_what_the_profile_says_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "processor_flags", lambda: frozenset({"avx512_bf16"}))
    assert open_device(profile(device="cpu", precision="fp32")).profile.training.precision == "fp32"


@pytest.mark.parametrize(("supported", "precision"), [(True, "bf16"), (False, "fp16")])
def test_a_gpu_without_bf16_computes_in_fp16(monkeypatch: pytest.MonkeyPatch, supported: bool, precision: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported or including_emulation)
    assert device._settled(profile(), "cuda").training.precision == precision


def test_the_run_says_device_precision_and_threads(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 1, "threads": 1}})
    assert main([str(run.path)]) == 0
    begun = events(run, "run")[0]
    # The tiny model is faster in fp32 whatever the processor can do.
    assert (begun["device"], begun["precision"], begun["threads"]) == ("cpu", "fp32", 1)
    assert "computing on cpu in fp32, 1 thread on the processor\n" in run.log_file.read_text()


def test_threads_are_set_as_the_profile_says() -> None:
    assert open_device(profile(device="cpu", threads=3)).threads == 3
    assert torch.get_num_threads() == 3


def test_no_more_threads_than_the_process_may_keep_busy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    torch.set_num_threads(16)
    assert usable_threads(tmp_path) == 8
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("350000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_threads(tmp_path) == 3
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert usable_threads(tmp_path) == 8
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert usable_threads(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert usable_threads(tmp_path) == 8
    torch.set_num_threads(2)
    assert usable_threads(tmp_path) == 2


def test_bf16_learns_as_fp32_does(workplace: Path) -> None:
    losses = []
    for precision in ("fp32", "bf16"):
        run = make_run(workplace, {"training": {"steps": 12, "precision": precision}})
        process = start(run)
        process.join()
        assert process.exitcode == 0
        losses.append([event["loss"] for event in events(run, "step")])
    assert losses[1] != losses[0]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


@pytest.mark.parametrize(
    ("kind", "gpus", "nccl", "message"),
    [
        ("cuda", 2, True, "3 processes need as many GPUs, and 2 can be used here"),
        ("cuda", 3, False, "this PyTorch was built without NCCL, by which GPUs talk to each other"),
        ("mps", 0, False, "an Apple GPU trains in one process"),
    ],
)
def test_each_process_needs_a_device(
    monkeypatch: pytest.MonkeyPatch, kind: str, gpus: int, nccl: bool, message: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: nccl)
    with pytest.raises(UserError) as caught:
        device._require_devices(kind, 3)
    assert (caught.value.message, caught.value.where) == (message, "launch.processes")


@pytest.mark.parametrize(("supported", "found"), [(True, None), (False, "1")])
def test_cards_that_cannot_reach_each_others_memory(
    monkeypatch: pytest.MonkeyPatch, supported: bool, found: str | None
) -> None:
    for name in ("NCCL_P2P_DISABLE", "NCCL_IB_DISABLE"):
        # Set, so that what the test changes is put back.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    monkeypatch.setattr(device, "check_cuda_p2p_ib_support", lambda: supported)
    device._require_devices("cuda", 2)
    assert os.environ.get("NCCL_P2P_DISABLE") == found


def test_a_run_starts_its_processes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Many:
        num_processes = 2

    monkeypatch.setattr(device, "Accelerator", lambda **_: Many())
    with pytest.raises(UserError, match="a run starts its processes itself"):
        open_device(profile(device="cpu"))
