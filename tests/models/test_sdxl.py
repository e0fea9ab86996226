"""Stable Diffusion XL: two text encoders, their pooled vector, and the images' sizes, as diffusers' own pipeline has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.errors import UserError
from sdtui.models.assemble import assemble
from sdtui.models.family import Reading, TextStates, size_rows
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from tests.support.families import tiny_folder

TIMES = torch.tensor([10, 900])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("sdxl"), "sdxl")


@pytest.fixture(scope="module")
def model(folder: Path) -> StableDiffusion:
    return assemble(recognise(folder), None, torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Any:
    from diffusers import StableDiffusionXLPipeline

    return StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True, torch_dtype=torch.float32)


def noisy() -> torch.Tensor:
    return torch.randn(2, 4, 8, 12, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("skip", [1, 2])
def test_texts_are_read_as_diffusers_reads_them(model: StableDiffusion, pipeline: Any, skip: int) -> None:
    # Its clip_skip counts what is left out beyond the family's own layer.
    states, _, pooled, _ = pipeline.encode_prompt("a red cat", do_classifier_free_guidance=False, clip_skip=skip - 1)
    found = model.encode_text(["a red cat"], Reading(clip_skip=skip))
    assert found.pooled is not None
    assert (found.states.shape, found.pooled.shape) == ((1, 77, 192), (1, 128))
    assert torch.allclose(found.states, states.float(), atol=1e-6)
    assert torch.allclose(found.pooled, pooled.float(), atol=1e-6)


def test_clip_skip_must_leave_a_layer(model: StableDiffusion) -> None:
    assert model.encode_text(["a cat"], Reading(clip_skip=2)).states.shape == (1, 77, 192)
    with pytest.raises(UserError, match="clip_skip is 3, and this text encoder has 3 layers"):
        model.encode_text(["a cat"], Reading(clip_skip=3))


def test_the_first_window_sums_a_long_text_up(model: StableDiffusion) -> None:
    start = "cat " * 75
    long = model.encode_text([start + "dog", "bird"], Reading(max_tokens=150))
    short = model.encode_text([start, "bird"])
    assert long.states.shape == (2, 152, 192)
    assert long.pooled is not None
    assert short.pooled is not None
    assert torch.allclose(long.pooled, short.pooled, atol=1e-6)


def test_weights_leave_the_summary_alone(model: StableDiffusion) -> None:
    plain, weighted = model.encode_text(["a red cat"]), model.encode_text(["a (red:1.5) cat"], Reading(weighted=True))
    assert plain.pooled is not None
    assert weighted.pooled is not None
    assert torch.equal(plain.pooled, weighted.pooled)
    assert torch.allclose(weighted.states[:, 2], plain.states[:, 2] * 1.5, atol=1e-6)


def test_sizes_are_in_the_order_that_sdxl_reads() -> None:
    rows = size_rows([((1024, 768), (10, 20), (512, 640)), ((1, 2), (3, 4), (5, 6))])
    assert rows.tolist() == [[768, 1024, 20, 10, 640, 512], [2, 1, 4, 3, 6, 5]]


def test_predictions_are_the_unet_s_with_summary_and_sizes(model: StableDiffusion) -> None:
    text = model.encode_text(["a cat", "a dog"])
    sizes = size_rows([((1024, 768), (10, 20), (96, 64)), ((96, 64), (0, 0), (96, 64))])
    conditions = {"text_embeds": text.pooled, "time_ids": sizes}
    with torch.no_grad():
        expected = model.unet(noisy(), TIMES, text.states, added_cond_kwargs=conditions).sample
        assert torch.equal(model.predict(noisy(), TIMES, text, sizes), expected)


def test_without_sizes_an_image_is_whole_and_of_its_own_size(model: StableDiffusion) -> None:
    text = model.encode_text(["a cat", "a dog"])
    whole = size_rows([((96, 64), (0, 0), (96, 64))] * 2)
    with torch.no_grad():
        plain = model.predict(noisy(), TIMES, text)
        assert torch.equal(plain, model.predict(noisy(), TIMES, text, whole))
        for change in range(6):
            other = whole.clone()
            other[:, change] += 100
            assert not torch.equal(plain, model.predict(noisy(), TIMES, text, other)), change


def test_states_and_summaries_move_together() -> None:
    moved = TextStates(torch.ones(3, 77, 4), torch.ones(3, 2)).to(torch.device("meta"))
    assert moved.pooled is not None
    assert moved.states.is_meta
    assert moved.pooled.is_meta
    assert TextStates(torch.ones(3, 77, 4)).each(lambda part: part[:1])[1] is None


def test_both_encoders_keep_their_graphs_for_training(model: StableDiffusion) -> None:
    for part in ("text_encoder", "text_encoder_2"):
        weight = next(
            weight
            for name, weight in model.components[part].named_parameters()
            if name.endswith("layers.0.mlp.fc1.bias")
        )
        weight.requires_grad_(True)
        assert model.encode_text(["a cat"]).states.requires_grad
        weight.requires_grad_(False)
