"""Frozen layers in 8 and 4 bits: near the layer, with its gradient, and nothing kept for the backward pass."""

from __future__ import annotations

import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from sdtui.errors import UserError
from sdtui.models.family import load_model
from sdtui.models.quantised import Quantised, Storage, quantise
from tests.support.tiny import tiny_pipeline

CPU = torch.device("cpu")
BITS: list[Storage] = ["8bit", "4bit"]
# Mean deviation of a normal weight: a uniform grid of 255 and NF4's of 16 values.
ERROR = {"8bit": 0.011, "4bit": 0.1}


def linear() -> nn.Linear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Linear(96, 80).requires_grad_(requires_grad=False)


def convolution() -> nn.Conv2d:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Conv2d(16, 40, 3, stride=2, padding=1).requires_grad_(requires_grad=False)


def quantised(layer: nn.Module, bits: Storage) -> Any:
    holder = nn.Sequential(layer)
    quantise(holder, bits)
    return holder[0]


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def test_8_bits_are_whole_numbers_with_a_scale_for_each_output() -> None:
    layer = nn.Linear(4096, 2, bias=False)
    rows = torch.stack([torch.linspace(-1.27, 1.27, 4096), torch.linspace(0, 2.54, 4096)])
    layer.weight.data = rows.clone()
    kept = quantised(layer, "8bit")
    assert kept.codes.dtype == torch.int8
    assert kept.scales.flatten().tolist() == pytest.approx([0.01, 0.02])
    assert kept.codes[0, [0, 2048, 4095]].tolist() == [-127, 0, 127]
    # Half a scale at most.
    assert (kept.weight - rows).abs().amax(1).tolist() == pytest.approx([0.005, 0.01], rel=0.02)


class Told:
    """An operation that keeps the shapes of its answers: the one that it tells a compiler, and its own."""

    def __init__(self, operation: Any) -> None:
        self._operation = operation
        self.default = operation.default
        self.shapes: list[torch.Size] = []

    def __call__(self, *args: Any) -> Tensor:
        with FakeTensorMode(allow_non_fake_inputs=True):
            self.shapes.append(self._operation(*args).shape)
        answer: Tensor = self._operation(*args)
        self.shapes.append(answer.shape)
        return answer


def test_4_bits_come_back_in_the_shape_that_a_compiler_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = quantised(linear(), "4bit")
    told = Told(torch.ops.bitsandbytes.dequantize_4bit)
    monkeypatch.setattr(torch.ops.bitsandbytes, "dequantize_4bit", told)
    assert kept.weight.shape == (80, 96)
    assert told.shapes[0] == told.shapes[1]


@pytest.mark.parametrize("bits", BITS)
def test_the_answer_and_its_gradient_are_those_of_the_restored_weight(bits: Storage) -> None:
    for layer, x in ((linear(), drawn(2, 7, 96)), (convolution(), drawn(2, 16, 9, 8))):
        bias: Any = layer.bias
        kept = quantised(layer, bits)
        weight = kept.weight
        plain: Any = nn.Linear(96, 80) if x.dim() == 3 else nn.Conv2d(16, 40, 3, stride=2, padding=1)
        plain.weight.data, plain.bias.data = weight, bias.data
        ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        answer, expected = kept(ours), plain(theirs)
        assert torch.equal(answer, expected)
        slope = drawn(*answer.shape)
        answer.backward(slope)
        expected.backward(slope)
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("bits", BITS)
def test_the_weight_is_near_what_it_was(bits: Storage) -> None:
    for layer in (linear(), convolution()):
        with torch.no_grad():
            layer.weight.normal_(generator=torch.Generator().manual_seed(2))
        before = layer.weight.clone()
        after = quantised(layer, bits).weight
        assert after.shape == before.shape
        off = float((after - before).norm() / before.norm())
        assert ERROR[bits] / 3 < off < ERROR[bits]


