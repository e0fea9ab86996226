"""Attention in the UNet is PyTorch's fused one, which keeps no matrix of all pairs of places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from sdtui.models.family import load_model
from tests.support.tiny import tiny_pipeline


def test_every_attention_of_the_unet_is_fused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unet: Any = load_model(tiny_pipeline(tmp_path / "model"), None, torch.device("cpu"), torch.float32).unet
    fused = functional.scaled_dot_product_attention
    calls: list[int] = []

    def counted(*args: Any, **named: Any) -> torch.Tensor:
        calls.append(1)
        answer: torch.Tensor = fused(*args, **named)
        return answer

    monkeypatch.setattr(functional, "scaled_dot_product_attention", counted)
    unet(torch.zeros(1, 4, 8, 8), torch.tensor([1]), torch.zeros(1, 77, unet.config.cross_attention_dim))
    attentions = sum(type(module).__name__ == "Attention" for module in unet.modules())
    assert len(calls) == attentions == 32
