"""Every setting of [method] changes what is trained, what is answered in training, or what stands in the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import save_file

from sdtui.formats.kohya import tensors
from sdtui.models.family import load_model
from sdtui.profile.schema import Method
from sdtui.profile.settings import SETTINGS
from sdtui.training.methods.lora import prepare
from tests.support.adapters import stir
from tests.support.tiny import shallow_pipeline

LOKR = {"algorithm": "lokr", "rank": 2}
CONVOLUTIONS = {"targets": ["attention", "convolution"]}
# A file for every layer of the UNet that is trained.
FILE = "made by the test"


class Try(NamedTuple):
    """A value of a setting, and what else it takes to have an effect."""

    value: Any
    beside: Mapping[str, Any] = {}


TRIED = {
    "algorithm": Try("loha"),
    "rank": Try(2),
    "alpha": Try(2.0),
    "conv_rank": Try(2, CONVOLUTIONS),
    "conv_alpha": Try(2.0, CONVOLUTIONS),
    "block_ranks": Try({"mid_block": 2}),
    "block_alphas": Try({"mid_block": 2.0}),
    "rs_lora": Try(True),
    "weight_decompose": Try(True),
    "decompose_inputs": Try(True, {"weight_decompose": True}),
    "factor": Try(2, LOKR),
    "decompose_both": Try(True, {**LOKR, "rank": 1}),
    "full_matrix": Try(True, LOKR),
    "norms": Try(True),
    "dropout": Try(0.5),
    "rank_dropout": Try(0.5),
    "module_dropout": Try(0.5),
    "scale_weight_norms": Try(0.1),
    "targets": Try(["attention"]),
    "include": Try(["*.attn2.*"]),
    "exclude": Try(["mid_block.*"]),
    "text_encoder": Try(True),
    "continue_from": Try(FILE),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shallow_pipeline(tmp_path_factory.mktemp("base"))


@torch.no_grad()
def outcome(base: Path, **settings: Any) -> str:
    """A digest of the file and of an answer in training, with the same random numbers learned and drawn."""
    model = load_model(base, None, torch.device("cpu"), torch.float32)
    trainable = prepare(model, Method.model_validate({"rank": 4, **settings}), 0)
    if not settings.get("continue_from"):
        stir(trainable, scale=0.2)
    model.unet.train()
    torch.manual_seed(0)
    noisy, text = torch.ones(1, 4, 8, 8), torch.ones(1, 77, 32)
    answer = model.unet(noisy, torch.tensor([3]), text).sample
    if trainable.limit is not None:
        trainable.limit({})
    digest = hashlib.sha256(answer.numpy().tobytes())
    for name, tensor in sorted(tensors(trainable.export(), "fp32").items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def test_every_setting_is_tried() -> None:
    assert set(TRIED) == {setting.name for setting in SETTINGS if setting.section == "method"} - {"kind"}


@pytest.fixture(scope="module")
def plain(base: Path) -> Callable[[str], str]:
    """The outcome without the setting, made once for each set of others."""
    return lru_cache(maxsize=None)(lambda text: outcome(base, **json.loads(text)))


def test_nothing_is_random(base: Path) -> None:
    chances = {"dropout": 0.5, "rank_dropout": 0.5, "module_dropout": 0.5}
    assert outcome(base, **chances) == outcome(base, **chances)


@pytest.mark.parametrize("setting", TRIED)
def test_a_setting_does_something(base: Path, plain: Callable[[str], str], tmp_path: Path, setting: str) -> None:
    value, beside = TRIED[setting]
    if value == FILE:
        value = str(tmp_path / "kept.safetensors")
        model = load_model(base, None, torch.device("cpu"), torch.float32)
        trainable = prepare(model, Method(rank=4), 0)
        stir(trainable, scale=0.1)
        save_file(tensors(trainable.export(), "fp32"), value)
    assert outcome(base, **{**beside, setting: value}) != plain(json.dumps(beside, sort_keys=True))
