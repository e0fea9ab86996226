"""The limit on norms, against norms taken of the whole change."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from sdtui.models.family import load_model
from sdtui.profile.schema import Method
from sdtui.training.methods.adapters import Adapter
from sdtui.training.methods.adapters.layer import Difference
from sdtui.training.methods.lora import Lora, prepare
from tests.support.adapters import stir
from tests.support.tiny import shallow_pipeline


def stirred(folder: Path, algorithm: str) -> Lora:
    settings = Method.model_validate(
        {
            "algorithm": algorithm, "rank": 4, "alpha": 2.0, "scale_weight_norms": 1.0,
            "targets": ["attention", "projection", "convolution"],
        }
    )  # fmt: skip
    trainable = prepare(load_model(shallow_pipeline(folder), None, torch.device("cpu"), torch.float32), settings, 0)
    stir(trainable, scale={"lora": 0.25, "loha": 0.35, "lokr": 0.25, "full": 0.03}[algorithm])
    return trainable


def norm(layer: Adapter) -> float:
    assert isinstance(layer, Difference)
    return float(layer.change().detach().norm())


@pytest.mark.parametrize("algorithm", ["lora", "loha", "lokr", "full"])
def test_what_is_longer_is_scaled_to_the_limit_and_the_rest_left(tmp_path: Path, algorithm: str) -> None:
    trainable = stirred(tmp_path, algorithm)
    before = {name: norm(layer) for name, layer in trainable.layers.items()}
    kept = trainable.state()
    assert trainable.limit is not None
    scaled, mean, largest = trainable.limit({}).tolist()
    after = {name: norm(layer) for name, layer in trainable.layers.items()}
    above = {name for name, value in before.items() if value > 1}
    assert 0 < len(above) < len(before)
    assert scaled == len(above)
    assert after == pytest.approx({name: min(value, 1.0) for name, value in before.items()}, rel=1e-4)
    assert (mean, largest) == pytest.approx((sum(after.values()) / len(after), max(after.values())), rel=1e-4)
    left = next(name for name in before if name not in above)
    same = {name: value for name, value in trainable.state().items() if name.startswith(left + ".")}
    assert all(torch.equal(value, kept[name]) for name, value in same.items())


def test_both_matrices_of_lora_take_their_half(tmp_path: Path) -> None:
    trainable = stirred(tmp_path, "lora")
    name = max(trainable.layers, key=lambda name: norm(trainable.layers[name]))
    kept, share = trainable.state(), math.sqrt(1 / norm(trainable.layers[name]))
    assert trainable.limit is not None
    trainable.limit({})
    for part in ("down", "up"):
        expected = kept[f"{name}.{part}"] * share
        assert torch.allclose(trainable.state()[f"{name}.{part}"], expected, rtol=1e-4)


def test_an_untrained_adapter_is_left_alone(tmp_path: Path) -> None:
    model = load_model(shallow_pipeline(tmp_path), None, torch.device("cpu"), torch.float32)
    trainable = prepare(model, Method(rank=4, scale_weight_norms=1.0), 0)
    kept = trainable.state()
    assert trainable.limit is not None
    assert trainable.limit({}).tolist() == [0.0, 0.0, 0.0]
    assert all(torch.equal(value, kept[name]) for name, value in trainable.state().items())
