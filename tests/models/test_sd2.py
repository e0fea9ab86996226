"""Stable Diffusion 2.x: texts as diffusers reads them, and velocity where the folder says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from sdtui.models.assemble import assemble
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from tests.support.families import tiny_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_folder(tmp_path, "sd2")


def load(folder: Path) -> StableDiffusion:
    return assemble(recognise(folder), None, torch.device("cpu"), torch.float32)


def test_texts_are_read_as_diffusers_reads_them(folder: Path) -> None:
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, local_files_only=True, torch_dtype=torch.float32, safety_checker=None
    )
    expected, _ = pipeline.encode_prompt("a cat", "cpu", 1, False)
    found = load(folder).encode_text(["a cat"])
    assert found.pooled is None
    assert torch.allclose(found.states, expected.float(), atol=1e-6)


def test_padding_is_another_token_than_the_end(folder: Path) -> None:
    """OpenCLIP's: the place behind the end mark reads "!", not a second end mark."""
    tokenizer = load(folder).encoders[0][1]
    ids = tokenizer(["a cat"], padding="max_length", max_length=77).input_ids[0]
    assert ids[:6] == [49406, 320, 2368, 49407, 0, 0]


def test_the_folder_says_what_it_predicts(folder: Path) -> None:
    path = folder / "scheduler/scheduler_config.json"
    assert (load(folder).prediction_type, load(folder).kohya_base) == ("epsilon", "sd_v2")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prediction_type": "v_prediction"}))
    assert (load(folder).prediction_type, load(folder).kohya_base) == ("v_prediction", "sd_v2_v")
    assert load(folder).assumed == ""
