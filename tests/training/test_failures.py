"""Each failure as one sentence."""

from __future__ import annotations

import math

import torch

from sdtui.errors import UserError
from sdtui.training.failures import NotFiniteError, explain


def test_our_own_errors_stay_as_they_are() -> None:
    error = UserError("x")
    assert explain(error) is error


def test_an_unexpected_error_is_its_first_line() -> None:
    assert explain(ValueError("first\nsecond")).message == "unexpected ValueError: first"
    assert explain(ValueError()).message == "unexpected ValueError: no message"


def test_out_of_memory_says_what_to_lower() -> None:
    for error in (MemoryError(), torch.cuda.OutOfMemoryError("CUDA out of memory")):
        explained = explain(error)
        assert explained.message == "the device has no memory left"
        assert "batch_size" in explained.remedy


def test_not_finite_tells_loss_from_gradient() -> None:
    assert NotFiniteError(3, math.nan, []).message == "the loss is nan in step 3"
    assert NotFiniteError(3, 0.5, ["a.png"]).message == "a gradient is not finite in step 3"
