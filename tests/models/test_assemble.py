"""Models from single files: the same as from a folder, offline, and refused where a weight is missing or of another shape."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sdtui.errors import UserError
from sdtui.models.assemble import alphas_cumprod, assemble, predicts_noise, vae_digest
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from tests.support.families import FAMILIES, original_weights, tiny_file, tiny_folder
from tests.support.network import unplugged

CPU = torch.device("cpu")


def load(base: Path, vae: Path | None = None, dtype: torch.dtype = torch.float32) -> StableDiffusion:
    return assemble(recognise(base), vae, CPU, dtype)


def refusal(base: Path, vae: Path | None = None) -> str:
    """What is said of a part that cannot be loaded; text encoders and VAE are when they are asked."""
    with pytest.raises(UserError) as caught:
        model = load(base, vae)
        assert model.vae
        assert model.encoders
    return str(caught.value)


def write(path: Path, weights: dict[str, Tensor], metadata: dict[str, str] | None = None) -> Path:
    save_file(weights, path, {"format": "pt", **(metadata or {})})
    return path


def says(model: StableDiffusion) -> list[Tensor]:
    """What every part of a model answers."""
    text = model.encode_text(["a (red:1.2) cat", "dog"])
    noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    predicted = model.predict(noisy, torch.tensor([3, 900]), text)
    decoded = model.decode_latents(noisy)
    return [
        text.states,
        predicted,
        *model.encode_images(pixels),
        decoded,
        *([] if text.pooled is None else [text.pooled]),
    ]


Known = Callable[[str], StableDiffusion]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every family as a folder and as a file; no test changes them."""
    folder = tmp_path_factory.mktemp("models")
    for family in FAMILIES:
        tiny_folder(folder / family, family)
        tiny_file(folder / f"{family}.safetensors", family)
    return folder


@pytest.fixture(scope="module")
def known(models: Path) -> Known:
    """Those models as they are loaded, each once; no test changes them."""
    return functools.cache(lambda name: load(models / name))


@pytest.fixture
def no_network() -> Iterator[None]:
    """Whoever asks for it fails the test."""
    with unplugged():
        yield


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_single_file_is_the_model_of_the_folder(models: Path, known: Known, family: str) -> None:
    folder, file = known(family), load(models / f"{family}.safetensors")
    for from_folder, from_file in zip(says(folder), says(file), strict=True):
        assert torch.equal(from_folder, from_file)
    assert (file.family, file.name, folder.name) == (family, f"{family}.safetensors", family)
    assert torch.equal(file.alphas_cumprod, folder.alphas_cumprod)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_from_a_pickle(known: Known, tmp_path: Path, family: str) -> None:
    torch.save({"state_dict": original_weights(family), "global_step": 1}, tmp_path / "m.ckpt")
    for expected, found in zip(says(known(family)), says(load(tmp_path / "m.ckpt")), strict=True):
        assert torch.equal(expected, found)


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_are_frozen_and_only_the_unet_takes_the_lower_precision(models: Path, family: str) -> None:
    model = load(models / f"{family}.safetensors", dtype=torch.bfloat16)
    encoders = ["text_encoder", "text_encoder_2"] if family == "sdxl" else ["text_encoder"]
    assert list(model.components) == ["unet", *encoders]
    for name, module in {**model.components, "vae": model.vae}.items():
        assert not module.training
        assert not any(weight.requires_grad for weight in module.parameters())
        assert {weight.dtype for weight in module.parameters()} == {torch.bfloat16 if name == "unet" else torch.float32}
    assert model.encoders[0][0] is model.components["text_encoder"]


@pytest.mark.parametrize(
    ("family", "epsilon", "velocity"),
    [
        ("sd1", ("sd_v1", "stable-diffusion-v1"), ("sd_v1_v", "stable-diffusion-v1")),
        ("sd2", ("sd_v2", "stable-diffusion-v2-512"), ("sd_v2_v", "stable-diffusion-v2-768-v")),
        ("sdxl", ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base"), ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base")),
    ],
)
def test_other_programs_names(models: Path, family: str, epsilon: tuple[str, str], velocity: tuple[str, str]) -> None:
    model = load(models / family)
    assert (model.kohya_base, model.architecture) == epsilon
    model.prediction_type = "v_prediction"
    assert (model.kohya_base, model.architecture) == velocity


def test_the_last_layer_of_stable_diffusion_2_s_file_is_not_read(models: Path, known: Known, tmp_path: Path) -> None:
    weights = load_file(models / "sd2.safetensors")
    assert "cond_stage_model.model.transformer.resblocks.3.mlp.c_fc.weight" in weights
    for name in weights:
        if ".resblocks.3." in name:
            weights[name] = torch.full_like(weights[name], torch.nan)
    model = load(write(tmp_path / "m.safetensors", weights))
    assert len(model.encoders[0][0].encoder.layers) == 3
    assert torch.equal(model.encode_text(["a cat"]).states, known("sd2").encode_text(["a cat"]).states)


