"""Each failure as one sentence."""

from __future__ import annotations

import math

import torch

from sdtui.errors import UserError
from sdtui.training.failures import NotFiniteError, TooLargeError, explain, headline, is_out_of_memory


def test_our_own_errors_stay_as_they_are() -> None:
    error = UserError("x")
    assert explain(error) is error


def test_an_unexpected_error_is_its_first_line() -> None:
    assert explain(ValueError("first\nsecond")).message == "unexpected ValueError: first"
    assert explain(ValueError()).message == "unexpected ValueError: no message"


def test_out_of_memory_says_what_to_lower() -> None:
    allocator = RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"
    )
    driver = RuntimeError(
        "CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions."
    )
    cudnn = RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")
    for error in (MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), allocator, driver, cudnn):
        assert is_out_of_memory(error)
        explained = explain(error)
        assert explained.message == "the device has no memory left"
        assert "gradient_checkpointing" in explained.remedy
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("MPS backend out of memory"))


def test_one_image_that_does_not_fit_is_told_by_its_size() -> None:
    assert TooLargeError((512, 768)).message == "the device has no memory for one image of 512×768 px"


def test_not_finite_tells_loss_from_gradient() -> None:
    assert NotFiniteError(3, math.nan, []).message == "the loss is nan in step 3"
    assert NotFiniteError(3, 0.5, ["a.png"]).message == "a gradient is not finite in step 3"


def test_what_is_not_finite_before_anything_was_learned_is_the_base_model_s() -> None:
    assert "look at the base model" in NotFiniteError(1, math.nan, []).remedy
    assert "lower the learning rate" in NotFiniteError(2, math.nan, []).remedy


def test_of_a_list_one_line_is_kept() -> None:
    assert headline("the disk is full") == "the disk is full"
    assert headline("1 image cannot be read:\n  a.png: empty") == "1 image cannot be read: a.png: empty"
    assert headline("2 images cannot be read:\n  a.png: empty\n  b.png: empty") == "2 images cannot be read"
