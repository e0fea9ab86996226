"""What the device is set to before anything is computed on it."""

from __future__ import annotations

import os

import pytest
import torch

from sdtui.training import prepare


def test_attention_on_a_gpu_is_deterministic_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch picks the deterministic backward pass of flash attention only when it must, not when it may warn."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    try:
        prepare._make_deterministic()
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(mode=False)