def test_texts_are_padded_as_the_family_does(known: Known) -> None:
    pads = {
        family: [tokenizer.pad_token_id for _, tokenizer in known(f"{family}.safetensors").encoders]
        for family in FAMILIES
    }
    assert pads == {"sd1": [49407], "sd2": [0], "sdxl": [49407, 0]}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float8_e4m3fn])
def test_weights_of_any_precision_load(models: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    weights = {
        name: value.to(dtype) if value.is_floating_point() else value for name, value in original_weights("sd1").items()
    }
    model = load(write(tmp_path / "m.safetensors", weights))
    expected = original_weights("sd1")["model.diffusion_model.input_blocks.0.0.weight"].to(dtype).float()
    assert torch.equal(model.unet.conv_in.weight, expected)


@pytest.mark.parametrize(
    ("rename", "family"),
    [
        (lambda name: name.replace(".transformer.text_model.", ".transformer."), "sd1"),
        (lambda name: name.replace("embedders.0.transformer.text_model.", "embedders.0.transformer."), "sdxl"),
    ],
)
def test_clip_without_its_level_loads(known: Known, tmp_path: Path, rename: Callable[[str], str], family: str) -> None:
    renamed = {rename(name): value for name, value in original_weights(family).items()}
    found = load(write(tmp_path / "m.safetensors", renamed)).encode_text(["a cat"]).states
    assert torch.equal(found, known(family).encode_text(["a cat"]).states)


def test_a_projection_turned_round_loads(known: Known, tmp_path: Path) -> None:
    weights = original_weights("sdxl")
    name = "conditioner.embedders.1.model.text_projection"
    weights[f"{name}.weight"] = weights.pop(name).t().contiguous()
    found, expected = load(write(tmp_path / "m.safetensors", weights)), known("sdxl")
    assert torch.equal(says(found)[-1], says(expected)[-1])


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("model.diffusion_model.out.2.bias", "the UNet"),
        ("cond_stage_model.transformer.text_model.final_layer_norm.bias", "the text encoder"),
        ("first_stage_model.decoder.conv_out.bias", "the VAE"),
    ],
)
def test_a_missing_weight_never_stays_random(tmp_path: Path, name: str, what: str) -> None:
    weights = original_weights("sd1")
    del weights[name]
    assert f"{what} lacks 1 weights in this file, the first {name}" in refusal(
        write(tmp_path / "m.safetensors", weights)
    )


def test_a_weight_of_another_shape_is_named(tmp_path: Path) -> None:
    weights = original_weights("sd1") | {"model.diffusion_model.out.2.bias": torch.zeros(5)}
    assert "out.2.bias is [5], which does not fit [4]" in refusal(write(tmp_path / "m.safetensors", weights))


def test_a_file_says_what_it_predicts(tmp_path: Path) -> None:
    marked = original_weights("sdxl") | {"v_pred": torch.zeros(()), "ztsnr": torch.zeros(())}
    model = load(write(tmp_path / "m.safetensors", marked))
    assert (model.prediction_type, model.scheduler_config["prediction_type"], model.assumed) == (
        "v_prediction",
    ) * 2 + ("",)
    assert model.alphas_cumprod[-1] < 1e-7
    assert model.scheduler_config["timestep_spacing"] == "trailing"
    stated = tiny_file(tmp_path / "sd2.safetensors", "sd2", {"modelspec.architecture": "stable-diffusion-v2-512"})
    assert (load(stated).prediction_type, load(stated).assumed) == ("epsilon", "")


