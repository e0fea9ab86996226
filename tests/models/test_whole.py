"""What a whole model is called in a single file: exactly what the published files are, and read back bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sdtui.models.assemble import assemble
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.models.whole import single_file_tensors
from tests.support.families import FAMILIES, tiny_file, tiny_folder

# Schedules, places that are counted, and a scale that belongs to CLIP's other half.
LEFT_OUT = {"position_ids", "logit_scale", "alphas_cumprod", "betas"}


def loaded(base: Path) -> StableDiffusion:
    return assemble(recognise(base), None, torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("family", FAMILIES)
def test_names_shapes_and_values_are_those_of_a_published_file(tmp_path: Path, family: str) -> None:
    file = tiny_file(tmp_path / "m.safetensors", family)
    expected = load_file(file)
    found = single_file_tensors(loaded(file), torch.float32)
    last = "cond_stage_model.model.transformer.resblocks.3."
    for name, tensor in found.items():
        assert tensor.shape == expected[name].shape, name
        # What SD 2's pipelines leave out is made up; nothing reads it.
        if not (family == "sd2" and (name.startswith(last) or name.endswith("text_projection"))):
            assert torch.equal(tensor, expected[name].float()), name
    assert {name.rpartition(".")[2] for name in expected.keys() - found.keys()} <= LEFT_OUT


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_becomes_a_file_that_is_the_same_model_here_and_in_diffusers(tmp_path: Path, family: str) -> None:
    import diffusers

    folder = tiny_folder(tmp_path / "folder", family)
    ours = loaded(folder)
    file = tmp_path / "m.safetensors"
    save_file(single_file_tensors(ours, torch.float32), file)
    kind = diffusers.StableDiffusionXLPipeline if family == "sdxl" else diffusers.StableDiffusionPipeline
    theirs: Any = kind.from_single_file(str(file), config=str(folder), local_files_only=True, torch_dtype=torch.float32)
    again = loaded(file)
    for name, module in {**ours.components, "vae": ours.vae}.items():
        others = ({**again.components, "vae": again.vae}[name].state_dict(), getattr(theirs, name).state_dict())
        for key, value in module.state_dict().items():
            for other in others:
                assert torch.equal(value, other[key].reshape(value.shape)), (name, key)


def test_the_precision_is_the_one_asked_for(tmp_path: Path) -> None:
    found = single_file_tensors(loaded(tiny_folder(tmp_path, "sd1")), torch.float16)
    assert {tensor.dtype for tensor in found.values()} == {torch.float16}
    name = "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight"
    assert name in found
    assert found["first_stage_model.encoder.mid.attn_1.q.weight"].dim() == 4
