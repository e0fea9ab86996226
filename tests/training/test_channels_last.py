"""The UNet with channels last in memory predicts and learns the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sdtui.models.family import Model
from sdtui.profile.schema import Profile
from sdtui.runs.layout import RunFolder
from sdtui.training import prepare
from sdtui.training.methods import lora
from sdtui.training.report import Report
from tests.support.tiny import tiny_pipeline
from tests.training.workplace import settings


def loaded(folder: Path, base_precision: str, *, last: bool) -> Model:
    training = {"channels_last": last, "base_precision": base_precision, "precision": "fp32"}
    method = {"rank": 2, "targets": ["attention", "projection", "convolution"]}
    profile = Profile.model_validate(settings(folder, {"training": training, "method": method}))
    report = Report(RunFolder.create(folder / "runs", "tiny"))
    model = prepare.load(profile, torch.device("cpu"), report)
    report.close()
    trained = lora.prepare(model, profile.method, 0)
    trained.load_state({name: tensor + 0.01 for name, tensor in trained.state().items()})
    model.unet.train()
    return model


@pytest.mark.parametrize("base_precision", ["same", "8bit", "4bit"])
def test_it_predicts_and_learns_the_same(tmp_path: Path, base_precision: str) -> None:
    tiny_pipeline(tmp_path / "model")
    layouts, answers, gradients = [], [], []
    for last in (False, True):
        model = loaded(tmp_path, base_precision, last=last)
        states: list[bool] = []
        block = model.unet.get_submodule("up_blocks.3.resnets.0")
        block.register_forward_hook(
            lambda _, __, out, states=states: states.append(out.is_contiguous(memory_format=torch.channels_last))
        )
        noisy = torch.randn(2, 4, 16, 8, generator=torch.Generator().manual_seed(0))
        answer = model.predict(noisy, torch.tensor([3, 9]), model.encode_text(["a cat", "a dog"]))
        torch.autograd.backward(answer.square().sum())
        layouts.append(states)
        answers.append(answer.detach())
        gradients.append([weight.grad for weight in model.unet.parameters() if weight.grad is not None])
    assert layouts == [[False], [True]]
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(gradients[1], gradients[0], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
