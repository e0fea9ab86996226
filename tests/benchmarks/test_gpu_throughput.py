"""What a GPU's figures are reckoned from: the operations of a step, and the device's peak."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.gpu_throughput import WORKS, count, measure, peak_tflops, rows
from sdtui.errors import UserError


class OneConvolution(nn.Module):
    """A model of one 1×1 convolution of four channels."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(4, 4, 1, device="meta")

    def forward(self, latents: Tensor, _timesteps: Tensor, **_told: Any) -> SimpleNamespace:
        return SimpleNamespace(sample=self.layer(latents))


def test_a_step_is_the_forward_pass_and_the_gradients_of_what_flows_through_but_not_of_frozen_weights() -> None:
    latents = torch.empty(1, 4, 2, 2, device="meta")
    # 4 places × 4 outputs × 4 inputs, a product and a sum each, and as much back.
    assert count(OneConvolution(), latents, torch.zeros(1, device="meta"), {}) == 2 * (4 * 4 * 4 * 2)


@pytest.mark.parametrize(
    ("device", "peak"), [("NVIDIA H200", 989), ("NVIDIA L4", 121), ("NVIDIA L40S", 362), ("NVIDIA H100 PCIe", 756)]
)
def test_the_peak_is_found_by_the_devices_name(device: str, peak: float) -> None:
    assert peak_tflops(device) == peak


def test_an_unknown_device_needs_to_be_told_its_peak() -> None:
    assert peak_tflops("Something New", ["--peak-tflops", "1234.5"]) == 1234.5
    with pytest.raises(UserError, match="peak of Something New is not known"):
        peak_tflops("Something New")


def test_mfu_is_work_over_what_the_device_could_do_meanwhile() -> None:
    images, mfu = rows(WORKS[0], 4, 1.75e12, 0.02, 1000.0, "a device")
    assert images.value == 200
    assert mfu.value == pytest.approx(0.35)
    assert mfu.passed
    assert not rows(WORKS[0], 4, 1.75e12, 0.021, 1000.0, "a device")[1].passed


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="needs a CUDA device"):
        measure()
