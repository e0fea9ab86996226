"""Training beside a base whose weights are kept in 8 or 4 bits."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from sdtui.models.family import load_model
from sdtui.models.quantised import Quantised, Storage, quantise
from sdtui.profile.factors import Site, shapes
from sdtui.profile.schema import Profile
from sdtui.runs.layout import RunFolder
from sdtui.training.__main__ import main
from sdtui.training.methods import lora
from sdtui.training.methods.adapters import ALGORITHMS, Adapter
from sdtui.training.methods.adapters.layer import Plan
from tests.training.workplace import events, make_run

CPU = torch.device("cpu")
BITS: list[Storage] = ["8bit", "4bit"]
KINDS = [*ALGORITHMS, "dora"]


def adapter(name: str, bits: Storage, *, spatial: bool) -> tuple[Adapter, nn.Module]:
    """An adapter on a quantised layer, something learned in it, and a plain layer with the weight as it is kept."""
    torch.manual_seed(0)
    plain: Any = nn.Conv2d(16, 32, 3, padding=1) if spatial else nn.Linear(64, 128)
    holder = nn.Sequential(plain)
    kernel = (3, 3) if spatial else ()
    site = Site("unet", "x", 32 if spatial else 128, 16 if spatial else 64, kernel)
    algorithm = "lora" if name == "dora" else name
    data = {"algorithm": algorithm, "weight_decompose": name == "dora"}
    method = Profile.model_validate({"model": {"base": "x"}, "method": data}).method
    base: Any = nn.Conv2d(16, 32, 3, padding=1) if spatial else nn.Linear(64, 128)
    base.bias.data = plain.bias.data.clone()
    quantise(holder, bits)
    base.weight.data = plain.weight
    layer = ALGORITHMS[algorithm](holder[0], Plan(site, shapes(method, site, 4), 4, 4.0))
    layer.start(torch.Generator().manual_seed(1))
    with torch.no_grad():
        for part in layer.learned:
            layer.get_parameter(part).add_(0.1 * torch.randn(layer.get_parameter(part).shape))
    twin = ALGORITHMS[algorithm](base, layer.plan)
    twin.load_state_dict({part: layer.get_parameter(part) for part in layer.learned}, strict=False)
    return layer, twin


@pytest.mark.parametrize("spatial", [False, True], ids=["linear", "convolution"])
@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", KINDS)
def test_every_adapter_learns_as_on_the_restored_layer(name: str, bits: Storage, spatial: bool) -> None:
    layer, twin = adapter(name, bits, spatial=spatial)
    x = torch.randn(2, 16, 6, 5) if spatial else torch.randn(2, 7, 64)
    answers = [each(x) for each in (layer, twin)]
    torch.testing.assert_close(answers[0], answers[1], rtol=1e-4, atol=1e-5)
    slope = torch.randn(answers[0].shape)
    for answer in answers:
        answer.backward(slope)
    for part in layer.learned:
        ours, theirs = layer.get_parameter(part).grad, twin.get_parameter(part).grad
        assert theirs is not None
        assert theirs.abs().sum() > 0
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_large_layers_are_not_written_out_beside_a_quantised_base() -> None:
    layer, _ = adapter("lora", "8bit", spatial=False)
    saved: list[torch.Size] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        layer(torch.randn(999, 64, requires_grad=True))
    assert not {torch.Size([128, 64]), torch.Size([64, 128])}.intersection(saved)


def finished(run: RunFolder) -> dict[str, torch.Tensor]:
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    return load_file(run.output_dir / "tiny.safetensors")


def bits_of(tensors: dict[str, torch.Tensor]) -> dict[str, str]:
    return {name: hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for name, tensor in tensors.items()}


@pytest.mark.parametrize("bits", BITS)
def test_a_run_learns_and_writes_the_file_that_it_would_have_written(workplace: Path, bits: Storage) -> None:
    plain = make_run(workplace)
    kept = make_run(workplace, {"training": {"base_precision": bits}, "saving": {"every_steps": 2}})
    expected, found = finished(plain), finished(kept)
    assert {name: (t.shape, t.dtype) for name, t in found.items()} == {
        name: (t.shape, t.dtype) for name, t in expected.items()
    }
    losses = [[event["loss"] for event in events(run, "step")] for run in (plain, kept)]
    assert losses[1] != losses[0]
    assert losses[1] == pytest.approx(losses[0], rel=0.2)
    # Resumed, it goes on with the same weights in the same bits.
    shutil.rmtree(kept.checkpoints_dir / "step-000004")
    assert bits_of(finished(kept)) == bits_of(found)


@pytest.mark.parametrize("bits", BITS)
def test_the_frozen_weights_are_as_they_were_and_stand_alone_while_frozen(workplace: Path, bits: Storage) -> None:
    model = load_model(workplace / "model", None, CPU, torch.float32, bits)
    noisy, times, text = torch.randn(1, 4, 8, 8), torch.tensor([9]), model.encode_text(["a cat"])
    before = model.predict(noisy, times, text)
    codes = {name: buffer.clone() for name, buffer in model.unet.named_buffers()}
    settings = Profile.model_validate({"model": {"base": "x"}, "method": {"rank": 2}}).method
    trained = lora.prepare(model, settings, 0)
    assert any(isinstance(layer.base, Quantised) for layer in trained.layers.values())
    trained.load_state({name: tensor + 0.1 for name, tensor in trained.state().items()})
    assert not torch.equal(model.predict(noisy, times, text), before)
    torch.autograd.backward(model.predict(noisy, times, text).sum())
    with trained.frozen():
        assert torch.equal(model.predict(noisy, times, text), before)
    after = {name.replace(".base.", "."): buffer for name, buffer in model.unet.named_buffers()}
    assert all(torch.equal(after[name], buffer) for name, buffer in codes.items())
