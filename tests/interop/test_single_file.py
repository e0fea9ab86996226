"""Single files as diffusers' own `from_single_file` loads them, weight by weight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.models.assemble import assemble
from sdtui.models.recognise import recognise
from tests.support.families import FAMILIES, tiny_file, tiny_folder


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_weights_as_diffusers(tmp_path: Path, family: str) -> None:
    import diffusers

    file, folder = tiny_file(tmp_path / "m.safetensors", family), tiny_folder(tmp_path / "configs", family)
    kind = diffusers.StableDiffusionXLPipeline if family == "sdxl" else diffusers.StableDiffusionPipeline
    theirs: Any = kind.from_single_file(str(file), config=str(folder), local_files_only=True)
    ours = assemble(recognise(file), None, torch.device("cpu"), torch.float32)
    for name, module in {**ours.components, "vae": ours.vae}.items():
        expected = getattr(theirs, name).state_dict()
        found = module.state_dict()
        assert found.keys() == expected.keys()
        for key, value in found.items():
            assert torch.equal(value, expected[key].to(value.dtype)), (name, key)
