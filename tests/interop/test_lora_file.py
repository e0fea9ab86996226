"""A finished adapter in other programs' hands: diffusers' loader, a merge by hand, and kohya's own naming rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from sdtui.formats import FORMATS
from sdtui.models.family import Model, TextStates, load_model
from sdtui.profile.schema import Method
from sdtui.training.methods import METHODS
from tests.support.adapters import stir
from tests.support.tiny import tiny_pipeline

pytestmark = pytest.mark.interop
SETTINGS = Method(rank=4, alpha=2.0, text_encoder=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pipeline(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapted(base: Path) -> Model:
    """A model that carries an adapter with something in it."""
    return load_model(base, None, torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def file(adapted: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    trainable = METHODS["lora"].prepare(adapted, SETTINGS, 0)
    stir(trainable, scale=0.15)
    path = tmp_path_factory.mktemp("output") / "adapter.safetensors"
    FORMATS["kohya"](path, trainable.results()[""], {"ss_network_dim": "4"}, "fp32")
    return path


@pytest.fixture
def pipeline(base: Path) -> Any:
    from diffusers import StableDiffusionPipeline

    loaded = StableDiffusionPipeline.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def image(pipeline: Any) -> np.ndarray[Any, Any]:
    generator = torch.Generator().manual_seed(1)
    made = pipeline("a red cat", width=64, height=64, num_inference_steps=3, generator=generator, output_type="np")
    return np.asarray(made.images[0])


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    noisy, text = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 77, 32, generator=generator)
    return noisy, torch.tensor([20, 800]), text


@torch.no_grad()
def merge_by_hand(module: torch.nn.Module, prefix: str, tensors: dict[str, Tensor]) -> int:
    """W += alpha / rank · up @ down wherever a module's path, spelt kohya's way, is in the file; returns how often."""
    merged = 0
    for path, child in module.named_modules():
        stem = f"{prefix}_{path}".replace(".", "_")
        if f"{stem}.alpha" in tensors:
            down, up = tensors[f"{stem}.lora_down.weight"], tensors[f"{stem}.lora_up.weight"]
            scale = tensors[f"{stem}.alpha"].item() / down.shape[0]
            weight = child.weight
            assert isinstance(weight, Tensor)
            weight += scale * (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)
            merged += 1
    return merged


def test_diffusers_loads_it_and_the_image_changes(pipeline: Any, file: Path) -> None:
    before = image(pipeline)
    pipeline.load_lora_weights(file)
    assert np.abs(image(pipeline) - before).mean() > 0.01
    pipeline.unload_lora_weights()
    assert np.abs(image(pipeline) - before).max() < 1e-6


def test_the_unet_with_it_is_the_unet_merged_by_hand(pipeline: Any, adapted: Model, base: Path, file: Path) -> None:
    tensors = load_file(file)
    by_hand = load_model(base, None, torch.device("cpu"), torch.float32)
    assert merge_by_hand(by_hand.unet, "lora_unet", tensors) == 192
    noisy, times, text = inputs()
    with torch.no_grad():
        plain = pipeline.unet(noisy, times, text).sample
        pipeline.load_lora_weights(file)
        loaded = pipeline.unet(noisy, times, text).sample
        merged = by_hand.predict(noisy, times, TextStates(text))
        trained = adapted.predict(noisy, times, TextStates(text))
    assert (loaded - plain).abs().max() > 0.1
    assert (loaded - merged).abs().max() < 1e-5
    assert (trained - merged).abs().max() < 1e-5


def test_the_text_encoder_with_it_is_the_one_merged_by_hand(
    pipeline: Any, adapted: Model, base: Path, file: Path
) -> None:
    by_hand = load_model(base, None, torch.device("cpu"), torch.float32)
    # The published names have a level that CLIPTextModel has lost, so it is put back into the prefix.
    assert merge_by_hand(by_hand.components["text_encoder"], "lora_te_text_model", load_file(file)) == 12
    tokens = pipeline.tokenizer(["a red cat"], padding="max_length", max_length=77, return_tensors="pt").input_ids
    pipeline.load_lora_weights(file)
    with torch.no_grad():
        loaded = pipeline.text_encoder(tokens).last_hidden_state
        merged = by_hand.encode_text(["a red cat"]).states
        trained = adapted.encode_text(["a red cat"]).states
        plain = load_model(base, None, torch.device("cpu"), torch.float32).encode_text(["a red cat"]).states
    assert (merged - plain).abs().max() > 0.1
    assert (loaded - merged).abs().max() < 1e-5
    assert (trained - merged).abs().max() < 1e-5


def test_kohya_s_own_walk_over_the_base_finds_every_name_in_the_file(base: Path, file: Path) -> None:
    """sd-scripts' rule: every Linear and 1×1 Conv2d below a module of the named classes, dots to underscores."""
    model = load_model(base, None, torch.device("cpu"), torch.float32)
    expected = names_by_kohya(model.unet, "lora_unet", {"Transformer2DModel"})
    # In the transformers that sd-scripts pins, the root holds the encoder under `text_model`.
    expected |= names_by_kohya(model.components["text_encoder"], "lora_te_text_model", {"CLIPAttention", "CLIPMLP"})
    assert {name.split(".")[0] for name in load_file(file)} == expected


def names_by_kohya(root: torch.nn.Module, prefix: str, classes: set[str]) -> set[str]:
    return {
        f"{prefix}.{path}.{inner}".replace(".", "_")
        for path, module in root.named_modules()
        if type(module).__name__ in classes
        for inner, child in module.named_modules()
        if type(child).__name__ == "Linear" or (type(child).__name__ == "Conv2d" and child.kernel_size == (1, 1))
    }


def test_the_unet_names_are_the_stored_list(file: Path) -> None:
    stored = (Path(__file__).parents[1] / "formats/sd15_lora_names.txt").read_text().split()
    mine = {name.split(".")[0] for name in load_file(file)}
    assert {name for name in mine if name.startswith("lora_unet_")} == {
        name for name in stored if name.startswith("lora_unet_")
    }
    # Two layers where CLIP-L has twelve.
    assert {name for name in mine if name.startswith("lora_te_")} == {
        name for name in stored if name.startswith(("lora_te_text_model_encoder_layers_0_", "lora_te_text_model_encoder_layers_1_"))
    }  # fmt: skip
