"""Memory figures: of the process here, torch's own on a GPU."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from sdtui.training.memory import usage

MIB = 1 << 20


def test_the_process_grows_with_what_it_holds() -> None:
    before = usage(torch.device("cpu"))
    held = torch.ones(64 * MIB // 4)
    after = usage(torch.device("cpu"))
    assert before["kind"] == "process"
    assert 55 <= after["used_mib"] - before["used_mib"] <= 80
    assert after["used_mib"] <= after["peak_mib"] + 1 < after["total_mib"]
    assert len(held)


def test_torchs_own_figures_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 100 * MIB)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 150 * MIB)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda _: 200 * MIB)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=1000 * MIB))
    assert usage(torch.device("cuda")) == {
        "kind": "cuda", "used_mib": 150, "peak_mib": 200, "total_mib": 1000,
        "parts": {"allocated": 100, "cached": 50},
    }  # fmt: skip
