"""diffusers loads LoRA, LoCon and DoRA as they were trained, and refuses what it has no place for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.formats import FORMATS
from sdtui.models.family import load_model
from sdtui.profile.schema import Method
from sdtui.profile.sections.method import Target
from sdtui.training.methods.lora import prepare
from tests.support.adapters import stir
from tests.support.families import tiny_folder
from tests.support.tiny import shallow_pipeline

pytestmark = pytest.mark.interop
ALL: tuple[Target, ...] = ("attention", "feed-forward", "projection", "convolution", "edges")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shallow_pipeline(tmp_path_factory.mktemp("base"))


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    noisy, text = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 77, 32, generator=generator)
    return noisy, torch.tensor([20, 800]), text


def trained(base: Path, path: Path, layout: str, settings: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Write a file with something in it; returns what UNet and text encoder answered with it while it was trained."""
    model = load_model(base, None, torch.device("cpu"), torch.float32)
    trainable = prepare(model, Method.model_validate({"rank": 4, "alpha": 2.0, **settings}), 0)
    stir(trainable, scale=0.15)
    FORMATS[layout](path, trainable.export(), {}, "fp32")
    noisy, times, text = inputs()
    with torch.no_grad():
        answer = model.components["unet"](noisy, times, text).sample
        words = model.components["text_encoder"](torch.arange(1, 78)[None]).last_hidden_state
    return answer, words


def pipeline(base: Path) -> Any:
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(base, dtype=torch.float32, local_files_only=True)


@pytest.mark.parametrize(
    ("layout", "settings"),
    [
        ("kohya", {"targets": ALL, "conv_rank": 2, "conv_alpha": 3.0}),
        ("kohya", {"rs_lora": True}),
        ("kohya", {"block_ranks": {"mid_block": 8}}),
        ("diffusers", {"text_encoder": True}),
        ("diffusers", {"targets": ALL, "conv_rank": 2, "block_alphas": {"up_blocks": 1.0}}),
        ("diffusers", {"rs_lora": True, "block_ranks": {"mid_block": 8}}),
        ("diffusers", {"weight_decompose": True, "targets": ["attention", "convolution"]}),
    ],
)
def test_it_answers_as_it_did_in_training(base: Path, tmp_path: Path, layout: str, settings: dict[str, Any]) -> None:
    path = tmp_path / "adapter.safetensors"
    answer, words = trained(base, path, layout, settings)
    loaded = pipeline(base)
    noisy, times, text = inputs()
    with torch.no_grad():
        plain = loaded.unet(noisy, times, text).sample
        loaded.load_lora_weights(path)
        assert (answer - plain).abs().max() > 0.05
        assert (loaded.unet(noisy, times, text).sample - answer).abs().max() < 1e-4
        assert (loaded.text_encoder(torch.arange(1, 78)[None]).last_hidden_state - words).abs().max() < 1e-4


@pytest.mark.parametrize(
    "settings",
    [*({"algorithm": name} for name in ("loha", "lokr", "ia3", "oft", "boft", "full")), {"norms": True}],
    ids=["loha", "lokr", "ia3", "oft", "boft", "full", "norms"],
)
def test_lycoris_algorithms_are_refused(base: Path, tmp_path: Path, settings: dict[str, Any]) -> None:
    path = tmp_path / "adapter.safetensors"
    trained(base, path, "kohya", settings)
    with pytest.raises((ValueError, KeyError, TypeError)):
        pipeline(base).load_lora_weights(path)


@pytest.mark.parametrize(
    "settings",
    [
        {"weight_decompose": True},
        {"weight_decompose": True, "decompose_inputs": True},
        {"block_alphas": {"up_blocks": 1.0}},
    ],
    ids=["dora", "dora by inputs", "alphas"],
)
def test_what_diffusers_loses_of_kohya_s_layout(base: Path, tmp_path: Path, settings: dict[str, Any]) -> None:
    """Why the diffusers layout is offered: of kohya's, diffusers drops dora_scale, and alphas that differ in attention."""
    path = tmp_path / "adapter.safetensors"
    answer, _ = trained(base, path, "kohya", settings)
    loaded = pipeline(base)
    loaded.load_lora_weights(path)
    with torch.no_grad():
        assert (loaded.unet(*inputs()).sample - answer).abs().max() > 0.01


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_stable_diffusion_2_with_its_text_encoder(tmp_path: Path, layout: str) -> None:
    """Linear layers before and behind attention, which 1.x has as convolutions."""
    base, path = tiny_folder(tmp_path / "base", "sd2"), tmp_path / "adapter.safetensors"
    model = load_model(base, None, torch.device("cpu"), torch.float32)
    trainable = prepare(model, Method(rank=4, alpha=2.0, text_encoder=True, targets=ALL[:4]), 0)
    stir(trainable, scale=0.15)
    FORMATS[layout](path, trainable.export(), {}, "fp32")
    loaded = pipeline(base)
    noisy, times, _ = inputs()
    text, tokens = torch.randn(2, 77, 64, generator=torch.Generator().manual_seed(4)), torch.arange(1, 78)[None]
    with torch.no_grad():
        answer = model.components["unet"](noisy, times, text).sample
        words = model.components["text_encoder"](tokens).last_hidden_state
        plain = loaded.unet(noisy, times, text).sample
        loaded.load_lora_weights(path)
        assert (answer - plain).abs().max() > 0.01
        assert (loaded.unet(noisy, times, text).sample - answer).abs().max() < 1e-4
        assert (loaded.text_encoder(tokens).last_hidden_state - words).abs().max() < 1e-4


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_sdxl_with_both_text_encoders(tmp_path: Path, layout: str) -> None:
    """Stability's names in the UNet, `lora_te1` and `lora_te2`, convolutions too."""
    from diffusers import StableDiffusionXLPipeline

    base = tiny_folder(tmp_path / "base", "sdxl")
    path = tmp_path / "adapter.safetensors"
    model = load_model(base, None, torch.device("cpu"), torch.float32)
    trainable = prepare(model, Method(rank=4, alpha=2.0, text_encoder=True, targets=ALL[:4]), 0)
    stir(trainable, scale=0.15)
    FORMATS[layout](path, trainable.export(), {}, "fp32")
    loaded = StableDiffusionXLPipeline.from_pretrained(base, torch_dtype=torch.float32, local_files_only=True)
    given = dict(loaded.components)
    tokens = torch.arange(1, 78)[None]

    def answers(components: dict[str, Any]) -> dict[str, Tensor]:
        unet, first, second = (components[name] for name in ("unet", "text_encoder", "text_encoder_2"))
        generator = torch.Generator().manual_seed(4)
        noisy, text = torch.randn(1, 4, 8, 8, generator=generator), torch.randn(1, 77, 192, generator=generator)
        more = {"text_embeds": torch.ones(1, 128), "time_ids": torch.ones(1, 6)}
        return {
            "unet": unet(noisy, 500, text, added_cond_kwargs=more).sample,
            "first": first(tokens).last_hidden_state,
            "second": second(tokens).last_hidden_state,
        }

    with torch.no_grad():
        expected, plain = answers(model.components), answers(given)
        loaded.load_lora_weights(path)
        got = answers(given)
    for name, answer in expected.items():
        assert (answer - plain[name]).abs().max() > 0.01
        assert (got[name] - answer).abs().max() < 1e-4