@pytest.mark.parametrize("rows", [1, 64, 96])
def test_blocks_of_4_bits_may_cross_rows(rows: int) -> None:
    before = drawn(rows, 8192 // rows if rows < 96 else 80)
    layer = nn.Linear(before.shape[1], rows, bias=False)
    layer.weight.data = before.clone()
    after = quantised(layer, "4bit").weight
    assert float((after - before).norm() / before.norm()) < 0.1


@pytest.mark.parametrize(("bits", "most"), [("8bit", 1.1), ("4bit", 0.6)])
def test_a_weight_takes_so_many_bytes(bits: Storage, most: float) -> None:
    kept = quantised(linear(), bits)
    assert "weight" not in kept.state_dict()
    assert sum(buffer.nbytes for buffer in kept.buffers()) < most * 96 * 80


@pytest.mark.parametrize("bits", BITS)
def test_nothing_but_the_layer_s_own_bits_is_kept_for_the_backward_pass(bits: Storage) -> None:
    kept = quantised(linear(), bits)
    saved: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        saved.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        kept(drawn(2, 96).requires_grad_())
    assert saved == []


def test_half_precision_computes_in_half_precision() -> None:
    kept = quantised(linear().bfloat16(), "8bit")
    with torch.autocast("cpu", torch.bfloat16):
        assert kept(drawn(2, 96)).dtype == torch.bfloat16
    assert kept.weight.dtype == torch.bfloat16


@pytest.mark.parametrize("bits", BITS)
def test_a_loaded_unet_keeps_its_ends_and_answers_nearly_as_before(tmp_path: Path, bits: Storage) -> None:
    base = tiny_pipeline(tmp_path / "model")
    plain, kept = (load_model(base, None, CPU, torch.float32, storage) for storage in ("same", bits))
    layers = {path: layer for path, layer in kept.unet.named_modules() if isinstance(layer, Quantised)}
    assert "down_blocks.1.resnets.0.conv2" in layers
    assert not any(path.startswith(("conv_in", "conv_out", "time_embedding")) for path in layers)
    text = plain.encode_text(["a cat"])
    noisy, times = drawn(1, 4, 8, 8), torch.tensor([500])
    answers = [model.predict(noisy, times, text) for model in (plain, kept)]
    off = float((answers[1] - answers[0]).norm() / answers[0].norm())
    assert 0 < off < 3 * ERROR[bits]
    assert not any(weight.requires_grad for weight in kept.unet.parameters())


@pytest.mark.parametrize("bits", BITS)
def test_of_a_model_that_is_read_one_weight_is_whole_at_a_time(bits: Storage) -> None:
    layers: dict[str, Any] = {"0": linear(), "1": convolution(), "2": linear()}
    given: list[weakref.ref[Tensor]] = []

    def read(name: str) -> Tensor:
        assert not any(earlier() is not None for earlier in given)
        weight: Tensor = layers[name.removesuffix(".weight")].weight.detach().clone()
        given.append(weakref.ref(weight))
        return weight

    with torch.device("meta"):
        holder: Any = nn.Sequential(nn.Linear(96, 80), nn.Conv2d(16, 40, 3, stride=2, padding=1), nn.Linear(96, 80))
    quantise(holder, bits, read)
    assert len(given) == 3
    for name, layer in layers.items():
        assert torch.equal(holder.get_submodule(name).weight, quantised(layer, bits).weight)


@pytest.mark.parametrize("bits", BITS)
def test_a_unet_is_read_as_it_would_be_quantised_whole(tmp_path: Path, bits: Storage) -> None:
    base = tiny_pipeline(tmp_path / "model")
    whole, read = (load_model(base, None, CPU, torch.bfloat16, storage).unet for storage in ("same", bits))
    quantise(whole, bits)
    expected, found = whole.state_dict(), read.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_same_leaves_all_as_it_is() -> None:
    holder = nn.Sequential(linear())
    quantise(holder, "same")
    assert type(holder[0]) is nn.Linear


def test_a_missing_package_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(UserError, match="4bit needs the package bitsandbytes") as caught:
        quantised(linear(), "4bit")
    assert caught.value.remedy == 'pip install "sdtui[four-bit]", or set it to "8bit", which needs no package'
    assert quantised(linear(), "8bit").codes.dtype == torch.int8


def test_a_device_that_cannot_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import bitsandbytes  # noqa: F401 - its operations are registered

    def refused(*_: Any) -> None:
        raise NotImplementedError("no kernel for this device")

    monkeypatch.setattr(torch.ops.bitsandbytes, "quantize_4bit", refused)
    with pytest.raises(UserError, match="cannot keep weights in 4 bits here: no kernel for this device"):
        quantised(linear(), "4bit")
