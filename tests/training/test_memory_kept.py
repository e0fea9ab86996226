"""The plan's count of what a step keeps for its backward pass, against what autograd keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.models.family import load_model
from sdtui.profile.kept import Kept, heads_of
from sdtui.profile.schema import Profile
from sdtui.profile.sites import unet_sites
from sdtui.training.methods import METHODS
from tests.support.tiny import tiny_pipeline


@pytest.mark.parametrize("kind", ["lora", "full", "textual-inversion"])
@pytest.mark.parametrize("checkpointed", [False, True])
def test_the_count_is_what_autograd_keeps(tmp_path: Path, checkpointed: bool, kind: str) -> None:
    model = load_model(tiny_pipeline(tmp_path), None, torch.device("cpu"), torch.float32)
    unet: Any = model.unet
    settings = Profile.model_validate(
        {"model": {"base": "x"}, "method": {"kind": kind, "rank": 1, "alpha": 1.0}}
    ).method
    METHODS[kind].prepare(model, settings, 0)
    unet.train()
    if checkpointed:
        model.checkpoint_gradients()
    weights = {parameter.untyped_storage().data_ptr() for parameter in unet.parameters()}
    kept: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        text = torch.zeros(2, 77, unet.config.cross_attention_dim, requires_grad=kind == "textual-inversion")
        answer = unet(torch.zeros(2, 4, 32, 32), torch.tensor([1, 2]), text).sample
    assert answer.requires_grad
    values = sum(tensor.untyped_storage().nbytes() // 4 for place, tensor in kept.items() if place not in weights)
    config = dict(unet.config)
    told = Kept.of(unet_sites(config), (256, 256), len(config["block_out_channels"]), settings, heads_of(config))
    assert 2 * (told.checkpointed if checkpointed else told.all) == pytest.approx(values, rel=0.15)