def test_a_silent_stable_diffusion_2_is_asked(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(share: float) -> StableDiffusion:
        monkeypatch.setattr(StableDiffusion, "predict", lambda _self, noisy, *_: share * noisy + 0.3)
        return load(models / "sd2.safetensors")

    noise = answer(0.9)
    assert noise.prediction_type == noise.scheduler_config["prediction_type"] == "epsilon"
    assert "it predicts noise (epsilon)" in noise.assumed
    velocity = answer(0.07)
    assert velocity.prediction_type == velocity.scheduler_config["prediction_type"] == "v_prediction"
    assert "it predicts the velocity (v_prediction)" in velocity.assumed
    assert load(models / "sd1.safetensors").assumed == load(models / "sd2").assumed == ""


def test_asking_tells_an_ideal_denoiser_of_one_image_apart(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a single known image x₀ both answers follow from the noisy latents in closed form."""
    model = known("sd1")
    image = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(4))
    alpha = model.alphas_cumprod[-1]

    def ideal(kind: str) -> Callable[..., Tensor]:
        def predict(_self: StableDiffusion, noisy: Tensor, *_: object) -> Tensor:
            noise = (noisy - alpha.sqrt() * image) / (1 - alpha).sqrt()
            return noise if kind == "epsilon" else alpha.sqrt() * noise - (1 - alpha).sqrt() * image

        return predict

    for kind in ("epsilon", "v_prediction"):
        monkeypatch.setattr(StableDiffusion, "predict", ideal(kind))
        assert predicts_noise(model) == (kind == "epsilon")


@pytest.mark.parametrize("naming", ["own", "whole model", "folder's weights"])
def test_a_vae_from_a_file_takes_the_place_of_the_model_s(
    models: Path, known: Known, tmp_path: Path, naming: str
) -> None:
    weights = {name: value for name, value in original_weights("sd2").items() if name.startswith("first_stage_model.")}
    vae = tmp_path / "vae.safetensors"
    if naming == "own":
        write(vae, {name.removeprefix("first_stage_model."): value for name, value in weights.items()})
    elif naming == "whole model":
        write(vae, weights)
    else:
        shutil.copy(models / "sd2/vae/diffusion_pytorch_model.safetensors", vae)
    for base in ("sd1", "sd1.safetensors"):
        found, pixels = load(models / base, vae), torch.ones(1, 3, 64, 64)
        assert torch.equal(found.encode_images(pixels).mean, known("sd2").encode_images(pixels).mean)
        assert found.vae_digest not in {known("sd1").vae_digest, known("sd1.safetensors").vae_digest}


def test_a_pickled_vae_and_a_vae_folder_serve_a_single_file(models: Path, known: Known, tmp_path: Path) -> None:
    weights = original_weights("sd2")
    bare = {name[18:]: value for name, value in weights.items() if name.startswith("first_stage_model.")}
    torch.save({"state_dict": bare}, tmp_path / "vae.pt")
    pixels, file = torch.ones(1, 3, 64, 64), models / "sd1.safetensors"
    expected = known("sd2").encode_images(pixels).mean
    for vae in (tmp_path / "vae.pt", models / "sd2/vae", models / "sd2"):
        assert torch.equal(load(file, vae).encode_images(pixels).mean, expected)


def test_a_file_without_a_vae_needs_another(models: Path, tmp_path: Path) -> None:
    bare = {name: value for name, value in original_weights("sd1").items() if "first_stage" not in name}
    file = write(tmp_path / "m.safetensors", bare)
    assert "the file holds no VAE" in refusal(file)
    assert load(file, models / "sd1").vae.config.scaling_factor == 0.18215
    assert "the file holds no VAE" in refusal(models / "sd1", file)


def test_the_scale_of_latents_is_the_family_s(models: Path, tmp_path: Path) -> None:
    bare = {
        name[18:]: value for name, value in original_weights("sd1").items() if name.startswith("first_stage_model.")
    }
    vae = write(tmp_path / "vae.safetensors", bare)
    one, other = load(models / "sd1.safetensors", vae), load(models / "sdxl.safetensors", vae)
    assert (one.vae.config.scaling_factor, other.vae.config.scaling_factor) == (0.18215, 0.13025)
    assert one.vae_digest != other.vae_digest


@pytest.mark.parametrize("base", ["sd1", "sd1.safetensors"])
def test_the_vae_s_digest_is_known_before_the_model_is_loaded(models: Path, known: Known, base: str) -> None:
    assert vae_digest(recognise(models / base), None) == known(base).vae_digest
    other = models / "sd2"
    assert vae_digest(recognise(models / base), other) == load(models / base, other).vae_digest


def test_digests_follow_the_weights(models: Path, known: Known, tmp_path: Path) -> None:
    before = known("sd1.safetensors")
    weights = original_weights("sd1")
    weights["first_stage_model.encoder.conv_in.bias"] = weights["first_stage_model.encoder.conv_in.bias"] + 1
    changed = load(write(tmp_path / "m.safetensors", weights))
    assert changed.vae_digest != before.vae_digest
    assert changed.text_encoder_digest == before.text_encoder_digest
    moved = load(Path(shutil.copy(models / "sd1.safetensors", tmp_path / "other.safetensors")))
    assert (moved.vae_digest, moved.text_encoder_digest) == (before.vae_digest, before.text_encoder_digest)


def test_loading_leaves_the_file_as_it_was(models: Path) -> None:
    file = models / "sd1.safetensors"
    before = file.read_bytes()
    model = load(file)
    with torch.no_grad():
        model.unet.conv_in.weight.add_(1)
        model.vae.encoder.conv_in.weight.add_(1)
    assert file.read_bytes() == before


def test_alphas_of_a_scheduler_file(models: Path) -> None:
    config: dict[str, Any] = json.loads((models / "sd1/scheduler/scheduler_config.json").read_text())
    assert alphas_cumprod(config)[[0, 499, 999]].tolist() == pytest.approx([0.99915, 0.2776697, 0.0046601], abs=1e-6)
