"""What a model loaded from a folder computes, family by family, and what is said of a damaged folder."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sdtui.errors import UserError
from sdtui.models.assemble import assemble
from sdtui.models.family import Reading, TextStates
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion

CPU = torch.device("cpu")
UNET = "unet/diffusion_pytorch_model.safetensors"
VAE = "vae/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"


def load(base: Path, vae: Path | None = None, dtype: torch.dtype = torch.float32) -> StableDiffusion:
    return assemble(recognise(base), vae, CPU, dtype)


def refusal(base: Path, vae: Path | None = None) -> str:
    """What is said of a part that cannot be loaded; text encoders and VAE are when they are asked."""
    with pytest.raises(UserError) as caught:
        model = load(base, vae)
        assert model.vae
        assert model.encoders
    return str(caught.value)


def change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_everything_is_frozen_and_in_evaluation_mode(model: StableDiffusion) -> None:
    for module in (model.unet, model.vae, model.encoders[0][0]):
        assert not module.training
        assert not any(weight.requires_grad for weight in module.parameters())


def test_only_the_unet_takes_the_lower_precision(base: Path) -> None:
    loaded = load(base, dtype=torch.bfloat16)
    assert {weight.dtype for weight in loaded.unet.parameters()} == {torch.bfloat16}
    assert {weight.dtype for weight in loaded.vae.parameters()} == {torch.float32}
    assert {weight.dtype for weight in loaded.encoders[0][0].parameters()} == {torch.float32}


def test_predictions_are_fp32_also_from_a_bf16_unet(base: Path, model: StableDiffusion) -> None:
    noisy, times, text = torch.randn(2, 4, 8, 8), torch.tensor([10, 900]), TextStates(torch.randn(2, 77, 32))
    full = model.predict(noisy, times, text)
    half = load(base, dtype=torch.bfloat16).predict(noisy, times, text)
    assert (full.shape, full.dtype, half.dtype) == ((2, 4, 8, 8), torch.float32, torch.float32)
    assert 0 < (full - half).abs().mean() < 0.1 * full.std()


def test_alphas_are_stable_diffusion_s(model: StableDiffusion) -> None:
    assert model.alphas_cumprod.shape == (1000,)
    ends = model.alphas_cumprod[[0, 499, 999]].tolist()
    # Worked out in plain Python: the running product of 1 - (√0.00085 + (√0.012 - √0.00085)·i/999)².
    assert ends == pytest.approx([0.99915, 0.2776697, 0.0046601], abs=1e-6)


def test_prediction_type_is_the_scheduler_s(base: Path) -> None:
    assert (load(base).prediction_type, load(base).kohya_base) == ("epsilon", "sd_v1")
    change(base / "scheduler/scheduler_config.json", prediction_type="v_prediction")
    assert (load(base).prediction_type, load(base).kohya_base) == ("v_prediction", "sd_v1_v")
    change(base / "scheduler/scheduler_config.json", prediction_type="sample")
    assert "prediction_type is 'sample'; known: epsilon, v_prediction" in refusal(base)


def test_text_states_are_the_last_layer_s_normalised(model: StableDiffusion) -> None:
    ids = model.encoders[0][1](["a cat"], padding="max_length", max_length=77, return_tensors="pt").input_ids
    expected = model.encoders[0][0](ids).last_hidden_state
    assert torch.equal(model.encode_text(["a cat"]).states, expected)
    assert expected.shape == (1, 77, 32)


def test_clip_skip_2_is_a_text_encoder_without_its_last_layer(model: StableDiffusion) -> None:
    shorter = copy.deepcopy(model.encoders[0][0])
    del shorter.encoder.layers[-1]
    ids = model.encoders[0][1](["a cat"], padding="max_length", max_length=77, return_tensors="pt").input_ids
    skipped = model.encode_text(["a cat"], Reading(clip_skip=2)).states
    assert torch.allclose(skipped, shorter(ids).last_hidden_state, atol=1e-6)
    assert not torch.allclose(skipped, model.encode_text(["a cat"]).states, atol=1e-2)


@pytest.mark.parametrize("skip", [0, 3])
def test_clip_skip_beyond_the_layers_is_refused(model: StableDiffusion, skip: int) -> None:
    with pytest.raises(UserError, match=f"clip_skip is {skip}, and this text encoder has 2 layers"):
        model.encode_text(["a cat"], Reading(clip_skip=skip))


def test_long_texts_are_cut_to_the_window(model: StableDiffusion) -> None:
    seventy_five = "cat " * 75
    assert torch.equal(model.encode_text([seventy_five + "dog"]).states, model.encode_text([seventy_five]).states)


def test_longer_texts_are_read_in_several_windows(model: StableDiffusion) -> None:
    text = "cat " * 75 + "a red dog"
    found = model.encode_text([text, "a cat"], Reading(max_tokens=150, clip_skip=2)).states
    first, second = (model.encode_text([part], Reading(clip_skip=2)).states for part in ("cat " * 75, "a red dog"))
    expected = torch.cat([first[:, :76], second[:, 1:]], dim=1)
    assert found.shape == (2, 152, 32)
    assert torch.allclose(found[:1], expected, atol=1e-5)
    latents, times = torch.zeros(2, 4, 8, 8), torch.tensor([10, 900])
    assert model.predict(latents, times, TextStates(found)).shape == (2, 4, 8, 8)


def test_weights_multiply_the_states_of_their_tokens(model: StableDiffusion) -> None:
    plain = model.encode_text(["a red cat"]).states
    weighted = model.encode_text(["a (red:1.5) [cat]"], Reading(weighted=True)).states
    factors = torch.ones(77)
    factors[2], factors[3] = 1.5, 1 / 1.1
    assert torch.allclose(weighted, plain * factors[:, None], atol=1e-6)
    assert torch.equal(model.encode_text(["a red cat"], Reading(weighted=True)).states, plain)


def test_text_keeps_its_graph_for_training(model: StableDiffusion) -> None:
    weight = model.encoders[0][0].final_layer_norm.weight
    assert isinstance(weight, torch.nn.Parameter)
    weight.requires_grad_(True)
    assert model.encode_text(["a cat"]).states.requires_grad
    weight.requires_grad_(False)


def test_latents_come_as_scaled_mean_and_std(model: StableDiffusion) -> None:
    vae = model.vae
    pixels = torch.rand(2, 3, 64, 48) * 2 - 1
    with torch.no_grad():
        mean, log_variance = vae.quant_conv(vae.encoder(pixels)).chunk(2, dim=1)
    found = model.encode_images(pixels)
    assert found.mean.shape == found.std.shape == (2, 4, 8, 6)
    assert torch.allclose(found.mean, mean * 0.18215, atol=1e-6)
    assert torch.allclose(found.std, (log_variance / 2).exp() * 0.18215, atol=1e-6)
    assert torch.equal(found.mean, model.encode_images(pixels).mean)


def test_decoding_undoes_the_scale(model: StableDiffusion) -> None:
    latents = torch.randn(1, 4, 6, 8)
    with torch.no_grad():
        expected = model.vae.decode(latents / 0.18215).sample.clamp(-1, 1)
    assert torch.equal(model.decode_latents(latents), expected)
    assert expected.shape == (1, 3, 48, 64)


def test_checkpointed_gradients_are_the_same(base: Path) -> None:
    gradients = []
    for recompute in (False, True):
        loaded = load(base)
        if recompute:
            loaded.checkpoint_gradients()
        loaded.unet.train()
        weight = loaded.unet.conv_in.weight.requires_grad_(True)
        predicted = loaded.predict(torch.ones(1, 4, 8, 8), torch.tensor([7]), TextStates(torch.ones(1, 77, 32)))
        gradients.append(torch.autograd.grad(predicted.sum(), weight)[0])
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-4)


def test_published_text_encoders_with_the_text_model_level_load(base: Path, model: StableDiffusion) -> None:
    weights = load_file(base / TEXT)
    save_file({f"text_model.{name}": value for name, value in weights.items()}, base / TEXT, {"format": "pt"})
    assert torch.equal(load(base).encode_text(["a cat"]).states, model.encode_text(["a cat"]).states)


def test_published_vaes_with_the_old_attention_names_load(base: Path, model: StableDiffusion) -> None:
    old = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    weights = {}
    for name, value in load_file(base / VAE).items():
        [ending, *_] = [*(now for now in old if now in name), ""]
        weights[name.replace(ending, old[ending]) if ending else name] = value
    assert "encoder.mid_block.attentions.0.proj_attn.bias" in weights
    save_file(weights, base / VAE, {"format": "pt"})
    pixels = torch.ones(1, 3, 64, 64)
    assert torch.equal(load(base).encode_images(pixels).mean, model.encode_images(pixels).mean)


def test_an_fp16_variant_loads(base: Path) -> None:
    shutil.move(base / UNET, base / "unet/diffusion_pytorch_model.fp16.safetensors")
    assert {weight.dtype for weight in load(base).unet.parameters()} == {torch.float32}


def test_another_vae_takes_the_place_of_the_pipeline_s(base: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(base / "vae", other)
    change(other / "config.json", scaling_factor=0.5)
    assert load(base, other).vae.config.scaling_factor == 0.5
    assert load(base, other).vae_digest != load(base).vae_digest
    assert load(base, other).text_encoder_digest == load(base).text_encoder_digest
    assert load(base, base).vae_digest == load(base).vae_digest
    assert "there is no such VAE" in refusal(base, tmp_path / "none")


def test_digests_follow_the_weights_and_the_words(base: Path) -> None:
    before = load(base)
    first = (before.vae_digest, before.text_encoder_digest)
    words = base / "tokenizer/vocab.json"
    words.write_text(words.read_text() + " ")
    after = load(base)
    assert after.vae_digest == first[0]
    assert after.text_encoder_digest != first[1]


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_part_is_named(base: Path, part: str) -> None:
    shutil.rmtree(base / part)
    assert f"the pipeline has no {part}/ folder" in refusal(base)


@pytest.mark.parametrize("file", [UNET, VAE, TEXT])
def test_a_truncated_file_is_named(base: Path, file: str) -> None:
    (base / file).write_bytes((base / file).read_bytes()[:-100])
    message = refusal(base)
    assert message.startswith(f"{base / file}: the file is cut short: it has ")


@pytest.mark.parametrize("file", ["vocab.json", "merges.txt"])
def test_a_broken_vocabulary_is_named(base: Path, file: str) -> None:
    (base / "tokenizer" / file).write_text("#version: 0.2\n{ this is neither")
    assert f"{base / 'tokenizer'}: the vocabulary cannot be read" in refusal(base)


@pytest.mark.parametrize(
    ("file", "name"), [(UNET, "conv_in.bias"), (VAE, "decoder.conv_in.bias"), (TEXT, "final_layer_norm.bias")]
)
def test_a_weight_that_is_missing_never_stays_random(base: Path, file: str, name: str) -> None:
    weights = load_file(base / file)
    del weights[name]
    save_file(weights, base / file, {"format": "pt"})
    assert f"1 weights are missing, the first {name}" in refusal(base)


@pytest.mark.parametrize(
    ("file", "name"), [(UNET, "conv_in.bias"), (VAE, "decoder.conv_in.bias"), (TEXT, "final_layer_norm.bias")]
)
def test_weights_of_another_size_do_not_fit(base: Path, file: str, name: str) -> None:
    weights = load_file(base / file)
    weights[name] = torch.zeros(weights[name].numel() + 1)
    save_file(weights, base / file, {"format": "pt"})
    assert "do not fit" in refusal(base)
